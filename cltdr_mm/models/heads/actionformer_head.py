"""ActionFormer's head (ECCV 2022, sec. 3.3): one tower for classes, one for distances."""
import torch
from mmaction.registry import MODELS
from torch import Tensor, nn

from ..layers import Scale
from ..task_modules import PyramidPoints
from .point_head import Feats, Outputs, PointHead
from .tower import ConvTower


@MODELS.register_module()
class ActionFormerHead(PointHead):
    """Class logits and class-agnostic distances at every point.

    A distance is ``ReLU(scale_l * offset)``, with one learned scale per level.

    Args:
        *args: See :class:`PointHead`.
        **kwargs: See :class:`PointHead`.
    """

    boundaries_per_class = False

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        widths = self.in_channels, self.feat_channels
        self.cls_tower = ConvTower(*widths, self.num_classes, prior_prob=self.prior_prob,
                                   **self.tower_cfg)
        self.reg_tower = ConvTower(*widths, 2, **self.tower_cfg)
        self.scales = nn.ModuleList(Scale() for _ in self.regression_ranges)

    def forward(self, feats: Feats, masks: Feats) -> Outputs:
        """Predict at every point; see :meth:`PointHead.forward`.

        Returns:
            Dict[str, List[Tensor]]: ``cls_logits`` (B, K, T_l), ``distances`` (B, 2, T_l) in
            strides, ``masks`` (B, T_l), per level.
        """
        self.check_levels(feats)
        outs = dict(cls_logits=[], distances=[], masks=list(masks))
        for x, mask, scale in zip(feats, masks, self.scales):
            outs['cls_logits'].append(self.cls_tower(x, mask))
            outs['distances'].append(scale(self.reg_tower(x, mask)).relu())
        return outs

    def decode(self, outs: Outputs, points: PyramidPoints, batch: Tensor, point: Tensor,
               label: Tensor) -> Tensor:
        """Distances of chosen pairs, the same for all classes; see :meth:`PointHead.decode`."""
        return torch.cat(outs['distances'], dim=2)[batch, :, point].float()
