"""PointHead: how a head of points is built, and how its outputs become candidates.

What is the same for all point heads is written here, once; a subclass brings the network
(:meth:`PointHead.forward_rows`) and the reading of its outputs (:meth:`PointHead.decode`). How
they learn is in ``point_training.py``.

Naming: B videos, L levels, K classes; R rows of the table of all levels and videos, one a point; N
chosen (point, class) pairs. Distances are in strides of the point's level, segments in grid steps
of the input.
"""
from abc import abstractmethod
from collections.abc import Sequence
from typing import Optional

import torch
from mmaction.registry import MODELS, TASK_UTILS
from mmengine.structures import InstanceData
from torch import Tensor

from ...structures import Layout, PackedRows
from ..parts import Pyramid, as_table, refuse_unknown, with_shapes
from ..task_modules import (
    EMANormalizer,
    Pairs,
    candidates_of,
    checked_ranges,
    pyramid_points,
    top_pairs,
)
from .outputs import HeadOutputs, Outputs
from .point_loss import LossOptions
from .point_training import PointTraining

#: Thresholds of prediction: least score of a candidate, most candidates of one level, least length
#: in grid steps.
TEST_CFG = dict(score_thr=0.001, nms_pre=2000, min_length=0.05)


class PointHead(PointTraining):
    """Base of heads that classify every point and regress its distances to start and end.

    Args:
        num_classes (int): Classes K.
        in_channels (int): Channels of the features. In a localizer, the neck's or backbone's.
        num_levels (int, optional): Number of levels L. In a localizer, the backbone's.
            Defaults to None: as many as ``regression_ranges`` names.
        regression_ranges (Sequence[tuple[float, float]], optional): Per level, the distances (grid
            steps) that its points regress. Defaults to None: 0 to 4, 4 to 8, 8 to 16 and so on,
            the last level's open.
        feat_channels (int, optional): Channels of the towers. Defaults to ``in_channels``.
        num_layers (int): Layers of the towers. Defaults to 3.
        kernel_size (int): Kernel of the towers. Defaults to 3.
        assigner (dict): Built from TASK_UTILS. Defaults to centre sampling, radius 1.5.
        loss_cls (dict): Loss of each point and class. Defaults to the focal loss.
        loss_reg (dict): Loss of each positive pair. Defaults to the DIoU loss.
        reg_weight (float, optional): Weight of the regression loss; None balances it to the
            size of the classification loss. Defaults to 1.0.
        iou_power (float): Classification losses of positives are weighted by their IoU to this
            power. Defaults to 0: not weighted.
        detach_iou (bool): Whether no gradient flows through that weight; through the published
            code's it does. Defaults to True.
        iou_targets (bool): Whether the target of a positive is its IoU rather than 1, as in the
            paper of the varifocal loss. Defaults to False.
        balance_negatives (bool): Divide the losses of points without class by the number of
            those points, as TriDet, CLTDR (eq. 13) and LoGo (eq. 7) print it, instead of all losses
            by the positives', as TriDet's and CLTDR's code does. Negatives then weigh about a
            tenth. Defaults to False.
        label_smoothing (float): Share of the target spread over all classes and background.
            Defaults to 0.
        normalizer (dict): Arguments of :class:`EMANormalizer`. Defaults to none.
        prior_prob (float): Class probability to start training with. Defaults to 0.01.
        refinement (dict, optional): Moves decoded boundaries, in training by a loss of its own;
            see :class:`.FineBoundaries`. Defaults to None: they stay.
        quality (dict, optional): Judges the points' boundaries, and candidates are chosen and
            ranked by that as well; see :class:`.QualityBranch`. Defaults to None: by their class
            alone.
        test_cfg (dict): ``score_thr``, least score of a candidate (0.001); ``nms_pre``, most
            candidates of one level (2000); ``min_length``, least length in grid steps (0.05).
        init_cfg (dict, optional): See BaseModule.

    Raises:
        ValueError: On a number of levels or classes that cannot be.
    """

    #: A localizer asks for it: heads written for (B, C, T) alone do not have it.
    takes_rows = True

    #: Whether a point has boundaries for each class, or one pair for all of them.
    boundaries_per_class = True

    def __init__(self,
                 num_classes: int,
                 in_channels: int,
                 num_levels: Optional[int] = None,
                 regression_ranges: Optional[Sequence[tuple[float, float]]] = None,
                 feat_channels: Optional[int] = None,
                 num_layers: int = 3,
                 kernel_size: int = 3,
                 assigner: Optional[dict] = None,
                 loss_cls: Optional[dict] = None,
                 loss_reg: Optional[dict] = None,
                 reg_weight: Optional[float] = 1.0,
                 iou_power: float = 0.,
                 detach_iou: bool = True,
                 iou_targets: bool = False,
                 balance_negatives: bool = False,
                 label_smoothing: float = 0.,
                 normalizer: Optional[dict] = None,
                 prior_prob: float = 0.01,
                 refinement: Optional[dict] = None,
                 quality: Optional[dict] = None,
                 test_cfg: Optional[dict] = None,
                 init_cfg: Optional[dict] = None,
                 **unknown) -> None:
        refuse_unknown(self, unknown)
        super().__init__(init_cfg=init_cfg)
        name = type(self).__name__
        if num_classes < 1:
            raise ValueError(f'{name}: num_classes must be positive, got {num_classes}')
        unknown = set(test_cfg or {}) - set(TEST_CFG)
        if unknown:
            raise ValueError(f'{name}: test_cfg does not know {sorted(unknown)}, '
                             f'only {sorted(TEST_CFG)}')
        self.num_classes = num_classes
        self.in_channels = in_channels
        self.feat_channels = feat_channels or in_channels
        self.regression_ranges = checked_ranges(regression_ranges, num_levels, name)
        self.tower_cfg = dict(num_layers=num_layers, kernel_size=kernel_size)
        self.prior_prob = prior_prob
        self.assigner = TASK_UTILS.build(assigner or dict(type='CenterSamplingAssigner'))
        self.loss_cls = MODELS.build(loss_cls or dict(type='TALFocalLoss'))
        self.loss_reg = MODELS.build(loss_reg or dict(type='DIoU1DLoss'))
        self.reg_weight = reg_weight
        self.loss_options = LossOptions(
            iou_power=iou_power, detach_iou=detach_iou, iou_targets=iou_targets,
            balance_negatives=balance_negatives, label_smoothing=label_smoothing)
        self.normalizer = EMANormalizer(**(normalizer or {}))
        self.refinement = None if refinement is None else MODELS.build(
            with_shapes(refinement, 'refinement', in_channels=in_channels,
                        num_classes=num_classes, num_levels=self.num_levels))
        self.quality = None if quality is None else MODELS.build(
            with_shapes(quality, 'quality', in_channels=in_channels))
        self.test_cfg = {**TEST_CFG, **(test_cfg or {})}

    @property
    def num_levels(self) -> int:
        """int: Number of pyramid levels the head is made for."""
        return len(self.regression_ranges)

    # what a subclass brings

    @abstractmethod
    def forward_rows(self, table: PackedRows) -> HeadOutputs:
        """Predict at every point.

        Args:
            table (PackedRows): (R, C), all levels of all videos, zero in gaps.

        Returns:
            HeadOutputs: ``cls_logits`` and what :meth:`decode` reads.
        """

    @abstractmethod
    def decode(self, outs: HeadOutputs, pairs: Pairs) -> Tensor:
        """Distances of chosen (point, class) pairs to their start and end.

        Args:
            outs (HeadOutputs): What :meth:`forward_rows` returned.
            pairs (Pairs): N pairs.

        Returns:
            Tensor: (N, 2) float32, not negative, in strides of the point's level.
        """

    def reads(self, layout: Layout, rows: Tensor) -> dict[str, Tensor]:
        """Which rows of its readings :meth:`decode` looks at.

        Args:
            layout (Layout): Of the table.
            rows (Tensor): (N,) rows of the pairs.

        Returns:
            dict[str, Tensor]: By the reading's name, rows of any shape. One that is not named is
            looked at in the points' own rows.
        """
        return {}

    # interface

    def outputs_of(self, table: PackedRows) -> HeadOutputs:
        """What :meth:`forward_rows` predicts, and what the refinement does."""
        outs = self.forward_rows(table)
        if self.refinement is not None:
            outs.evidence = self.refinement(table)
        return outs

    def table_of(self, feats: Pyramid, masks: Optional[Sequence[Tensor]],
                 data_samples: Optional[list] = None) -> PackedRows:
        """All levels of a batch in one table, see :func:`.as_table`."""
        return as_table(self, feats, masks, self.num_levels, self.in_channels, data_samples)

    def forward(self, feats: Pyramid, masks: Optional[Sequence[Tensor]] = None) -> Outputs:
        """Predict at every point.

        Args:
            feats (list[PackedRows] | Sequence[Tensor]): Per level a table, or (B, C, T_l); finest
                first.
            masks (Sequence[Tensor], optional): Per level (B, T_l) bool. Defaults to None: feats
                are tables.

        Returns:
            HeadOutputs | dict[str, list[Tensor]]: Of tensors lists over levels: ``cls_logits``
            (B, K, T_l), ``masks`` and what the head regresses.
        """
        outs = self.outputs_of(self.table_of(feats, masks))
        return outs if masks is None else outs.per_level([x.shape[-1] for x in feats])

    @torch.no_grad()
    def predict(self, feats: Pyramid, masks: Optional[Sequence[Tensor]],
                data_samples: list) -> list[InstanceData]:
        """Candidates of a batch, before any suppression.

        Args:
            feats (list[PackedRows] | Sequence[Tensor]): See :meth:`forward`.
            masks (Sequence[Tensor], optional): See :meth:`forward`.
            data_samples (list): B data samples.

        Returns:
            list[InstanceData]: Per video ``segments`` (M, 2) in grid steps, neither clipped nor
            suppressed, ``scores`` (M,) and ``labels`` (M,).
        """
        table = self.table_of(feats, masks, data_samples)
        outs = self.outputs_of(table)
        score, pairs = top_pairs(self.scores(table, outs), outs.layout,
                                 self.test_cfg['nms_pre'], self.test_cfg['score_thr'])
        return candidates_of(score, pairs, self.segments(outs, pairs), outs.layout,
                             self.test_cfg['min_length'], len(data_samples))

    def scores(self, table: PackedRows, outs: HeadOutputs) -> Tensor:
        """Scores of every point and class, by which candidates are chosen and ranked.

        Args:
            table (PackedRows): (R, C), all levels of all videos.
            outs (HeadOutputs): What :meth:`forward_rows` made of it.

        Returns:
            Tensor: (R, K) float32; without meaning in gaps.
        """
        scores = outs.cls_logits.float().sigmoid()
        if self.quality is None:
            return scores
        rows = outs.layout.valid_rows  # (V,)
        scores = scores.index_select(0, rows)
        # where classes have boundaries of their own, those of the point's best class are judged
        segments = self.segments(outs, Pairs(rows, scores.argmax(1)))
        points = pyramid_points(outs.layout, self.regression_ranges)
        logits = self.quality(table, points, rows, segments)
        return outs.layout.place(self.quality.fuse(scores, logits), rows)

    def segments(self, outs: HeadOutputs, pairs: Pairs) -> Tensor:
        """Segments of chosen pairs, refined where the head has a refinement.

        Args:
            outs (HeadOutputs): What :meth:`forward_rows` returned.
            pairs (Pairs): N pairs.

        Returns:
            Tensor: (N, 2) in grid steps.
        """
        points = pyramid_points(outs.layout, self.regression_ranges)
        distance = self.decode(outs, pairs) * points.stride[pairs.row, None]  # (N, 2), grid steps
        if self.refinement is not None:
            distance = self.refinement.move(outs.evidence, outs.layout, pairs, distance)
        time = points.time[pairs.row]
        return torch.stack([time - distance[:, 0], time + distance[:, 1]], dim=1)

    def all_points(self, feats: Pyramid) -> tuple[Tensor, Tensor]:
        """What every point predicts, of which :meth:`predict` takes the best.

        Args:
            feats (list[PackedRows]): See :meth:`forward`.

        Returns:
            tuple[Tensor, Tensor]: Of P points, the valid rows in order: scores (P, K), and segments
            (P, K, 2) in grid steps, or (P, 1, 2) where classes share their boundaries.
        """
        table = self.table_of(feats, None)
        outs = self.outputs_of(table)
        rows = outs.layout.valid_rows  # (P,)
        per_class = self.boundaries_per_class or (
            self.refinement is not None and self.refinement.per_class)
        classes = self.num_classes if per_class else 1
        pairs = Pairs(rows[:, None].repeat(1, classes).flatten(),
                      torch.arange(classes, device=rows.device).repeat(rows.shape[0]))
        segments = self.segments(outs, pairs)
        return self.scores(table, outs)[rows], segments.view(-1, classes, 2)
