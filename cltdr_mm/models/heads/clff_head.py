"""CLFF-Head: cross-level feature fusion regression (LoGo, STRL 2025, sec. 3.3 and eq. 7)."""
from typing import Optional

from mmaction.registry import MODELS
from torch import Tensor

from ..layers import MaskedConv1d, Scale, mask_steps
from .point_head import Feats, Outputs
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

    The loss is eq. 7: focal terms over positives and negatives apart, those of positives weighted
    by their IoU (a weight, through which no gradient flows), and GIoU.

    Args:
        *args: See :class:`TridentHead`.
        boundary_init_std (float, optional): See :class:`TridentHead`. Defaults to 0.1.
        loss_reg (dict, optional): Defaults to the GIoU loss.
        iou_power (float): See :class:`PointHead`. Defaults to 1.
        balance_negatives (bool): See :class:`PointHead`. Defaults to True.
        **kwargs: See :class:`TridentHead`.

    Raises:
        ValueError: If ``variant`` is 'release': there is no published code.
    """

    def __init__(self,
                 *args,
                 boundary_init_std: Optional[float] = 0.1,
                 loss_reg: Optional[dict] = None,
                 iou_power: float = 1.0,
                 balance_negatives: bool = True,
                 **kwargs) -> None:
        super().__init__(
            *args,
            boundary_init_std=boundary_init_std,
            loss_reg=loss_reg or dict(type='GIoU1DLoss'),
            iou_power=iou_power,
            balance_negatives=balance_negatives,
            **kwargs)
        if self.release:
            raise ValueError('CLFFHead: LoGo has no published code, hence no release variant')
        self.resample = MaskedConv1d(
            self.in_channels, self.in_channels, 3, stride=2, groups=self.in_channels)
        self.weight_own = Scale()
        self.weight_finer = Scale()

    def forward(self, feats: Feats, masks: Feats) -> Outputs:
        """Predict at every point; see :meth:`TridentHead.predict_levels`."""
        self.check_levels(feats)
        return self.predict_levels(feats, self.fuse(feats, masks), feats, masks)

    def fuse(self, feats: Feats, masks: Feats) -> list[Tensor]:
        """Features of the centre offsets.

        Args:
            feats (Sequence[Tensor]): Per level (B, C, T_l), finest first.
            masks (Sequence[Tensor]): Per level (B, T_l) bool.

        Returns:
            List[Tensor]: Per level (B, C, T_l), zero at padding.
        """
        fused = []
        for level, (own, mask) in enumerate(zip(feats, masks)):
            x = self.weight_own(own)
            if level > 0:
                finer, _ = self.resample(feats[level - 1], masks[level - 1])
                x = x + self.weight_finer(finer[..., :own.shape[-1]])
            fused.append(mask_steps(x, mask))
        return fused
