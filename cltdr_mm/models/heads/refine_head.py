"""Refine head of CLTDR (AAAI 2025, eq. 10-12): corrections predicted from fused levels."""
from collections.abc import Sequence
from typing import Optional

from mmengine.model import BaseModule
from torch import Tensor

from ...structures import Layout
from .outputs import Reading
from .tower import ConvTower, OutputConv


class RefineHead(BaseModule):
    """One trunk for a second opinion on classes and for offsets of start and end.

    Args:
        in_channels (int): Channels of the fused features.
        feat_channels (int): Channels of the trunk.
        num_classes (int): Classes K.
        num_offsets (int): Offsets of each boundary per step: 1, or K for one per class.
        kernel_sizes (dict, optional): Kernels of the layers 'trunk', 'cls' and 'offset'.
            Defaults to None: 3; what a dict leaves out too.
        prior_prob (float, optional): Class probability to start with; None for 0.5.
        targets (Sequence[str]): What to predict: of 'cls', 'reg'. Defaults to both.
        tower_cfg (dict, optional): Other arguments of the trunk, see :class:`ConvTower`; its
            number of layers counts the output layers.
        init_cfg (dict, optional): See BaseModule.

    Raises:
        ValueError: On a kernel of another layer.
    """

    def __init__(self,
                 in_channels: int,
                 feat_channels: int,
                 num_classes: int,
                 num_offsets: int = 1,
                 kernel_sizes: Optional[dict[str, int]] = None,
                 prior_prob: Optional[float] = None,
                 targets: Sequence[str] = ('cls', 'reg'),
                 tower_cfg: Optional[dict] = None,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg=init_cfg)
        kernels = dict(trunk=3, cls=3, offset=3)
        unknown = set(kernel_sizes or {}) - set(kernels)
        if unknown:
            raise ValueError(f"RefineHead: kernel_sizes must be of 'trunk', 'cls' and 'offset', "
                             f'got {sorted(unknown)}')
        kernels.update(kernel_sizes or {})
        self.trunk = ConvTower(in_channels, feat_channels, None,
                               **{**(tower_cfg or {}), 'kernel_size': kernels['trunk']})
        self.cls_out = self.start_out = self.end_out = None
        if 'cls' in targets:
            self.cls_out = OutputConv(feat_channels, num_classes, kernels['cls'], prior_prob)
        if 'reg' in targets:
            self.start_out = OutputConv(feat_channels, num_offsets, kernels['offset'])
            self.end_out = OutputConv(feat_channels, num_offsets, kernels['offset'])

    def forward(self, x: Tensor, layout: Layout) -> tuple[Optional[Tensor], dict[str, Reading]]:
        """Predict corrections.

        Args:
            x (Tensor): (R, C) fused features, zero in gaps.
            layout (Layout): Of their rows.

        Returns:
            tuple[Tensor, dict[str, Reading]]: ``refine_logits`` (R, K) or None, and readings
            ``refine_starts`` and ``refine_ends`` (R, num_offsets), as far as they are asked for.
        """
        x = self.trunk(x, layout)
        logits = None if self.cls_out is None else self.cls_out(x, layout)
        readings = {}
        if self.start_out is not None:
            readings = dict(refine_starts=Reading(self.start_out, x, layout),
                            refine_ends=Reading(self.end_out, x, layout))
        return logits, readings
