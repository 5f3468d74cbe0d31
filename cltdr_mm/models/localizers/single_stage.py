"""Single-stage localizer: backbone, neck and head in MMAction2's localizer interface."""
from collections.abc import Callable, Sequence
from typing import Optional, Union

from mmaction.registry import MODELS, TASK_UTILS
from mmengine.model import BaseModel
from mmengine.structures import InstanceData
from torch import Tensor, nn

from ...structures import PackedRows, TimeMajor, valid_lengths
from ..layers import set_norm_eps
from ..parts import OTHER_SAMPLES, refuse_unknown, with_shapes
from ..task_modules import DEFAULT_RANGES, resized_ranges

Inputs = Union[PackedRows, Tensor, Sequence[Union[TimeMajor, Tensor]]]


@MODELS.register_module()
class SingleStageLocalizer(BaseModel):
    """Any backbone with any head: features in, scored segments in seconds out.

    Shapes are written once: the width and the number of levels of the backbone go on to neck and
    head. A config may repeat them; if it says otherwise, that is an error.

    Args:
        backbone (dict): Makes a pyramid of a batch.
        head (dict): A point head.
        neck (dict, optional): Maps a pyramid to a pyramid. Defaults to None.
        postprocessor (dict, optional): Built from TASK_UTILS; makes results of candidates.
            Defaults to None: the best candidates, clipped to the video, without suppression, as
            sliding windows need it, whose candidates the metric merges first.
        data_preprocessor (dict, optional): Packs a batch. Defaults to a TALDataPreprocessor.
        num_levels (int, optional): Number of pyramid levels instead of what the backbone's config
            says; the head's regression ranges follow, see :func:`.resized_ranges`.
            Defaults to None.
        norm_eps (float, optional): ``eps`` of the channel LayerNorms of backbone, neck and head.
            Defaults to None: 1e-5, or what the parts' configs say.
        init_cfg (dict, optional): See BaseModule.

    Raises:
        TypeError: If a part computes on (B, C, T) alone, as those of version 0.1.0.
        ValueError: If parts do not fit each other.
    """

    def __init__(self,
                 backbone: dict,
                 head: dict,
                 neck: Optional[dict] = None,
                 postprocessor: Optional[dict] = None,
                 data_preprocessor: Optional[dict] = None,
                 num_levels: Optional[int] = None,
                 norm_eps: Optional[float] = None,
                 init_cfg: Optional[dict] = None,
                 **unknown) -> None:
        refuse_unknown(self, unknown)
        super().__init__(init_cfg=init_cfg)
        if num_levels is not None:
            backbone = dict(backbone, num_levels=num_levels)
            neck = None if neck is None else dict(neck, num_levels=num_levels)
            head = resize_head(head, num_levels)
        self.backbone = build_part(backbone, 'backbone', 'out_channels', 'num_levels')
        width, levels = self.backbone.out_channels, self.backbone.num_levels
        self.neck = None
        if neck is not None:
            self.neck = build_part(with_shapes(neck, 'neck', in_channels=width, num_levels=levels),
                                   'neck', 'out_channels')
            width = self.neck.out_channels
        self.head = build_part(with_shapes(head, 'head', in_channels=width, num_levels=levels),
                               'head')
        if norm_eps is not None:
            set_norm_eps(self, norm_eps)
        self.data_preprocessor = self.build_preprocessor(data_preprocessor, levels)
        self.postprocessor = TASK_UTILS.build(postprocessor or dict(type='TALPostProcessor'))

    def build_preprocessor(self, config: Union[dict, nn.Module, None],
                           num_levels: Optional[int]) -> nn.Module:
        """The data preprocessor, which knows the head's classes and the coarsest stride."""
        if not isinstance(config, nn.Module):
            config = {'type': 'TALDataPreprocessor', **(config or {})}
            if config.get('pad_to') and num_levels:
                config.setdefault('size_divisor', 2**(num_levels - 1))
            # built here: the base class would look it up in the scope that happens to be default
            config = MODELS.build(config)
        config.num_classes = getattr(self.head, 'num_classes', None)
        return config

    def forward(self,
                inputs: Inputs,
                data_samples: Optional[list] = None,
                mode: str = 'tensor',
                masks: Optional[Tensor] = None):
        """Run one of the three modes of an MMEngine model.

        Args:
            inputs (PackedRows | Tensor | Sequence[TimeMajor | Tensor]): What the data preprocessor
                made, or (B, C, T), or a sequence of (C, T_i).
            data_samples (list, optional): B data samples. Needed by 'loss' and 'predict'.
            mode (str): 'tensor' returns the head's raw outputs, 'loss' a dict of losses,
                'predict' the data samples with ``pred_instances``. Defaults to 'tensor'.
            masks (Tensor, optional): (B, T) bool of padded (B, C, T). Defaults to None: a tensor
                is valid everywhere.

        Returns:
            dict or list: By mode; 'tensor' gives lists over levels of (B, D, T_l).

        Raises:
            ValueError: On another mode, or if it lacks its data samples.
        """
        if mode not in ('tensor', 'loss', 'predict'):
            raise ValueError(f"mode must be 'tensor', 'loss' or 'predict', got {mode!r}")
        if data_samples is None and mode != 'tensor':
            raise ValueError(f'mode {mode!r} needs data_samples')
        pyramid = self.extract_feat(inputs, masks)
        if mode == 'tensor':
            outs = self.head(pyramid)
            return outs.per_level() if hasattr(outs, 'per_level') else outs
        if mode == 'loss':
            return self.head.loss(pyramid, None, data_samples)
        return self.add_predictions(self.head.predict(pyramid, None, data_samples), data_samples)

    def extract_feat(self, inputs: Inputs, masks: Optional[Tensor] = None) -> list[PackedRows]:
        """Pyramid of a batch.

        Args:
            inputs (PackedRows | Tensor | Sequence[TimeMajor | Tensor]): See :meth:`forward`.
            masks (Tensor, optional): See :meth:`forward`.

        Returns:
            list[PackedRows]: L tables (R_l, D), finest level first.
        """
        if not isinstance(inputs, PackedRows):
            if masks is not None:
                inputs = [x[:, :length] for x, length in zip(inputs, valid_lengths(masks))]
            inputs = self.data_preprocessor.pack(list(inputs))
        pyramid = self.backbone(inputs)
        return pyramid if self.neck is None else self.neck(pyramid)

    def add_predictions(self, candidates: list[InstanceData], data_samples: list) -> list:
        """Convert candidates to seconds and set what is left of them as predictions.

        Args:
            candidates (list[InstanceData]): Per video ``segments`` in grid steps, ``scores``,
                ``labels``; of a head without classes no ``labels``.
            data_samples (list): Their data samples, whose ``grid`` converts. Of those that say
                ``class_agnostic`` in their metainfo the labels mean nothing and are left out.
                Those with MMAction2's ``annotations`` in theirs also get the ``proposal_list``
                that its ``ANetMetric`` judges by them.

        Returns:
            list: The data samples.

        Raises:
            ValueError: If a data sample has no ``grid``.
        """
        return set_predictions(candidates, data_samples, self.postprocessor)


