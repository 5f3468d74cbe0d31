"""Trident head (TriDet, CVPR 2023, sec. 3.3): boundaries as expectations over relative bins."""
from typing import Optional

import torch
from mmaction.registry import MODELS
from torch import Tensor, nn

from ..layers import Scale
from ..task_modules import PyramidPoints, trident_distances
from .point_head import Feats, Outputs, PointHead
from .tower import ConvTower


@MODELS.register_module()
class TridentHead(PointHead):
    """Start, end and centre towers beside the classes' one.

    Args:
        *args: See :class:`PointHead`.
        num_bins (int): Bins B: a boundary is sought up to B strides away. Defaults to 16.
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

    def forward(self, feats: Feats, masks: Feats) -> Outputs:
        """Predict at every point; see :meth:`predict_levels`."""
        self.check_levels(feats)
        return self.predict_levels(feats, feats, feats, masks)

    def predict_levels(self, cls_feats: Feats, center_feats: Feats, boundary_feats: Feats,
                       masks: Feats) -> Outputs:
        """Run the four towers, each on its own features.

        Args:
            cls_feats (Sequence[Tensor]): Per level (B, C, T_l), for the classes.
            center_feats (Sequence[Tensor]): For the centre offsets.
            boundary_feats (Sequence[Tensor]): For start and end; detached here, since their
                towers' gradients disturb the pyramid (TriDet, sec. 3.3).
            masks (Sequence[Tensor]): Per level (B, T_l) bool.

        Returns:
            Dict[str, List[Tensor]]: ``cls_logits``, ``starts``, ``ends`` (B, K, T_l), ``centers``
            (B, 2 * (B + 1), T_l), ``masks`` (B, T_l), per level.
        """
        outs = dict(cls_logits=[], starts=[], ends=[], centers=[], masks=list(masks))
        levels = zip(cls_feats, center_feats, boundary_feats, masks, self.scales)
        for for_cls, for_center, for_boundary, mask, scale in levels:
            for_boundary = for_boundary.detach()
            outs['cls_logits'].append(self.cls_tower(for_cls, mask))
            outs['centers'].append(scale(self.center_tower(for_center, mask)).relu())
            outs['starts'].append(self.start_tower(for_boundary, mask))
            outs['ends'].append(self.end_tower(for_boundary, mask))
        return outs

    def decode(self, outs: Outputs, points: PyramidPoints, batch: Tensor, point: Tensor,
               label: Tensor) -> Tensor:
        """Expectations over the bins, per class; see :meth:`PointHead.decode`."""
        with torch.autocast(point.device.type, enabled=False):
            return trident_distances(outs['starts'], outs['ends'], outs['centers'], batch, point,
                                     points.level[point], label)
