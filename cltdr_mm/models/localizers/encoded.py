"""An encoder of ours before a localizer of MMAction2: BMN, BSN's TEM or TCANet."""
from collections.abc import Sequence
from typing import Optional, Union

import torch
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from mmengine.structures import InstanceData
from torch import Tensor

from ...structures import PackedRows, unpack
from ..parts import Pyramid, check_samples, pack_pyramid, refuse_unknown
from .sequence_localizers import ADAPTERS
from .single_stage import SingleStageLocalizer


@MODELS.register_module()
class SequenceLocalizerHead(BaseModule):
    """A localizer of MMAction2 as the head of a pyramid, without a class for its segments.

    These localizers take one sequence of a fixed length: the levels are brought to the finest
    grid by repetition and averaged. Step t of T stands for the part [t / T, (t + 1) / T] of the
    sequence, as they have it, so that grid position g is the fraction (g + 0.5) / T.

    They run in the precision of their weights, also under autocast, which they were not written
    for: in bfloat16 TCANet's sampling is not there and BMN's map is not finite.

    Args:
        localizer (dict): Config of MMAction2's BMN, TEM or TCANet. TCANet refines proposals, which
            the transform :class:`.LoadTALProposals` brings.
        in_channels (int, optional): Width of the pyramid. Defaults to None: any.
        num_levels (int, optional): Its number of levels. Defaults to None: any.
        init_cfg (dict, optional): See BaseModule.

    Raises:
        ValueError: If the localizer is none of the three.
    """

    #: See :class:`.PointHead`.
    takes_rows = True

    def __init__(self,
                 localizer: dict,
                 in_channels: Optional[int] = None,
                 num_levels: Optional[int] = None,
                 init_cfg: Optional[dict] = None,
                 **unknown) -> None:
        refuse_unknown(self, unknown)
        super().__init__(init_cfg=init_cfg)
        self.localizer = MODELS.build(localizer)
        kind = type(self.localizer).__name__
        if kind not in ADAPTERS:
            raise ValueError(f'SequenceLocalizerHead: {kind} takes no sequence of features; '
                             f'localizer must be one of {sorted(ADAPTERS)}')
        self.adapter = ADAPTERS[kind](self.localizer)
        self.num_levels = num_levels

    def forward(self, feats: Pyramid,
                masks: Optional[Sequence[Tensor]] = None) -> Union[Tensor, tuple]:
        """What the localizer returns in its mode 'tensor'.

        Args:
            feats (list[PackedRows] | Sequence[Tensor]): See :meth:`.PointHead.forward`.
            masks (Sequence[Tensor], optional): See :meth:`.PointHead.forward`.

        Returns:
            Tensor or tuple: See the localizer.
        """
        x = self.fuse(feats, masks)
        with torch.autocast(x.device.type, enabled=False):
            return self.localizer(list(x), None, mode='tensor')

    def fuse(self, feats: Pyramid, masks: Optional[Sequence[Tensor]],
             data_samples: Optional[list] = None) -> Tensor:
        """Bring a pyramid to one sequence.

        Args:
            feats (list[PackedRows] | Sequence[Tensor]): See :meth:`forward`.
            masks (Sequence[Tensor], optional): See :meth:`forward`.
            data_samples (list, optional): Name the videos in an error.

        Returns:
            Tensor: (B, C, T) in the type of the localizer's weights, whatever the encoder's.

        Raises:
            ValueError: If a video has another length than the localizer is made for.
        """
        pyramid: Sequence[PackedRows] = feats if masks is None else pack_pyramid(feats, masks)
        steps, layout = self.adapter.num_steps, pyramid[0].layout
        if data_samples is not None:
            check_samples(len(layout), data_samples)
        for index, length in enumerate(layout.lengths):
            if not length == steps == layout.seen[index]:
                name = index if data_samples is None else data_samples[index].get('video_name')
                raise ValueError(
                    f'{type(self.localizer).__name__}: video {name} has {length} steps (padded to '
                    f"{layout.seen[index]}), but the localizer is made for {steps}: put dict(type='"
                    f"ResizeFeature', length={steps}) into the pipelines, no crop after it, and "
                    'pad to nothing')
        dtype = next(self.localizer.parameters()).dtype
        levels = [unpack(level)[0].to(dtype).repeat_interleave(2**number, dim=2)[..., :steps]
                  for number, level in enumerate(pyramid)]
        return torch.stack(levels).mean(0)

    def loss(self, feats: Pyramid, masks: Optional[Sequence[Tensor]],
             data_samples: list) -> dict[str, Tensor]:
        """Losses of a batch, by the localizer's names.

        Args:
            feats (list[PackedRows] | Sequence[Tensor]): See :meth:`forward`.
            masks (Sequence[Tensor], optional): See :meth:`forward`.
            data_samples (list): B data samples with ``gt_instances`` in grid steps.

        Returns:
            dict[str, Tensor]: Scalars.
        """
        x = self.fuse(feats, masks, data_samples)
        boxes = []
        for sample in data_samples:
            box = self.to_fraction(sample.gt_instances.segments.to(x.device)).clamp(0, 1)
            boxes.append(box[box[:, 1] > box[:, 0]])
        with torch.autocast(x.device.type, enabled=False):
            return self.adapter.loss(x, boxes, self.proposals(data_samples, x))

    @torch.no_grad()
    def predict(self, feats: Pyramid, masks: Optional[Sequence[Tensor]],
                data_samples: list) -> list[InstanceData]:
        """Proposals of a batch.

        Args:
            feats (list[PackedRows] | Sequence[Tensor]): See :meth:`forward`.
            masks (Sequence[Tensor], optional): See :meth:`forward`.
            data_samples (list): B data samples. TEM's curves (T, 5) of action, start, end and the
                ends of steps, as fractions of the sequence, are set as their ``curves``.

        Returns:
            list[InstanceData]: Per video ``segments`` (M, 2) in grid steps and ``scores`` (M,); no
            ``labels``.
        """
        x = self.fuse(feats, masks, data_samples)
        with torch.autocast(x.device.type, enabled=False):
            results = self.adapter.predict(x, self.proposals(data_samples, x))
        instances = []
        for sample, (segments, scores, *curves) in zip(data_samples, results):
            instances.append(InstanceData(
                segments=segments * self.adapter.num_steps - 0.5, scores=scores))
            if curves:
                sample.curves, = curves
        return instances

    def to_fraction(self, position: Tensor) -> Tensor:
        """Fractions of the sequence for positions in grid steps."""
        return (position + 0.5) / self.adapter.num_steps

    def proposals(self, data_samples: list, like: Tensor) -> list[Tensor]:
        """Proposals of a batch.

        Args:
            data_samples (list): B data samples; ``proposals.proposals`` as
                :class:`.LoadTALProposals` gives them.
            like (Tensor): Gives type and device.

        Returns:
            list[Tensor]: Per video (P, 3) start and end in [0, 1] and score. Empty if the localizer
            takes none.

        Raises:
            ValueError: If a video has none.
        """
        if not self.adapter.needs_proposals:
            return []
        kind = type(self.localizer).__name__
        for index, sample in enumerate(data_samples):
            if 'proposals' not in sample:
                raise ValueError(f'{kind} refines proposals, and video '
                                 f"{sample.get('video_name', index)} has none: put dict(type="
                                 "'LoadTALProposals', proposal_files=[...]) into the pipelines")
        return [sample.proposals.proposals.to(like) for sample in data_samples]


@MODELS.register_module()
class EncodedLocalizer(SingleStageLocalizer):
    """Any backbone and neck of ours before MMAction2's BMN, BSN's TEM or TCANet.

    Data set, pipelines, Runner and metric are those of all localizers here. Sequences have to be
    resampled to the length that the localizer is made for (``ResizeFeature``), and its feature
    width has to be that of the neck. Segments have no class, and predictions no ``labels``: either
    :class:`.ProposalMetric` judges them, or video-level scores (``fusion`` of the post-processor)
    bring a class.

    Args:
        backbone (dict): See :class:`SingleStageLocalizer`.
        localizer (dict): Config of the MMAction2 localizer.
        neck (dict, optional): See :class:`SingleStageLocalizer`. Defaults to None.
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
                 postprocessor: Optional[dict] = None,
                 data_preprocessor: Optional[dict] = None,
                 init_cfg: Optional[dict] = None,
                 **unknown) -> None:
        head = dict(type='SequenceLocalizerHead', localizer=localizer)
        super().__init__(backbone, head, neck, postprocessor, data_preprocessor,
                         init_cfg=init_cfg, **unknown)
