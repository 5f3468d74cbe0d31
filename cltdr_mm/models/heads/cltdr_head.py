"""CLTDR: cross-layer task decoupling and refinement (CLTDR-GMG, AAAI 2025, eq. 5-13)."""
from collections.abc import Sequence
from typing import Optional

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from torch import Tensor

from ..task_modules import PointTargets, PyramidPoints
from .fusion import CrossLevelFusion
from .point_head import Feats, Outputs
from .refine_head import RefineHead
from .trident_head import TridentHead


def refined_logit(coarse: Tensor, refinement: Tensor) -> Tensor:
    """Logit of ``sqrt(sigmoid(coarse) * sigmoid(refinement))`` (eq. 10).

    The root's gradient is infinite at 0 and ``log(1 - p)`` loses all digits near 1, so the
    probability itself is never formed: with S the sum of both log-sigmoids,
    ``log p - log(1 - p) = log(1 + e^(S/2)) - S/2 - logsumexp(-a, -r, -(a + r))``.

    Args:
        coarse (Tensor): Logits a of the decoupled classification.
        refinement (Tensor): Logits r of the refine head, of the same shape.

    Returns:
        Tensor: Logits, float32; finite wherever ``coarse + refinement`` is.
    """
    a, r = coarse.float(), refinement.float()
    half = 0.5 * (F.logsigmoid(a) + F.logsigmoid(r))
    return F.softplus(half) - half - torch.logsumexp(torch.stack([-a, -r, -(a + r)]), dim=0)


