"""An encoder of ours before a localizer of MMAction2: BMN, BSN's TEM or TCANet."""
import json
from collections.abc import Sequence
from typing import Optional, Union

import torch
from mmaction.registry import MODELS
from mmengine.fileio import get_text
from mmengine.model import BaseModule
from mmengine.structures import InstanceData
from torch import Tensor

from .sequence_localizers import ADAPTERS
from .single_stage import SingleStageLocalizer

Feats = Sequence[Tensor]
MAX_PROPOSALS = 100


@MODELS.register_module()
class SequenceLocalizerHead(BaseModule):
    """A localizer of MMAction2 as the head of a pyramid, without a class for its segments.

    These localizers take one sequence of a fixed length: the levels are brought to the finest
    grid by repetition and averaged. Step t of T stands for the part [t / T, (t + 1) / T] of the
    sequence, as they have it, so that grid position g is the fraction (g + 0.5) / T.

    They run in the precision of their weights, also under autocast, which they were not written
    for: in bfloat16 TCANet's sampling is not there and BMN's map is not finite.

    Args:
        localizer (dict): Config of MMAction2's BMN, TEM or TCANet.
        proposal_files (Sequence[str]): Result files in ActivityNet's layout (seconds) that
            together hold the proposals of all training and test videos, for TCANet, which refines
            the 100 best of each. Defaults to none.
        init_cfg (dict, optional): See BaseModule.

    Raises:
        ValueError: If the localizer is none of the three, or lacks its proposals.
    """

    #: What a batch would be padded for; these localizers take one length, as it is.
    num_levels = 1

    def __init__(self,
                 localizer: dict,
                 proposal_files: Sequence[str] = (),
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg=init_cfg)
        self.localizer = MODELS.build(localizer)
        kind = type(self.localizer).__name__
        if kind not in ADAPTERS:
            raise ValueError(f'SequenceLocalizerHead: {kind} takes no sequence of features; '
                             f'localizer must be one of {sorted(ADAPTERS)}')
        self.adapter = ADAPTERS[kind](self.localizer)
        if self.adapter.needs_proposals != bool(proposal_files):
            raise ValueError(f'SequenceLocalizerHead: {kind} ' + (
                'refines proposals: give proposal_files' if self.adapter.needs_proposals else
                f'takes no proposals, but proposal_files is {proposal_files!r}'))
        self.proposal_files = tuple(proposal_files)
        self._proposals: Optional[dict] = None

    def forward(self, feats: Feats, masks: Feats) -> Union[Tensor, tuple]:
        """What the localizer returns in its mode 'tensor'.

        Args:
            feats (Sequence[Tensor]): Per level (B, C, T_l), finest first.
            masks (Sequence[Tensor]): Per level (B, T_l) bool.

        Returns:
            Tensor or tuple: See the localizer.
        """
        x = self.fuse(feats, masks)
        with torch.autocast(x.device.type, enabled=False):
            return self.localizer(list(x), None, mode='tensor')

    def fuse(self, feats: Feats, masks: Feats, data_samples: Optional[list] = None) -> Tensor:
        """Bring a pyramid to one sequence.

        Args:
            feats (Sequence[Tensor]): Per level (B, C, T_l), finest first.
            masks (Sequence[Tensor]): Per level (B, T_l) bool.
            data_samples (list, optional): Name the videos in an error.

        Returns:
            Tensor: (B, C, T) in the type of the localizer's weights, whatever the encoder's.

        Raises:
            ValueError: If a video has another length than the localizer is made for.
        """
        steps = self.adapter.num_steps
        for index, length in enumerate(masks[0].sum(1).tolist()):
            if length != steps or masks[0].shape[1] != steps:
                name = index if data_samples is None else data_samples[index].get('video_name')
                raise ValueError(
                    f'{type(self.localizer).__name__}: video {name} has {length} steps (padded to '
                    f"{masks[0].shape[1]}), but the localizer is made for {steps}: put dict(type='"
                    f"ResizeFeature', length={steps}) into the pipelines, no crop after it, and "
                    'pad to no size_divisor')
        dtype = next(self.localizer.parameters()).dtype
        levels = [x.to(dtype).repeat_interleave(2**level, dim=2)[..., :steps]
                  for level, x in enumerate(feats)]
        return torch.stack(levels).mean(0)

    def loss(self, feats: Feats, masks: Feats, data_samples: list) -> dict[str, Tensor]:
        """Losses of a batch, by the localizer's names.

        Args:
            feats (Sequence[Tensor]): Per level (B, C, T_l), finest first.
            masks (Sequence[Tensor]): Per level (B, T_l) bool.
            data_samples (list): B data samples with ``gt_instances`` in grid steps.

        Returns:
            Dict[str, Tensor]: Scalars.
        """
        x = self.fuse(feats, masks, data_samples)
        boxes = []
        for sample in data_samples:
            box = self.to_fraction(sample.gt_instances.segments.to(x.device)).clamp(0, 1)
            boxes.append(box[box[:, 1] > box[:, 0]])
        with torch.autocast(x.device.type, enabled=False):
            return self.adapter.loss(x, boxes, self.proposals(data_samples, x))

    @torch.no_grad()
    def predict(self, feats: Feats, masks: Feats, data_samples: list) -> list[InstanceData]:
        """Segments of a batch, all of label 0.

        Args:
            feats (Sequence[Tensor]): Per level (B, C, T_l), finest first.
            masks (Sequence[Tensor]): Per level (B, T_l) bool.
            data_samples (list): B data samples.

        Returns:
            List[InstanceData]: Per video ``segments`` (M, 2) in grid steps, ``scores`` (M,) and
            ``labels`` (M,).
        """
        x = self.fuse(feats, masks, data_samples)
        with torch.autocast(x.device.type, enabled=False):
            found = self.adapter.predict(x, self.proposals(data_samples, x))
        return [InstanceData(segments=segments * self.adapter.num_steps - 0.5, scores=scores,
                             labels=torch.zeros_like(scores, dtype=torch.int64))
                for segments, scores in found]

    def to_fraction(self, position: Tensor) -> Tensor:
        """Fractions of the sequence for positions in grid steps."""
        return (position + 0.5) / self.adapter.num_steps

    def proposals(self, data_samples: list, like: Tensor) -> list[Tensor]:
        """Proposals of a batch.

        Args:
            data_samples (list): B data samples with ``video_name`` and ``grid``.
            like (Tensor): Gives type and device.

        Returns:
            List[Tensor]: Per video (P, 3) start and end in [0, 1] and score, at least one: a
            video that has an entry without proposals is one itself. Empty if the localizer
            takes none.

        Raises:
            ValueError: If a file is no result file, or a video is in none.
        """
        if not self.adapter.needs_proposals:
            return []
        if self._proposals is None:
            self._proposals = {}
            for path in self.proposal_files:
                content = json.loads(get_text(path))
                if not isinstance(content, dict) or not isinstance(content.get('results'), dict):
                    raise ValueError(f"{path}: no result file: 'results' is missing")
                self._proposals.update(content['results'])
        batch = []
        for sample in data_samples:
            name = sample.video_name
            if name not in self._proposals:
                raise ValueError(f'{", ".join(self.proposal_files)}: no entry for video {name}')
            known = sorted(self._proposals[name], key=lambda p: -p['score'])[:MAX_PROPOSALS]
            seconds = torch.tensor([p['segment'] for p in known], dtype=torch.float64)
            scores = like.new_tensor([p['score'] for p in known])
            grid = sample.metainfo['grid'].to_grid(seconds.reshape(-1, 2))
            segments = self.to_fraction(grid).to(like).clamp(0, 1)
            keep = segments[:, 1] > segments[:, 0]
            rows = torch.cat([segments, scores[:, None]], dim=1)[keep]
            batch.append(rows if len(rows) else like.new_tensor([[0., 1., 1.]]))
        return batch


