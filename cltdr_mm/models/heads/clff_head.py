"""CLFF-Head: cross-level feature fusion regression (LoGo, STRL 2025, sec. 3.3 and eq. 7)."""
from typing import Optional

from mmaction.registry import MODELS
from mmcv.cnn import Scale
from torch import Tensor, nn

from ...structures import PackedRows
from ..layers import Downsample2x
from .outputs import HeadOutputs
from .trident_head import TridentHead


@MODELS.register_module()
class CLFFHead(TridentHead):
    """Trident head whose centre offsets also see the next finer level.

    Classes, starts and ends are predicted from a level alone (starts and ends from detached
    features); centre offsets from ``w1 * own + w2 * resampled(finer)``, w1 and w2 learned.

    The paper leaves open how the finer level is brought to the grid of the current one, where w1
    and w2 start, and what the finest level does. Here the resampling is a depth-wise convolution
    of kernel 3 and stride 2, like the one CLTDR's regression takes from the same level; it shares
    its parameters among all levels, as the towers do; both weights start at 1; and the finest
    level is ``w1 * own``.

    The loss is eq. 7: focal, that of positives weighted by their IoU (a weight, through which no
    gradient flows), and GIoU. All is divided by the running number of positives, as in TriDet,
    whose paper prints the same formula and whose code does so; ``balance_negatives`` divides the
    negatives by their own number, as printed.

    Args:
        *args: See :class:`TridentHead`.
        boundary_init_std (float, optional): See :class:`TridentHead`. Defaults to 0.1.
        loss_reg (dict, optional): Defaults to the GIoU loss.
        iou_power (float): See :class:`PointHead`. Defaults to 1.
        **kwargs: See :class:`TridentHead`.
    """

    def __init__(self,
                 *args,
                 boundary_init_std: Optional[float] = 0.1,
                 loss_reg: Optional[dict] = None,
                 iou_power: float = 1.0,
                 **kwargs) -> None:
        super().__init__(
            *args,
            boundary_init_std=boundary_init_std,
            loss_reg=loss_reg or dict(type='GIoU1DLoss'),
            iou_power=iou_power,
            **kwargs)
        self.resample = nn.ModuleDict(
            dict(conv=Downsample2x(self.in_channels, groups=self.in_channels)))
        nn.init.zeros_(self.resample['conv'].bias)
        self.weight_own = Scale()
        self.weight_finer = Scale()

    def forward_rows(self, table: PackedRows) -> HeadOutputs:
        """Predict; see :meth:`TridentHead.predict_from`."""
        return self.predict_from(table.rows, self.fuse(table), table.rows, table.layout)

    def fuse(self, table: PackedRows) -> Tensor:
        """Features (R, C) of the centre offsets, zero in gaps."""
        finer = self.resample['conv'](table.rows, table.layout)
        fused = self.weight_own(table.rows) + self.weight_finer(finer)
        return table.layout.zero_padding(fused)