@MODELS.register_module()
class CLTDRHead(TridentHead):
    """Trident head on decoupled features, its results refined on fused ones.

    Classes are predicted from a level and its coarser neighbour (DCM), boundaries from a level
    and its finer one (DRM), refinements from all three (CLFF). In the paper variant all fusion
    layers are depth-wise, scores are refined by a geometric mean, boundaries by one start and
    one end offset per step in strides of the level, and only refined results are supervised,
    by varifocal and IoU loss over positives and negatives apart (eq. 13). The release variant
    computes what the published code does: full fusion layers, logits refined by their product,
    boundaries by offsets per class in grid steps, boundary towers on the raw pyramid, and the
    coarse results supervised as well.

    Args:
        *args: See :class:`TridentHead`.
        cls_sources (Sequence[str]): Neighbours that classification sees besides its own level:
            of 'higher', 'lower' (table 9). Defaults to ('higher', ).
        reg_sources (Sequence[str]): The same for regression. Defaults to ('lower', ).
        refine (Sequence[str]): What is refined: of 'cls', 'reg' (table 10). Defaults to both.
        fusion (str): 'attention', 'add' or 'concat' in DCM and DRM (table 11).
            Defaults to 'attention'.
        boundary_feats (str, optional): What the start and end towers read, detached:
            'decoupled', the regression features of eq. 8, or 'pyramid', the levels as they are.
            Defaults to None: the former in the paper variant, the latter in the release.
        refine_kernel_sizes (dict, optional): Kernels of the refine head's layers 'trunk', 'cls'
            and 'offset'. Defaults to None: ``kernel_size``, but 7 for the release's offsets; what
            a dict leaves out too.
        variant (str): See above. Defaults to 'paper'.
        loss_cls (dict, optional): Terms for the refined scores. Defaults to varifocal, with
            alpha 0.75 in the paper variant, 0.25 in the release.
        loss_reg (dict, optional): Defaults to IoU in the paper variant, DIoU in the release.
        loss_coarse (dict, optional): Terms for the coarse scores; the published results need
            focal or varifocal per data set. None supervises only refined results. Defaults to
            None in the paper variant, focal in the release.
        coarse_weight (float): Share of the coarse losses where there are any; the refined ones
            have the rest. Defaults to 0.3.
        iou_power (float, optional): See :class:`PointHead`. Defaults to 0 in the paper variant,
            whose varifocal loss weighs by IoU already, to 0.25 in the release.
        **kwargs: See :class:`TridentHead`.

    Raises:
        ValueError: On an unknown member of ``refine`` or unknown ``boundary_feats``.
    """

    def __init__(self,
                 *args,
                 cls_sources: Sequence[str] = ('higher', ),
                 reg_sources: Sequence[str] = ('lower', ),
                 refine: Sequence[str] = ('cls', 'reg'),
                 fusion: str = 'attention',
                 boundary_feats: Optional[str] = None,
                 refine_kernel_sizes: Optional[dict[str, int]] = None,
                 variant: str = 'paper',
                 loss_cls: Optional[dict] = None,
                 loss_reg: Optional[dict] = None,
                 loss_coarse: Optional[dict] = None,
                 coarse_weight: float = 0.3,
                 iou_power: Optional[float] = None,
                 **kwargs) -> None:
        release = variant == 'release'
        if iou_power is None:
            iou_power = 0.25 if release else 0.
        kwargs.setdefault('iou_targets', not release)
        kwargs.setdefault('balance_negatives', not release)
        super().__init__(
            *args,
            variant=variant,
            loss_cls=loss_cls or dict(type='TALVarifocalLoss', alpha=0.25 if release else 0.75),
            loss_reg=loss_reg or dict(type='DIoU1DLoss' if release else 'IoU1DLoss'),
            iou_power=iou_power,
            **kwargs)
        unknown = set(refine) - {'cls', 'reg'}
        if unknown:
            raise ValueError(f"CLTDRHead: refine must be among 'cls', 'reg', got "
                             f'{sorted(unknown)}')
        boundary_feats = boundary_feats or ('pyramid' if release else 'decoupled')
        if boundary_feats not in ('decoupled', 'pyramid'):
            raise ValueError(f"CLTDRHead: boundary_feats must be 'decoupled' or 'pyramid', got "
                             f'{boundary_feats!r}')
        self.boundary_feats = boundary_feats
        if release and loss_coarse is None:
            loss_coarse = dict(type='TALFocalLoss')
        self.loss_coarse = MODELS.build(loss_coarse) if loss_coarse else None
        self.coarse_weight = coarse_weight
        cfg = dict(channels=self.in_channels, variant=variant)
        self.dcm = CrossLevelFusion(sources=cls_sources, fusion=fusion, **cfg)
        self.drm = CrossLevelFusion(sources=reg_sources, fusion=fusion, **cfg)
        self.refine = tuple(refine)
        if self.refine:
            self.clff = CrossLevelFusion(sources=('higher', 'lower'), fusion='add', **cfg)
            kernel = self.tower_cfg['kernel_size']
            self.refine_head = RefineHead(
                self.in_channels, self.feat_channels, self.num_classes,
                num_offsets=self.num_classes if release else 1,
                kernel_sizes={**dict(trunk=kernel, cls=kernel, offset=7 if release else kernel),
                              **(refine_kernel_sizes or {})},
                # a product of logits starts at 0 with it, a mean of probabilities at the prior
                prior_prob=None if release else self.prior_prob,
                targets=self.refine, tower_cfg=self.tower_cfg)

    def forward(self, feats: Feats, masks: Feats) -> Outputs:
        """Predict at every point.

        Args:
            feats (Sequence[Tensor]): Per level (B, C, T_l), finest first.
            masks (Sequence[Tensor]): Per level (B, T_l) bool.

        Returns:
            Dict[str, List[Tensor]]: Those of :class:`TridentHead`, ``cls_logits`` refined, plus
            ``coarse_logits`` (B, K, T_l) and ``refine_starts``, ``refine_ends`` (B, 1 or K,
            T_l), the offsets of the boundaries, per level.
        """
        self.check_levels(feats)
        for_reg = self.drm(feats, masks)
        outs = self.predict_levels(
            self.dcm(feats, masks), for_reg,
            feats if self.boundary_feats == 'pyramid' else for_reg, masks)
        outs['coarse_logits'] = outs['cls_logits']
        if self.refine:
            outs.update(self.refine_head(self.clff(feats, masks), masks))
        if 'cls' in self.refine:
            outs['cls_logits'] = [
                a * r if self.release else refined_logit(a, r)
                for a, r in zip(outs['coarse_logits'], outs['refine_logits'])]
        return outs

    def decode(self, outs: Outputs, points: PyramidPoints, batch: Tensor, point: Tensor,
               label: Tensor) -> Tensor:
        """Refined distances of chosen pairs; see :meth:`PointHead.decode`."""
        coarse = super().decode(outs, points, batch, point, label)
        return self.refine_distances(coarse, outs, points, batch, point, label)

    def refine_distances(self, coarse: Tensor, outs: Outputs, points: PyramidPoints,
                         batch: Tensor, point: Tensor, label: Tensor) -> Tensor:
        """Move decoded boundaries by the refine head's offsets (eq. 11 and 12).

        Args:
            coarse (Tensor): (N, 2) distances in strides.
            outs (Dict[str, List[Tensor]]): What :meth:`forward` returned.
            points (PyramidPoints): The P points.
            batch (Tensor): (N,) int64.
            point (Tensor): (N,) int64.
            label (Tensor): (N,) int64.

        Returns:
            Tensor: (N, 2) distances in strides, not negative.
        """
        if 'reg' not in self.refine:
            return coarse
        channel = label if self.release else torch.zeros_like(label)
        start, end = (torch.cat(outs[name], dim=2)[batch, channel, point].float()
                      for name in ('refine_starts', 'refine_ends'))
        # a later start shortens the distance to it, a later end lengthens its
        offset = torch.stack([-start, end], dim=1)
        if self.release:  # in grid steps at every level
            offset = offset / points.stride[point, None]
        return (coarse + offset).clamp(min=0)

    def loss_by_targets(self, outs: Outputs, targets: PointTargets,
                        pair_weights: Optional[tuple[Tensor, Tensor]] = None) -> dict:
        """Refined losses, plus the coarse ones where ``loss_coarse`` is set.

        See :meth:`PointHead.loss_by_targets`.
        """
        pairs = targets.points, targets.batch, targets.point, targets.label
        coarse = super().decode(outs, *pairs)
        refined = self.refine_distances(coarse, outs, *pairs)
        loss_cls, loss_reg = self.reduce_terms(self.loss_cls, outs['cls_logits'], refined,
                                               targets, pair_weights)
        if self.loss_coarse is not None:
            coarse_cls, coarse_reg = self.reduce_terms(
                self.loss_coarse, outs['coarse_logits'], coarse, targets, pair_weights,
                iou_power=0.)
            loss_cls = loss_cls.lerp(coarse_cls, self.coarse_weight)
            loss_reg = loss_reg.lerp(coarse_reg, self.coarse_weight)
        return dict(loss_cls=loss_cls, loss_reg=self.weigh_reg(loss_cls, loss_reg),
                    num_pos=targets.num_points.float())
