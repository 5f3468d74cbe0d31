"""End-to-end localizer: from frames, through a front, to all that works on features."""
from collections.abc import Sequence
from typing import Optional, Union

from mmaction.registry import MODELS
from torch import Tensor, nn

from ...structures import PackedRows, TimeMajor
from ..parts import with_shapes
from .single_stage import SingleStageLocalizer


@MODELS.register_module()
class EndToEndLocalizer(SingleStageLocalizer):
    """A front that makes rows of frames, before any encoder, neck and head.

    Args:
        front (dict): Config of a :class:`.ClipFront`; its width goes on to the backbone.
        backbone (dict): See :class:`SingleStageLocalizer`.
        head (dict): See :class:`SingleStageLocalizer`.
        data_preprocessor (dict, optional): Defaults to a :class:`.TALVideoPreprocessor`.
        **kwargs: See :class:`SingleStageLocalizer`.

    Raises:
        ValueError: If parts do not fit each other.
    """

    def __init__(self,
                 front: dict,
                 backbone: dict,
                 head: dict,
                 data_preprocessor: Optional[dict] = None,
                 **kwargs) -> None:
        front = MODELS.build(front)
        if not isinstance(data_preprocessor, nn.Module):
            data_preprocessor = {'type': 'TALVideoPreprocessor', **(data_preprocessor or {})}
        super().__init__(with_shapes(backbone, 'backbone', in_channels=front.out_channels), head,
                         data_preprocessor=data_preprocessor, **kwargs)
        self.front = front

    def forward(self,
                inputs: Union[PackedRows, Sequence[Tensor]],
                data_samples: Optional[list] = None,
                mode: str = 'tensor'):
        """Run one of the three modes of an MMEngine model.

        Args:
            inputs (Sequence[Tensor] | PackedRows): (3, F_i, H, W) uint8 each; or the rows that the
                front makes of them.
            data_samples (list, optional): See :class:`SingleStageLocalizer`. Their ``num_steps``,
                where there, has to be that of their frames.
            mode (str): See :class:`SingleStageLocalizer`. Defaults to 'tensor'.

        Returns:
            dict or list: See :class:`SingleStageLocalizer`.

        Raises:
            ValueError: On another mode, if it lacks its data samples, or if a video has another
                number of frames than its steps take.
        """
        if not isinstance(inputs, PackedRows):
            for frames, sample in zip(inputs, data_samples or ()):
                steps = sample.get('num_steps')
                if steps not in (None, frames.shape[1] / self.front.frames_per_step):
                    raise ValueError(
                        f"video {sample.get('video_name')!r}: {frames.shape[1]} frames for "
                        f'{steps} steps, where front.frames_per_step is '
                        f'{self.front.frames_per_step}')
        return super().forward(inputs, data_samples, mode)

    def extract_feat(self, inputs: Union[PackedRows, Sequence[Tensor]],
                     masks: None = None) -> list[PackedRows]:
        """Pyramid of a batch.

        Args:
            inputs (Sequence[Tensor] | PackedRows): See :meth:`forward`.
            masks (None): Videos are not padded.

        Returns:
            list[PackedRows]: L tables (R_l, D), finest level first.
        """
        if not isinstance(inputs, PackedRows):
            steps = [frames.shape[1] // self.front.frames_per_step for frames in inputs]
            rows = self.front(inputs, steps)  # (T_i, C) each
            inputs = self.data_preprocessor.pack([TimeMajor(x) for x in rows])
        return super().extract_feat(inputs)
