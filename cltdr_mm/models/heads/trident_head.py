"""Trident head (TriDet, CVPR 2023, sec. 3.3): boundaries as expectations over relative bins."""
from typing import Optional

import torch
from mmaction.registry import MODELS
from mmcv.cnn import Scale
from torch import Tensor, nn

from ...structures import Layout, PackedRows
from ..task_modules import Pairs, boundary_windows, expected_distances
from .actionformer_head import scale_by_level
from .outputs import HeadOutputs, Reading
from .point_head import PointHead
from .tower import ConvTower


@MODELS.register_module()
class TridentHead(PointHead):
    """Start, end and centre towers beside the classes' one.

    Args:
        *args: See :class:`PointHead`.
        num_bins (int): A boundary is sought up to so many strides away. Defaults to 16.
        boundary_kernel_size (int): Kernel of the start and end towers. Defaults to 3.
        boundary_init_std (float, optional): Standard deviation of the start and end towers'
            first weights, normal. Defaults to None: torch's own initialisation.
        iou_power (float): See :class:`PointHead`. Defaults to 0.25.
        **kwargs: See :class:`PointHead`.

    Raises:
        ValueError: If there is no bin.
    """

    def __init__(self,
                 *args,
                 num_bins: int = 16,
                 boundary_kernel_size: int = 3,
                 boundary_init_std: Optional[float] = None,
                 iou_power: float = 0.25,
                 **kwargs) -> None:
        super().__init__(*args, iou_power=iou_power, **kwargs)
        if num_bins < 1:
            raise ValueError(f'{type(self).__name__}: num_bins must be positive, got {num_bins}')
        self.num_bins = num_bins
        widths = self.in_channels, self.feat_channels
        boundary_cfg = dict(self.tower_cfg, kernel_size=boundary_kernel_size,
                            prior_prob=self.prior_prob)
        self.cls_tower = ConvTower(*widths, self.num_classes, prior_prob=self.prior_prob,
                                   **self.tower_cfg)
        self.start_tower = ConvTower(*widths, self.num_classes, **boundary_cfg)
        self.end_tower = ConvTower(*widths, self.num_classes, **boundary_cfg)
        self.center_tower = ConvTower(*widths, 2 * (num_bins + 1), **self.tower_cfg)
        self.scales = nn.ModuleList(Scale() for _ in self.regression_ranges)
        if boundary_init_std is not None:
            for tower in (self.start_tower, self.end_tower):
                for module in tower.modules():
                    if isinstance(module, nn.Conv1d):
                        nn.init.normal_(module.weight, std=boundary_init_std)

    def forward_rows(self, table: PackedRows) -> HeadOutputs:
        """Predict; see :meth:`predict_from`."""
        return self.predict_from(table.rows, table.rows, table.rows, table.layout)

    def predict_from(self, cls_feats: Tensor, center_feats: Tensor, boundary_feats: Tensor,
                     layout: Layout) -> HeadOutputs:
        """Run the four towers, each on its own features.

        Args:
            cls_feats (Tensor): (R, C) for the classes.
            center_feats (Tensor): (R, C) for the centre offsets.
            boundary_feats (Tensor): (R, C) for start and end; detached here, since their towers'
                gradients disturb the pyramid (TriDet, sec. 3.3).
            layout (Layout): Of their rows.

        Returns:
            HeadOutputs: Readings ``starts``, ``ends`` (R, K) and ``centers``
            (R, 2 * (num_bins + 1)).
        """
        boundary_feats = boundary_feats.detach()
        return HeadOutputs(layout, self.cls_tower(cls_feats, layout), dict(
            starts=Reading(self.start_tower, boundary_feats, layout),
            ends=Reading(self.end_tower, boundary_feats, layout),
            centers=Reading(self.center_tower, center_feats, layout,
                            scale_by_level(self, layout))))

    def reads(self, layout: Layout, rows: Tensor) -> dict[str, Tensor]:
        """Starts are read before the points, ends after them; see :meth:`PointHead.reads`."""
        (start, _), (end, _) = boundary_windows(rows, layout, self.num_bins)
        return dict(starts=start, ends=end)

    def decode(self, outs: HeadOutputs, pairs: Pairs) -> Tensor:
        """Expectations over the bins, per class; see :meth:`PointHead.decode`."""
        start, end = boundary_windows(pairs.row, outs.layout, self.num_bins)
        label = pairs.label[:, None]
        # steps outside of the level count as logit 0
        starts = outs.at('starts', start[0], label) * start[1]  # (N, num_bins + 1)
        ends = outs.at('ends', end[0], label) * end[1]
        centers = outs.at('centers', pairs.row)  # (N, 2 * (num_bins + 1))
        # not before here: a tower that is read first runs now, in the type that autocast gives it
        with torch.autocast(label.device.type, enabled=False):
            return expected_distances(starts, ends, centers)
