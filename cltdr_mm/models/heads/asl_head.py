"""Action sensitivity learning around any point head (ASL, Shao et al., ICCV 2023)."""
from collections.abc import Sequence
from typing import Optional

import torch
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from mmengine.structures import InstanceData
from torch import Tensor

from ...structures import Layout, PackedRows
from ..losses import distance_iou
from ..parts import Pyramid, refuse_unknown, with_shapes
from ..task_modules import PointTargets, mean_over_ranks
from .asl_sensitivity import ClassSensitivity, InstanceSensitivity, relative_position
from .asl_zones import action_zones, zone_features
from .outputs import HeadOutputs, Outputs, Reading


@MODELS.register_module()
class ASLHead(BaseModule):
    """Weighs a point head's positives by their sensitivity and contrasts their features.

    The class-level and the instance-level evaluator give each positive (point, class) pair
    ``h = p * 1[class] + q``, once for classification and once for localization. A point's h
    multiplies its classification losses of all classes, and its regression losses; background
    keeps weight 1. q learns by a squared error towards the predicted score of the pair's class
    and the IoU of its predicted segment. The contrastive loss compares, for every action, mean
    features where classification is most sensitive, at both boundaries, and just outside. Only
    training changes; inference is that of the wrapped head.

    With both levels off, h is 1. With all three parts off, the losses are the wrapped head's.

    Left open by the paper and decided here: a point of several classes has the mean of their p; q
    weighs the losses without gradient, so that it learns from its own targets alone, while its
    features do learn from it; its error is averaged over the positive pairs; p learns as
    :class:`ClassSensitivity` says; without the class level, classification is most sensitive at
    the centre; boundary zones lie inside the action; features are compared on the finest level,
    in the whole batch of a rank, as they are (no projection); background and very short zones
    are settled in :func:`zone_features`.

    Args:
        head (dict): Config of the point head to wrap.
        in_channels (int, optional): See :class:`PointHead`; handed on. Defaults to None.
        num_levels (int, optional): See :class:`PointHead`; handed on. Defaults to None.
        class_level (str, optional): ``'learned'`` or ``'fixed'`` Gaussians; None leaves the class
            level out. Defaults to 'learned'.
        instance_level (bool): Whether there is the instance level. Defaults to True.
        delta (float): Width of the contrasted zones in action lengths. Defaults to 0.2.
        contrast_weight (float): Weight of the contrastive loss; 0 turns it off. Defaults to 0.3.
        loss_contrast (dict, optional): Defaults to InfoNCE at temperature 0.07.
        sensitivity_weight (float): Weight of q's squared error. Defaults to 1.0.
        init_cfg (dict, optional): See BaseModule.

    Raises:
        ValueError: If ``class_level`` is another word, ``delta`` does not lie in (0, 0.5], or a
            weight is negative.
    """

    def __init__(self,
                 head: dict,
                 in_channels: Optional[int] = None,
                 num_levels: Optional[int] = None,
                 class_level: Optional[str] = 'learned',
                 instance_level: bool = True,
                 delta: float = 0.2,
                 contrast_weight: float = 0.3,
                 loss_contrast: Optional[dict] = None,
                 sensitivity_weight: float = 1.0,
                 init_cfg: Optional[dict] = None,
                 **unknown) -> None:
        refuse_unknown(self, unknown)
        super().__init__(init_cfg=init_cfg)
        if class_level not in ('learned', 'fixed', None):
            raise ValueError("ASLHead: class_level must be 'learned', 'fixed' or None, "
                             f'got {class_level!r}')
        if not 0 < delta <= 0.5:
            raise ValueError(f'ASLHead: delta must lie in (0, 0.5], got {delta}')
        for name, value in (('contrast_weight', contrast_weight),
                            ('sensitivity_weight', sensitivity_weight)):
            if not 0 <= value < float('inf'):
                raise ValueError(f'ASLHead: {name} must be 0 or more, got {value}')
        self.head = MODELS.build(
            with_shapes(head, 'head', in_channels=in_channels, num_levels=num_levels))
        self.class_sensitivity = self.instance_sensitivity = None
        if class_level is not None:
            self.class_sensitivity = ClassSensitivity(
                self.head.num_classes, learned=class_level == 'learned')
        if instance_level:
            self.instance_sensitivity = InstanceSensitivity(self.head.in_channels)
        self.delta = delta
        self.contrast_weight = contrast_weight
        self.loss_contrast = MODELS.build(loss_contrast or dict(type='InfoNCELoss'))
        self.sensitivity_weight = sensitivity_weight

    #: See :class:`PointHead`.
    takes_rows = True

    @property
    def num_levels(self) -> int:
        """int: Number of pyramid levels the wrapped head is made for."""
        return self.head.num_levels

    @property
    def num_classes(self) -> int:
        """int: Classes of the wrapped head."""
        return self.head.num_classes

    def forward(self, feats: Pyramid, masks: Optional[Sequence[Tensor]] = None) -> Outputs:
        """Predict at every point; see :meth:`PointHead.forward`."""
        return self.head(feats, masks)

    def predict(self, feats: Pyramid, masks: Optional[Sequence[Tensor]],
                data_samples: list) -> list[InstanceData]:
        """Candidates of a batch; see :meth:`PointHead.predict`."""
        return self.head.predict(feats, masks, data_samples)

    def all_points(self, feats: Pyramid) -> tuple[Tensor, Tensor]:
        """What every point predicts; see :meth:`PointHead.all_points`."""
        return self.head.all_points(feats)

    @property
    def test_cfg(self) -> dict:
        """dict: Thresholds of prediction of the wrapped head."""
        return self.head.test_cfg

    def loss(self, feats: Pyramid, masks: Optional[Sequence[Tensor]],
             data_samples: list) -> dict[str, Tensor]:
        """Losses of a batch.

        Args:
            feats (list[PackedRows] | Sequence[Tensor]): See :meth:`PointHead.forward`.
            masks (Sequence[Tensor], optional): See :meth:`PointHead.forward`.
            data_samples (list): B data samples with ``gt_instances``.

        Returns:
            dict[str, Tensor]: What the wrapped head gives, plus ``loss_sensitivity`` and
            ``loss_contrast`` of the parts that are on; scalars.
        """
        table = self.head.table_of(feats, masks, data_samples)
        outs = self.head.outputs_of(table)
        layout = outs.layout
        if self.instance_sensitivity is not None:
            outs.readings['sensitivity'] = Reading(
                self.instance_sensitivity, layout.zero_padding(table.rows), layout)
        targets = self.head.get_targets(outs, data_samples)
        row, label = targets.pairs
        of_pairs = []  # weights (N, 2) in classification and localization
        if self.class_sensitivity is not None:
            of_pairs.append(self.class_sensitivity(relative_position(targets.distance), label))
        if self.instance_sensitivity is not None:
            q = outs.at('sensitivity', row).float().sigmoid()  # (N, 2)
            of_pairs.append(q.detach())
        weights = _of_points(sum(of_pairs), row, layout.num_rows) if of_pairs else None
        losses = self.head.losses(table, outs, targets, weights)

        # after the losses: what runs first without gradient would have none in them
        if self.instance_sensitivity is not None:
            error = (q - self.quality(outs, targets)).square().sum()
            count = mean_over_ranks(error.new_tensor(float(len(q)))).clamp(min=1)
            losses['loss_sensitivity'] = self.sensitivity_weight * error / count
        if self.contrast_weight:
            losses['loss_contrast'] = self.contrast_weight * self.contrast(table, data_samples)
        return losses

    @torch.no_grad()
    def quality(self, outs: HeadOutputs, targets: PointTargets) -> Tensor:
        """Targets of the instance-level evaluator.

        Args:
            outs (HeadOutputs): What the wrapped head predicted.
            targets (PointTargets): The positive pairs.

        Returns:
            Tensor: (N, 2) in [0, 1], score of the pair's class and IoU of its segment.
        """
        row, label = targets.pairs
        score = outs.cls_logits[row, label].float().sigmoid()
        iou = distance_iou(self.head.decode(outs, targets.pairs), targets.distance)
        return torch.stack([score, iou], dim=1)

    def contrast(self, table: PackedRows, data_samples: list) -> Tensor:
        """Contrastive loss of the actions of a batch.

        Args:
            table (PackedRows): (R, C), all levels; the finest is compared.
            data_samples (list): B data samples with ``gt_instances``.

        Returns:
            Tensor: A scalar; 0 if there is no action.
        """
        layout, x = table.layout, table.rows
        vectors, labels, background = [], [], []
        with torch.autocast(x.device.type, enabled=False):
            for feats, sample in zip(_finest(x, layout), data_samples):
                segments = sample.gt_instances.segments.to(x.device, torch.float32)
                label = sample.gt_instances.labels.to(x.device)
                if len(label) == 0:
                    continue
                zones = action_zones(segments, self.most_sensitive(label), self.delta)
                f_cls, f_loc, f_bg = zone_features(feats, segments, zones)
                vectors += [f_cls, f_loc]
                labels += [label, label]
                background.append(f_bg)
        if not labels:
            return x.float().sum() * 0
        return self.loss_contrast(torch.cat(vectors), torch.cat(labels), torch.cat(background))

    def most_sensitive(self, label: Tensor) -> Tensor:
        """Where in actions of classes ``label`` (G,) classification is most sensitive, (G,)."""
        if self.class_sensitivity is None:
            return torch.zeros(len(label), device=label.device)
        return self.class_sensitivity.most_sensitive(label)


def _of_points(of_pairs: Tensor, row: Tensor, size: int) -> Tensor:
    """Weights (size, 2) of points: the mean over the pairs (N, 2) of a row; 1 without any."""
    total = of_pairs.new_zeros(size, 2).index_add(0, row, of_pairs)
    count = of_pairs.new_zeros(size, 1).index_add(0, row, torch.ones_like(of_pairs[:, :1]))
    return torch.where(count > 0, total / count.clamp(min=1), 1.)


def _finest(x: Tensor, layout: Layout) -> list[Tensor]:
    """The valid rows (T_i, C) of every video on the finest level."""
    return [x[first:first + length] for first, length, level
            in zip(layout.first, layout.lengths, layout.levels) if level == 0]
