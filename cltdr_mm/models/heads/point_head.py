"""What every point head does alike: targets, losses, candidates. Predictions are its children's.

Naming: B videos, T_l steps of level l, P points of all levels, K classes, N chosen (point, class)
pairs. Distances are in strides of the point's level, segments in grid steps of the input.
"""
from abc import ABCMeta, abstractmethod
from collections.abc import Sequence
from typing import Optional

import torch
from mmaction.registry import MODELS, TASK_UTILS
from mmengine.model import BaseModule
from mmengine.structures import InstanceData
from torch import Tensor

from ..losses import distance_iou
from ..task_modules import (
    EMANormalizer,
    PointTargets,
    PyramidPoints,
    mean_over_ranks,
    pyramid_points,
    top_pairs,
)

Feats = Sequence[Tensor]
Outputs = dict[str, list[Tensor]]


class PointHead(BaseModule, metaclass=ABCMeta):
    """Base of heads that classify every point and regress its distances to start and end.

    Args:
        num_classes (int): Classes K.
        in_channels (int): Channels of the features.
        regression_ranges (Sequence[Tuple[float, float]]): Per level, the distances (grid steps)
            that its points regress.
        feat_channels (int, optional): Channels of the towers. Defaults to ``in_channels``.
        num_layers (int): Layers of the towers. Defaults to 3.
        kernel_size (int): Kernel of the towers. Defaults to 3.
        variant (str): 'paper', or 'release' to compute what the published implementation does:
            its towers let the padding's activations leak into valid steps. Defaults to 'paper'.
        assigner (dict): Built from TASK_UTILS. Defaults to centre sampling, radius 1.5.
        loss_cls (dict): Terms of classification. Defaults to the focal loss.
        loss_reg (dict): Terms of regression. Defaults to the DIoU loss.
        reg_weight (float, optional): Weight of the regression loss; None balances it to the
            size of the classification loss. Defaults to 1.0.
        iou_power (float): Classification terms of positives are weighted by their IoU to this
            power. Defaults to 0: not weighted.
        iou_targets (bool): Whether positives aim at their IoU rather than at 1, as the
            varifocal loss has it. Defaults to False.
        balance_negatives (bool): Divide the terms of points without class by the number of
            those points (CLTDR eq. 13, LoGo eq. 7) instead of all terms by the positives'.
            Defaults to False.
        label_smoothing (float): Share of the target spread over all classes and background.
            Defaults to 0.
        normalizer (dict): Arguments of :class:`EMANormalizer`. Defaults to none.
        prior_prob (float): Class probability to start training with. Defaults to 0.01.
        test_cfg (dict): ``score_thr``, least score of a candidate (0.001); ``nms_pre``, most
            candidates of one level (2000); ``min_length``, least length in grid steps (0.05).
        init_cfg (dict, optional): See BaseModule.

    Raises:
        ValueError: On a number of levels, classes or a variant that cannot be.
    """

    #: Whether a point has boundaries for each class, or one pair for all of them.
    boundaries_per_class = True

    def __init__(self,
                 num_classes: int,
                 in_channels: int,
                 regression_ranges: Sequence[tuple[float, float]],
                 feat_channels: Optional[int] = None,
                 num_layers: int = 3,
                 kernel_size: int = 3,
                 variant: str = 'paper',
                 assigner: Optional[dict] = None,
                 loss_cls: Optional[dict] = None,
                 loss_reg: Optional[dict] = None,
                 reg_weight: Optional[float] = 1.0,
                 iou_power: float = 0.,
                 iou_targets: bool = False,
                 balance_negatives: bool = False,
                 label_smoothing: float = 0.,
                 normalizer: Optional[dict] = None,
                 prior_prob: float = 0.01,
                 test_cfg: Optional[dict] = None,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg=init_cfg)
        name = type(self).__name__
        if variant not in ('paper', 'release'):
            raise ValueError(f"{name}: variant must be 'paper' or 'release', got {variant!r}")
        if num_classes < 1:
            raise ValueError(f'{name}: num_classes must be positive, got {num_classes}')
        for index, bounds in enumerate(regression_ranges):
            if len(bounds) != 2 or not 0 <= bounds[0] < bounds[1]:
                raise ValueError(f'{name}: regression_ranges[{index}] must be (low, high) with '
                                 f'0 <= low < high, got {bounds}')
        known = dict(score_thr=0.001, nms_pre=2000, min_length=0.05)
        unknown = set(test_cfg or {}) - set(known)
        if unknown:
            raise ValueError(f'{name}: test_cfg does not know {sorted(unknown)}, '
                             f'only {sorted(known)}')
        self.num_classes = num_classes
        self.in_channels = in_channels
        self.feat_channels = feat_channels or in_channels
        self.regression_ranges = [tuple(bounds) for bounds in regression_ranges]
        self.release = variant == 'release'
        self.tower_cfg = dict(num_layers=num_layers, kernel_size=kernel_size,
                              unmasked_activations=self.release)
        self.prior_prob = prior_prob
        self.assigner = TASK_UTILS.build(assigner or dict(type='CenterSamplingAssigner'))
        self.loss_cls = MODELS.build(loss_cls or dict(type='TALFocalLoss'))
        self.loss_reg = MODELS.build(loss_reg or dict(type='DIoU1DLoss'))
        self.reg_weight = reg_weight
        self.iou_power = iou_power
        self.iou_targets = iou_targets
        self.balance_negatives = balance_negatives
        self.label_smoothing = label_smoothing
        self.normalizer = EMANormalizer(**(normalizer or {}))
        self.test_cfg = {**known, **(test_cfg or {})}

    @property
    def num_levels(self) -> int:
        """int: Number of pyramid levels the head is made for."""
        return len(self.regression_ranges)

    @abstractmethod
    def forward(self, feats: Feats, masks: Feats) -> Outputs:
        """Predict at every point.

        Args:
            feats (Sequence[Tensor]): Per level (B, C, T_l), finest first.
            masks (Sequence[Tensor]): Per level (B, T_l) bool.

        Returns:
            Dict[str, List[Tensor]]: ``cls_logits``, per level (B, K, T_l), whose sigmoid is the
            score; ``masks``; and what :meth:`decode` needs.
        """

    @abstractmethod
    def decode(self, outs: Outputs, points: PyramidPoints, batch: Tensor, point: Tensor,
               label: Tensor) -> Tensor:
        """Distances of chosen (point, class) pairs to their start and end.

        Args:
            outs (Dict[str, List[Tensor]]): What :meth:`forward` returned.
            points (PyramidPoints): The P points.
            batch (Tensor): (N,) int64.
            point (Tensor): (N,) int64.
            label (Tensor): (N,) int64.

        Returns:
            Tensor: (N, 2) float32, not negative, in strides of the point's level.
        """

    def check_levels(self, feats: Feats) -> None:
        """Raise ValueError unless there is one feature map for each regression range."""
        if len(feats) != self.num_levels:
            raise ValueError(f'{type(self).__name__}: {len(feats)} feature levels came in, but '
                             f'regression_ranges names {self.num_levels}')

    def points(self, masks: Feats) -> PyramidPoints:
        """The points of a pyramid with these masks."""
        return pyramid_points([m.shape[1] for m in masks], self.regression_ranges,
                              masks[0].device)

    # training

    def loss(self, feats: Feats, masks: Feats, data_samples: list) -> dict[str, Tensor]:
        """Losses of a batch.

        Args:
            feats (Sequence[Tensor]): Per level (B, C, T_l), finest first.
            masks (Sequence[Tensor]): Per level (B, T_l) bool.
            data_samples (list): B data samples with ``gt_instances``.

        Returns:
            Dict[str, Tensor]: ``loss_cls`` and ``loss_reg``, scalars, and ``num_pos``.
        """
        outs = self.forward(feats, masks)
        return self.loss_by_targets(outs, self.get_targets(outs, data_samples))

    @torch.no_grad()
    def get_targets(self, outs: Outputs, data_samples: list) -> PointTargets:
        """Assign the points of a batch to its actions.

        Args:
            outs (Dict[str, List[Tensor]]): What :meth:`forward` returned; assigners of the
                OTA kind look at the predictions.
            data_samples (list): B data samples with ``gt_instances``.

        Returns:
            PointTargets: The targets.

        Raises:
            ValueError: If a label is no class of this head; names the video.
        """
        masks = outs['masks']
        points = self.points(masks)
        valid = torch.cat(list(masks), dim=1)
        parts = []
        for index, sample in enumerate(data_samples):
            segments = sample.gt_instances.segments.to(points.time)
            labels = sample.gt_instances.labels.to(valid.device)
            if labels.numel() and not 0 <= int(labels.min()) <= int(labels.max()) < \
                    self.num_classes:
                raise ValueError(
                    f'{type(self).__name__}: video {sample.metainfo.get("video_name", index)} has '
                    f'labels {sorted(set(labels.tolist()))}, but num_classes is '
                    f'{self.num_classes}')
            extra = ()
            if self.assigner.needs_predictions:
                extra = (self.predictions_at(outs, points, index, labels), )
            found = self.assigner.assign(points, segments, labels, *extra)
            keep = valid[index, found.point]
            parts.append([torch.full_like(found.point, index)[keep], found.point[keep],
                          found.label[keep], found.distance[keep], found.gt[keep]])
        batch, point, label, distance, gt = (torch.cat(x) for x in zip(*parts))
        num_points = (batch * len(points) + point).unique().numel()
        return PointTargets(points, valid, batch, point, label, distance, gt,
                            torch.tensor(num_points, device=valid.device))

    def predictions_at(self, outs: Outputs, points: PyramidPoints, index: int,
                       labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What assigners of the OTA kind compare with the actions of one video.

        Args:
            outs (Dict[str, List[Tensor]]): What :meth:`forward` returned.
            points (PyramidPoints): The P points.
            index (int): The video.
            labels (Tensor): (G,) int64, classes of its actions.

        Returns:
            Tuple[Tensor, Tensor, Tensor]: Logits (P, K), distances (P, G, 2) in strides, decoded
            for the class of each action, and validity (P,).
        """
        logits = torch.cat([x[index] for x in outs['cls_logits']], dim=1).T.float()
        size = len(points), len(labels)
        point = torch.arange(size[0], device=labels.device)[:, None].expand(size).flatten()
        label = labels.expand(size).flatten()
        distances = self.decode(outs, points, torch.full_like(point, index), point, label)
        valid = torch.cat([m[index] for m in outs['masks']])
        return logits, distances.unflatten(0, size), valid

    def loss_by_targets(self, outs: Outputs, targets: PointTargets,
                        pair_weights: Optional[tuple[Tensor, Tensor]] = None) -> dict:
        """Losses of predictions towards their targets.

        Args:
            outs (Dict[str, List[Tensor]]): What :meth:`forward` returned.
            targets (PointTargets): What :meth:`get_targets` returned.
            pair_weights (Tuple[Tensor, Tensor], optional): (N,) weights of the positives in
                classification and regression (action sensitivity). Defaults to None.

        Returns:
            dict: See :meth:`loss`.
        """
        distances = self.decode(outs, targets.points, targets.batch, targets.point,
                                targets.label)
        loss_cls, loss_reg = self.reduce_terms(self.loss_cls, outs['cls_logits'], distances,
                                               targets, pair_weights)
        return dict(loss_cls=loss_cls, loss_reg=self.weigh_reg(loss_cls, loss_reg),
                    num_pos=targets.num_points.float())

    def weigh_reg(self, loss_cls: Tensor, loss_reg: Tensor) -> Tensor:
        """Apply ``reg_weight`` to a regression loss."""
        if self.reg_weight is None:
            return loss_reg * (loss_cls / loss_reg.clamp(min=0.01)).detach()
        return loss_reg * self.reg_weight

    def reduce_terms(self, loss_cls, cls_logits: list[Tensor], distances: Tensor,
                     targets: PointTargets,
                     pair_weights: Optional[tuple[Tensor, Tensor]] = None,
                     iou_power: Optional[float] = None) -> tuple[Tensor, Tensor]:
        """Sum the terms of one set of predictions and divide by the (running) positives.

        Args:
            loss_cls (nn.Module): Terms of classification.
            cls_logits (List[Tensor]): Per level (B, K, T_l).
            distances (Tensor): (N, 2) decoded distances of the positive pairs.
            targets (PointTargets): Their targets.
            pair_weights (Tuple[Tensor, Tensor], optional): See :meth:`loss_by_targets`.
            iou_power (float, optional): Defaults to None: that of the head.

        Returns:
            Tuple[Tensor, Tensor]: Classification and regression loss, scalars.
        """
        normalizer = self.normalizer(targets.num_points)
        iou = distance_iou(distances, targets.distance)
        # only valid points, as rows: (V, K), video after video
        logits = torch.cat(list(cls_logits), dim=2).transpose(1, 2)[targets.valid]
        flat = targets.batch * targets.valid.shape[1] + targets.point
        row = (targets.valid.flatten().cumsum(0) - 1)[flat]
        aim = logits.new_zeros(logits.shape, dtype=torch.float32)
        aim[row, targets.label] = iou.detach() if self.iou_targets else 1.
        positives = torch.zeros_like(aim, dtype=torch.bool)
        positives[row, targets.label] = True
        if self.label_smoothing:
            aim = aim * (1 - self.label_smoothing) + self.label_smoothing / (self.num_classes + 1)
        # the published varifocal loss takes every smoothed target for a positive one
        terms = loss_cls(logits, aim, None if self.release else positives)

        weight = terms.new_ones(len(row))
        iou_power = self.iou_power if iou_power is None else iou_power
        if iou_power:
            # a weight that learns would learn to be small: only the published code lets it
            factor = iou if self.release else iou.detach()
            # the power's slope at 0 is infinite, and 0 times that is no number
            weight = torch.where(factor > 0, factor.clamp(min=1e-12)**iou_power, 0.)
        terms_reg = self.loss_reg(distances, targets.distance)
        if pair_weights is not None:
            weight = weight * pair_weights[0]
            terms_reg = terms_reg * pair_weights[1]
        if not self.boundaries_per_class:
            # a point of two classes regresses once; its pairs stand side by side
            terms_reg = terms_reg[row.diff(prepend=row.new_full((1, ), -1)) > 0]
        weights = torch.ones_like(terms).index_put((row, targets.label), weight)
        per_point = (terms * weights).sum(1)
        if self.balance_negatives:
            of_class = positives.any(1)
            num_neg = mean_over_ranks((~of_class).sum().float()).clamp(min=1)
            sum_cls = per_point[of_class].sum() / normalizer + \
                per_point[~of_class].sum() / num_neg
        else:
            sum_cls = per_point.sum() / normalizer
        return sum_cls, terms_reg.sum() / normalizer

    # inference

    @torch.no_grad()
    def predict(self, feats: Feats, masks: Feats, data_samples: list) -> list[InstanceData]:
        """Candidates of a batch, before any suppression.

        Args:
            feats (Sequence[Tensor]): Per level (B, C, T_l), finest first.
            masks (Sequence[Tensor]): Per level (B, T_l) bool.
            data_samples (list): B data samples.

        Returns:
            List[InstanceData]: Per video ``segments`` (M, 2) in grid steps, neither clipped nor
            suppressed, ``scores`` (M,) and ``labels`` (M,).
        """
        outs = self.forward(feats, masks)
        points = self.points(masks)
        score, point, label = top_pairs(  # (B, M)
            outs['cls_logits'], outs['masks'], self.test_cfg['nms_pre'])
        # said so that NaN stays, for the post-processor to name its video: dropped, a model that
        # diverged would find nothing and nobody would know why
        batch, column = (~(score <= self.test_cfg['score_thr'])).nonzero(as_tuple=True)
        score, point, label = (x[batch, column] for x in (score, point, label))

        distance = self.decode(outs, points, batch, point, label)
        distance = distance * points.stride[point, None]
        time = points.time[point]
        segments = torch.stack([time - distance[:, 0], time + distance[:, 1]], dim=1)
        too_short = segments[:, 1] - segments[:, 0] <= self.test_cfg['min_length']
        candidates = []
        for index in range(len(data_samples)):
            keep = ~too_short & (batch == index)
            candidates.append(InstanceData(segments=segments[keep], scores=score[keep],
                                           labels=label[keep]))
        return candidates