def set_predictions(candidates: list[InstanceData], data_samples: list,
                    postprocessor: Callable) -> list:
    """Set what a post-processor leaves of candidates as predictions.

    Args:
        candidates (list[InstanceData]): See :meth:`SingleStageLocalizer.add_predictions`.
        data_samples (list): See there.
        postprocessor (Callable): Such as :class:`.TALPostProcessor`.

    Returns:
        list: The data samples.

    Raises:
        ValueError: If a data sample has no ``grid``.
    """
    if candidates and candidates[0].segments.device.type == 'mps':  # which has no float64
        candidates = [instances.cpu() for instances in candidates]
    for instances, sample in zip(candidates, data_samples):
        if 'grid' not in sample:
            raise ValueError(f"video {sample.get('video_name')!r} has no `grid` in its "
                             f'metainfo, which places segments in seconds{OTHER_SAMPLES}')
        # late in a long video float32 seconds lose what boundaries are judged by
        instances.segments = sample.metainfo['grid'].to_seconds(instances.segments.double())
        if sample.metainfo.get('class_agnostic'):
            instances.pop('labels', None)
    results = postprocessor(candidates, [s.metainfo for s in data_samples])
    for result, sample in zip(results, data_samples):
        sample.pred_instances = result
        if 'annotations' in sample.metainfo:
            pairs = zip(result.segments.tolist(), result.scores.tolist())
            # the metric fails where a video has no proposal: one of length 0 finds nothing
            sample.proposal_list = [dict(segment=segment, score=score) for segment, score in (
                pairs if len(result) else [([0., 0.], 0.)])]
    return data_samples


def build_part(config: dict, name: str, *shapes: str) -> nn.Module:
    """Build a part of a localizer.

    Args:
        config (dict): The config.
        name (str): What to call it in an error.
        *shapes (str): Attributes that the parts after it are built by.

    Returns:
        nn.Module: The part.

    Raises:
        TypeError: If it computes on (B, C, T) alone, or does not say its shapes.
    """
    part = MODELS.build(config)
    if not getattr(part, 'takes_rows', False):
        raise TypeError(
            f'{name} {type(part).__name__} was written for (B, C, T) features: since 0.2.0 parts '
            'compute on tables of rows; derive from PyramidPart (backbones, necks) or PointHead '
            'and write forward_rows, see docs/extend.md')
    for shape in shapes:
        if not hasattr(part, shape):
            raise TypeError(f'{name} {type(part).__name__} has no {shape}, which the parts after '
                            'it are built by, see docs/extend.md')
    return part


def resize_head(head: dict, num_levels: int) -> dict:
    """Config of a head with regression ranges for another number of levels."""
    if isinstance(head.get('head'), dict):  # a head around a head
        return dict(head, head=resize_head(head['head'], num_levels))
    ranges = resized_ranges(head.get('regression_ranges') or DEFAULT_RANGES, num_levels)
    return dict(head, num_levels=num_levels, regression_ranges=ranges)
