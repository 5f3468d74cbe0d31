"""ActionFormer's head (ECCV 2022, sec. 3.3): one tower for classes, one for distances."""
import torch
from mmaction.registry import MODELS
from mmcv.cnn import Scale
from torch import Tensor, nn

from ...structures import PackedRows
from ..task_modules import Pairs
from .outputs import HeadOutputs, Reading
from .point_head import PointHead
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

    def forward_rows(self, table: PackedRows) -> HeadOutputs:
        """Predict; ``distances`` (R, 2) in strides are read at the points themselves."""
        x, layout = table.rows, table.layout
        return HeadOutputs(
            layout, self.cls_tower(x, layout),
            dict(distances=Reading(self.reg_tower, x, layout, scale_by_level(self, layout))))

    def decode(self, outs: HeadOutputs, pairs: Pairs) -> Tensor:
        """Distances of chosen pairs, the same for all classes; see :meth:`PointHead.decode`."""
        return outs.at('distances', pairs.row).float()


def scale_by_level(head: PointHead, layout):
    """What makes positive offsets of a tower's outputs: ``ReLU(scale_l * x)`` by the row's level.

    Args:
        head (PointHead): Has ``scales``, one a level.
        layout (Layout): Of the table.

    Returns:
        Callable: Maps outputs (M, D) and their rows (M,) to (M, D).
    """
    scales = torch.stack([scale.scale for scale in head.scales])  # (L,)
    return lambda x, rows: (x * scales[layout.level[rows], None]).relu()