@MODELS.register_module()
class EncodedLocalizer(SingleStageLocalizer):
    """Any backbone and neck of ours before MMAction2's BMN, BSN's TEM or TCANet.

    Data set, pipelines, Runner and metric are those of all localizers here. Sequences have to be
    resampled to the length that the localizer is made for (``ResizeFeature``), and its feature
    width has to be that of the neck. Segments have no class: every label is 0, so that either
    recall is what counts, or video-level scores (``fusion`` of the post-processor) bring one.

    Args:
        backbone (dict): See :class:`SingleStageLocalizer`.
        localizer (dict): Config of the MMAction2 localizer.
        neck (dict, optional): See :class:`SingleStageLocalizer`. Defaults to None.
        proposal_files (Sequence[str]): See :class:`SequenceLocalizerHead`. Defaults to none.
        postprocessor (dict, optional): See :class:`SingleStageLocalizer`. BMN brings its own
            soft-NMS, TEM and TCANet need one here. Defaults to None.
        data_preprocessor (dict, optional): See :class:`SingleStageLocalizer`. Defaults to a
            TALDataPreprocessor that does not pad.
        init_cfg (dict, optional): See BaseModule.
    """

    def __init__(self,
                 backbone: dict,
                 localizer: dict,
                 neck: Optional[dict] = None,
                 proposal_files: Sequence[str] = (),
                 postprocessor: Optional[dict] = None,
                 data_preprocessor: Optional[dict] = None,
                 init_cfg: Optional[dict] = None) -> None:
        head = dict(type='SequenceLocalizerHead', localizer=localizer,
                    proposal_files=proposal_files)
        super().__init__(backbone, head, neck, postprocessor, data_preprocessor, init_cfg)
