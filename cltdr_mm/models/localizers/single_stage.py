"""Single-stage localizer: backbone, neck and head in MMAction2's localizer interface."""
from collections.abc import Sequence
from typing import Optional, Union

from mmaction.registry import MODELS, TASK_UTILS
from mmengine.model import BaseModel
from mmengine.structures import InstanceData
from torch import Tensor

from ..data_preprocessor import pad_sequences
from .whole_model import with_levels, with_variant

Inputs = Union[Tensor, Sequence[Tensor]]


@MODELS.register_module()
class SingleStageLocalizer(BaseModel):
    """Any backbone with any head: features in, scored segments in seconds out.

    Args:
        backbone (dict): Maps (B, C, T) and masks to a pyramid and its masks.
        head (dict): A point head.
        neck (dict, optional): Maps a pyramid to a pyramid. Defaults to None.
        postprocessor (dict, optional): Built from TASK_UTILS; makes results of candidates.
            Defaults to None: the best candidates, clipped to the video, without suppression, as
            sliding windows need it, whose candidates the metric merges first.
        data_preprocessor (dict, optional): Pads a batch. Defaults to a TALDataPreprocessor that
            pads to a multiple of the coarsest level's stride.
        num_levels (int, optional): Number of pyramid levels: backbone, neck, the head's
            regression ranges and the padding follow, see :func:`.with_levels`. Defaults to None:
            as the parts say.
        variant (str, optional): 'paper' or 'release', for all parts that know the two. Kernel
            sizes and padding of published weights are in ``configs/release``. Defaults to None:
            as the parts say.
        init_cfg (dict, optional): See BaseModule.
    """

    def __init__(self,
                 backbone: dict,
                 head: dict,
                 neck: Optional[dict] = None,
                 postprocessor: Optional[dict] = None,
                 data_preprocessor: Optional[dict] = None,
                 num_levels: Optional[int] = None,
                 variant: Optional[str] = None,
                 init_cfg: Optional[dict] = None) -> None:
        if num_levels is not None:
            backbone, neck, head = with_levels(num_levels, backbone, neck, head)
            if isinstance(data_preprocessor, dict):
                data_preprocessor = dict(data_preprocessor, size_divisor=2**(num_levels - 1))
        if variant is not None:
            backbone, neck, head = (with_variant(variant, part) for part in (backbone, neck, head))
        head = MODELS.build(head)
        if data_preprocessor is None:
            data_preprocessor = dict(size_divisor=2**(head.num_levels - 1))
        if isinstance(data_preprocessor, dict):
            # built here: the base class would look it up in the scope that happens to be default
            data_preprocessor = MODELS.build({'type': 'TALDataPreprocessor', **data_preprocessor})
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        self.backbone = MODELS.build(backbone)
        self.neck = None if neck is None else MODELS.build(neck)
        self.head = head
        self.postprocessor = TASK_UTILS.build(postprocessor or dict(type='TALPostProcessor'))

    def forward(self,
                inputs: Inputs,
                data_samples: Optional[list] = None,
                mode: str = 'tensor',
                masks: Optional[Tensor] = None):
        """Run one of the three modes of an MMEngine model.

        Args:
            inputs (Tensor or Sequence[Tensor]): (B, C, T), or a list of (C, T_i), which is
                padded here.
            data_samples (list, optional): B data samples. Needed by 'loss' and 'predict'.
            mode (str): 'tensor' returns the head's raw outputs, 'loss' a dict of losses,
                'predict' the data samples with ``pred_instances``. Defaults to 'tensor'.
            masks (Tensor, optional): (B, T) bool of padded inputs. Defaults to None: a tensor
                is valid everywhere.

        Returns:
            dict or list: By mode.

        Raises:
            ValueError: On another mode, or if it lacks its data samples.
        """
        if mode not in ('tensor', 'loss', 'predict'):
            raise ValueError(f"mode must be 'tensor', 'loss' or 'predict', got {mode!r}")
        if data_samples is None and mode != 'tensor':
            raise ValueError(f'mode {mode!r} needs data_samples')
        feats, masks = self.extract_feat(inputs, masks)
        if mode == 'tensor':
            return self.head(feats, masks)
        if mode == 'loss':
            return self.head.loss(feats, masks, data_samples)
        return self.add_predictions(self.head.predict(feats, masks, data_samples), data_samples)

    def extract_feat(self, inputs: Inputs, masks: Optional[Tensor] = None):
        """Pyramid of a batch.

        Args:
            inputs (Tensor or Sequence[Tensor]): See :meth:`forward`.
            masks (Tensor, optional): See :meth:`forward`.

        Returns:
            tuple: Features (B, D, T_l) and masks (B, T_l), each a tuple over levels.
        """
        if masks is None:
            pad = self.data_preprocessor
            inputs, masks = pad_sequences(list(inputs), pad.size_divisor, pad.pad_to)
        feats, masks = self.backbone(inputs, masks)
        return (feats, masks) if self.neck is None else self.neck(feats, masks)

    def add_predictions(self, candidates: list[InstanceData], data_samples: list) -> list:
        """Convert candidates to seconds and set what is left of them as predictions.

        Args:
            candidates (List[InstanceData]): Per video ``segments`` in grid steps, ``scores``,
                ``labels``.
            data_samples (list): Their data samples, whose ``grid`` converts.

        Returns:
            list: The data samples.
        """
        for instances, sample in zip(candidates, data_samples):
            # late in a long video float32 seconds lose what boundaries are judged by
            instances.segments = sample.metainfo['grid'].to_seconds(instances.segments.double())
        results = self.postprocessor(candidates, [s.metainfo for s in data_samples])
        for result, sample in zip(results, data_samples):
            sample.pred_instances = result
        return data_samples


