"""How losses of points become two numbers: weighed, summed and divided alike in every point head.

Functions of tensors, called by ``point_training.py``; the losses of single points and pairs are in
``models/losses``.
"""
from dataclasses import dataclass
from typing import Optional

import torch
from torch import Tensor, nn

from ...structures import Layout
from ..losses import distance_iou
from ..task_modules import PointTargets, mean_over_ranks


@dataclass(frozen=True)
class LossOptions:
    """Options of the losses of a head, as :class:`.PointHead` explains them."""

    iou_power: float = 0.
    detach_iou: bool = True
    iou_targets: bool = False
    balance_negatives: bool = False
    label_smoothing: float = 0.


def point_losses(loss_cls: nn.Module,
                 loss_reg: nn.Module,
                 options: LossOptions,
                 logits: Tensor,
                 distances: Tensor,
                 targets: PointTargets,
                 layout: Layout,
                 normalizer: Tensor,
                 per_class: bool = True,
                 point_weights: Optional[Tensor] = None) -> tuple[Tensor, Tensor]:
    """Classification and regression loss of one set of predictions.

    Args:
        loss_cls (nn.Module): Gives a loss for each point and class.
        loss_reg (nn.Module): Gives a loss for each positive pair.
        options (LossOptions): Their weights and targets.
        logits (Tensor): (R, K).
        distances (Tensor): (N, 2) decoded distances of the positive pairs, in strides.
        targets (PointTargets): Their targets.
        layout (Layout): Of the R rows.
        normalizer (Tensor): The (running) number of positives, a scalar.
        per_class (bool): Whether a point regresses once for each of its classes.
            Defaults to True.
        point_weights (Tensor, optional): (R, 2) weights of the points in classification, for the
            losses of all classes, and in regression (action sensitivity). Defaults to None.

    Returns:
        tuple[Tensor, Tensor]: Two scalars.
    """
    row, label = targets.pairs
    num_classes = logits.shape[1]
    iou = distance_iou(distances, targets.distance)  # (N,)
    target = torch.zeros(logits.shape, dtype=torch.float32, device=logits.device)
    target[row, label] = iou.detach() if options.iou_targets else 1.
    positives = torch.zeros_like(target, dtype=torch.bool)
    positives[row, label] = True
    if options.label_smoothing:
        smooth = options.label_smoothing
        target = target * (1 - smooth) + smooth / (num_classes + 1)

    weight = torch.ones_like(iou)
    if options.iou_power:
        # a weight that learns would learn to be small: only the published code lets it
        factor = iou.detach() if options.detach_iou else iou
        # the power's slope at 0 is infinite, and 0 times that is no number
        weight = torch.where(factor > 0, factor.clamp(min=1e-12)**options.iou_power, 0.)
    of_pairs = loss_reg(distances, targets.distance)  # (N,)
    if point_weights is not None:
        of_pairs = of_pairs * point_weights[row, 1]
    if not per_class:
        of_pairs = of_pairs * targets.first_of_row  # a point of two classes regresses once

    weights = torch.ones_like(target).index_put((row, label), weight.to(target))
    rows = layout.valid_rows
    losses = loss_cls(*(x.index_select(0, rows) for x in (logits, target, positives)))  # (V, K)
    of_points = (losses * weights.index_select(0, rows)).sum(1)  # (V,)
    if point_weights is not None:
        of_points = of_points * point_weights[:, 0].index_select(0, rows)
    if not options.balance_negatives:
        return of_points.sum() / normalizer, of_pairs.sum() / normalizer
    has_class = positives.any(1).index_select(0, rows)
    num_negatives = mean_over_ranks((~has_class).sum().float()).clamp(min=1)
    of_negatives = of_points.masked_fill(has_class, 0).sum()
    of_positives = of_points.masked_fill(~has_class, 0).sum()
    return of_positives / normalizer + of_negatives / num_negatives, of_pairs.sum() / normalizer
