"""CLTDR: cross-layer task decoupling and refinement (CLTDR-GMG, AAAI 2025, eq. 5-13)."""
from collections.abc import Sequence
from dataclasses import replace
from typing import Optional

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from torch import Tensor

from ...structures import PackedRows
from ..task_modules import Pairs, PointTargets
from .fusion import CrossLevelFusion
from .outputs import HeadOutputs
from .point_loss import point_losses
from .refine_head import RefineHead
from .trident_head import TridentHead

#: Loss of the coarse scores.
COARSE_LOSS = dict(type='TALFocalLoss')
#: Kernels of the refine head (supplement C).
REFINE_KERNELS = dict(trunk=3, cls=3, offset=3)


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


def _one_of(name: str, value, known: Sequence) -> None:
    if value not in known:
        raise ValueError(f'CLTDRHead: {name} must be one of {list(known)}, got {value!r}')


@MODELS.register_module()
class CLTDRHead(TridentHead):
    """Trident head on decoupled features, its results refined on fused ones.

    Classes are predicted from a level and its coarser neighbour (DCM), boundaries from a level
    and its finer one (DRM), refinements from all three (CLFF). The architecture is the paper's by
    default: all fusion layers depth-wise, scores refined by a geometric mean, boundaries by one
    start and one end offset per step in strides of the level. The objective is that of the
    published code, which made the paper's figures: 0.7 of the refined and 0.3 of the coarse losses;
    varifocal (refined) and focal (coarse) towards targets of 0 and 1, the refined one weighted by
    IoU at positives; DIoU; all divided by one running number of positives. Eq. 13 is
    ``loss_reg=dict(type='IoU1DLoss'), loss_coarse=None, iou_power=1``, and ``balance_negatives``
    its literal division. What the published code does otherwise is in
    ``configs/release/_base_/cltdr_gmg.py``.

    Args:
        *args: See :class:`TridentHead`.
        cls_sources (Sequence[str]): Neighbours that classification sees besides its own level:
            of 'higher', 'lower' (table 9). Defaults to ('higher', ).
        reg_sources (Sequence[str]): The same for regression. Defaults to ('lower', ).
        refine (Sequence[str]): What is refined: of 'cls', 'reg' (table 10). Defaults to both.
        fusion (str): 'attention', 'add' or 'concat' in DCM and DRM (table 11).
            Defaults to 'attention'.
        fusion_depthwise (bool): See :class:`CrossLevelFusion`. Defaults to True.
        fusion_kernel_size (int): Kernel that the own level is seen through in the attention; the
            published code's is 1. Defaults to 3.
        boundary_feats (str): What the start and end towers read, detached: 'decoupled', the
            regression features of eq. 8, or 'pyramid', the levels as they are (published code).
            Defaults to 'decoupled'.
        score_fusion (str): 'geometric_mean' of both probabilities (eq. 10), or 'logit_product' of
            both logits (published code). Defaults to 'geometric_mean'.
        offsets_per_class (bool): Whether boundaries are refined by an offset for each class.
            Defaults to False.
        offset_unit (str): 'stride' of the level, or 'grid' steps (published code).
            Defaults to 'stride'.
        refine_kernel_sizes (dict, optional): Kernels of the refine head's layers 'trunk', 'cls'
            and 'offset'. Defaults to None: 3 (supplement C), whatever the towers have; what a dict
            leaves out too.
        loss_cls (dict, optional): Loss of the refined scores. Defaults to varifocal, alpha 0.25.
        loss_coarse (dict, optional): Loss of the coarse scores, beside which coarse boundaries are
            supervised too; None: only refined results are. Defaults to focal.
        coarse_weight (float): Share of the coarse losses where there are any; the refined ones
            have the rest. Defaults to 0.3.
        normalizer_moves (str): 'step', or 'half': the running number of positives moves before each
            of the refined and the coarse half (published code). Defaults to 'step'.
        iou_power (float): See :class:`PointHead`; for the refined scores. Defaults to 0.2.
        **kwargs: See :class:`TridentHead`.

    Raises:
        ValueError: On an unknown choice.
    """

    def __init__(self,
                 *args,
                 cls_sources: Sequence[str] = ('higher', ),
                 reg_sources: Sequence[str] = ('lower', ),
                 refine: Sequence[str] = ('cls', 'reg'),
                 fusion: str = 'attention',
                 fusion_depthwise: bool = True,
                 fusion_kernel_size: int = 3,
                 boundary_feats: str = 'decoupled',
                 score_fusion: str = 'geometric_mean',
                 offsets_per_class: bool = False,
                 offset_unit: str = 'stride',
                 refine_kernel_sizes: Optional[dict[str, int]] = None,
                 loss_cls: Optional[dict] = None,
                 loss_coarse: Optional[dict] = COARSE_LOSS,
                 coarse_weight: float = 0.3,
                 normalizer_moves: str = 'step',
                 iou_power: float = 0.2,
                 **kwargs) -> None:
        super().__init__(
            *args,
            loss_cls=loss_cls or dict(type='TALVarifocalLoss', alpha=0.25),
            iou_power=iou_power,
            **kwargs)
        for member in refine:
            _one_of('refine', member, ('cls', 'reg'))
        _one_of('boundary_feats', boundary_feats, ('decoupled', 'pyramid'))
        _one_of('score_fusion', score_fusion, ('geometric_mean', 'logit_product'))
        _one_of('offset_unit', offset_unit, ('stride', 'grid'))
        _one_of('normalizer_moves', normalizer_moves, ('step', 'half'))
        self.refine = tuple(refine)
        self.boundary_feats = boundary_feats
        self.score_fusion = score_fusion
        self.offsets_per_class = offsets_per_class
        self.offset_unit = offset_unit
        self.loss_coarse = MODELS.build(loss_coarse) if loss_coarse else None
        self.coarse_weight = coarse_weight
        self.normalizer_moves = normalizer_moves
        cfg = dict(channels=self.in_channels, depthwise=fusion_depthwise,
                   own_kernel_size=fusion_kernel_size)
        self.dcm = CrossLevelFusion(sources=cls_sources, fusion=fusion, **cfg)
        self.drm = CrossLevelFusion(sources=reg_sources, fusion=fusion, **cfg)
        if self.refine:
            self.clff = CrossLevelFusion(sources=('higher', 'lower'), fusion='add', **cfg)
            # a product of logits starts at 0 with it, a mean of probabilities at the prior
            prior_prob = self.prior_prob if score_fusion == 'geometric_mean' else None
            self.refine_head = RefineHead(
                self.in_channels, self.feat_channels, self.num_classes,
                num_offsets=self.num_classes if offsets_per_class else 1,
                kernel_sizes={**REFINE_KERNELS, **(refine_kernel_sizes or {})},
                prior_prob=prior_prob, targets=self.refine, tower_cfg=self.tower_cfg)

    def forward_rows(self, table: PackedRows) -> HeadOutputs:
        """Predict at every point.

        Args:
            table (PackedRows): (R, C).

        Returns:
            HeadOutputs: That of :class:`TridentHead`, ``cls_logits`` refined; tables
            ``coarse_logits`` and ``refine_logits`` (R, K), and readings ``refine_starts`` and
            ``refine_ends`` (R, 1 or K), the offsets of the boundaries.
        """
        x, layout = table.rows, table.layout
        for_reg = self.drm(x, layout)  # (R, C)
        outs = self.predict_from(self.dcm(x, layout), for_reg,
                                 x if self.boundary_feats == 'pyramid' else for_reg, layout)
        outs.tables['coarse_logits'] = outs.cls_logits
        if self.refine:
            refinement, readings = self.refine_head(self.clff(x, layout), layout)
            outs.readings.update(readings)
        if 'cls' in self.refine:
            outs.tables['refine_logits'] = refinement
            outs.cls_logits = (outs.cls_logits * refinement
                               if self.score_fusion == 'logit_product' else
                               refined_logit(outs.cls_logits, refinement))
        return outs

    def decode(self, outs: HeadOutputs, pairs: Pairs) -> Tensor:
        """Refined distances of chosen pairs; see :meth:`PointHead.decode`."""
        return self.refine_distances(super().decode(outs, pairs), outs, pairs)

    def refine_distances(self, coarse: Tensor, outs: HeadOutputs, pairs: Pairs) -> Tensor:
        """Move decoded boundaries by the refine head's offsets (eq. 11 and 12).

        Args:
            coarse (Tensor): (N, 2) distances in strides.
            outs (HeadOutputs): What :meth:`forward_rows` returned.
            pairs (Pairs): N pairs.

        Returns:
            Tensor: (N, 2) distances in strides, not negative.
        """
        if 'reg' not in self.refine:
            return coarse
        channel = pairs.label if self.offsets_per_class else torch.zeros_like(pairs.label)
        start, end = (outs.at(name, pairs.row, channel).float()
                      for name in ('refine_starts', 'refine_ends'))
        # a later start shortens the distance to it, a later end lengthens its
        offset = torch.stack([-start, end], dim=1)
        if self.offset_unit == 'grid':
            offset = offset / 2**outs.layout.level[pairs.row, None]
        return (coarse + offset).clamp(min=0)

    def loss_by_targets(self, outs: HeadOutputs, targets: PointTargets,
                        point_weights: Optional[Tensor] = None) -> dict:
        """Refined losses, plus the coarse ones where ``loss_coarse`` is set.

        See :meth:`PointHead.loss_by_targets`.
        """
        coarse = super().decode(outs, targets.pairs)
        refined = self.refine_distances(coarse, outs, targets.pairs)
        normalizer = self.normalizer(targets.num_points)
        loss_cls, loss_reg = self.losses_of(outs.layout, outs.cls_logits, refined, targets,
                                            normalizer, point_weights)
        if self.loss_coarse is not None:
            if self.normalizer_moves == 'half':
                normalizer = self.normalizer(targets.num_points)
            coarse_cls, coarse_reg = point_losses(
                self.loss_coarse, self.loss_reg, replace(self.loss_options, iou_power=0.),
                outs.tables['coarse_logits'], coarse, targets, outs.layout, normalizer,
                point_weights=point_weights)
            loss_cls = loss_cls.lerp(coarse_cls, self.coarse_weight)
            loss_reg = loss_reg.lerp(coarse_reg, self.coarse_weight)
        return dict(loss_cls=loss_cls, loss_reg=self.weigh_reg(loss_cls, loss_reg),
                    num_pos=targets.num_points.float())
