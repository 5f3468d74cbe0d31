"""PointTraining: how a head of points learns: its points' targets, and every loss of a step.

The one step (:meth:`PointTraining.loss`): the head predicts, points are assigned to actions,
towers run where the assignment reads them, and three kinds of losses follow: of classes and
distances, of the boundary refinement, and of the quality branch. The sums themselves are in
``point_loss.py``. Naming as in ``point_head.py``.
"""
from abc import ABCMeta
from collections.abc import Sequence
from typing import Optional

import torch
from mmengine.model import BaseModule
from torch import Tensor

from ...structures import Layout, PackedRows
from ..parts import Pyramid
from ..task_modules import PointTargets, gather_actions, pyramid_points
from .outputs import HeadOutputs
from .point_loss import point_losses


class PointTraining(BaseModule, metaclass=ABCMeta):
    """The training half of :class:`.PointHead`, which brings all that is read here."""

    def loss(self, feats: Pyramid, masks: Optional[Sequence[Tensor]],
             data_samples: list) -> dict[str, Tensor]:
        """Losses of a batch.

        Args:
            feats (list[PackedRows] | Sequence[Tensor]): See :meth:`.PointHead.forward`.
            masks (Sequence[Tensor], optional): See :meth:`.PointHead.forward`.
            data_samples (list): B data samples with ``gt_instances``.

        Returns:
            dict[str, Tensor]: ``loss_cls`` and ``loss_reg``, ``loss_refinement`` and
            ``loss_quality`` of a head that has these parts, scalars, and ``num_pos``.
        """
        table = self.table_of(feats, masks, data_samples)
        outs = self.outputs_of(table)
        return self.losses(table, outs, self.get_targets(outs, data_samples))

    def get_targets(self, outs: HeadOutputs, data_samples: list) -> PointTargets:
        """Assign the points of a batch to its actions, and run the towers where they are read.

        Args:
            outs (HeadOutputs): What :meth:`.PointHead.forward_rows` returned; assigners of the OTA
                kind look at the predictions, of all rows.
            data_samples (list): B data samples with ``gt_instances``.

        Returns:
            PointTargets: The targets.

        Raises:
            ValueError: If a label is no class of this head; names the video.
        """
        layout = outs.layout
        points = pyramid_points(layout, self.regression_ranges)
        actions = gather_actions(data_samples, self.num_classes, points.time.device)
        if self.assigner.needs_predictions:
            outs.compute_all()  # here, where gradients are recorded
            assigned = self.assigner.assign(points, actions, outs.cls_logits,
                                            lambda pairs: self.decode(outs, pairs))
        else:
            assigned = self.assigner.assign(points, actions)
        targets = PointTargets(points, assigned.pairs, assigned.distance, None)
        rows = assigned.pairs.row
        if self.quality is not None:
            targets.actions = actions
            targets.others = self.quality.others(outs.cls_logits, layout, rows)
        self.focus(outs, rows)
        targets.num_points = targets.first_of_row.sum()
        return targets

    def focus(self, outs: HeadOutputs, rows: Tensor) -> None:
        """Run the networks of a head where its boundaries at rows (N,) are read."""
        outs.focus({**dict.fromkeys(outs.readings, rows), **self.reads(outs.layout, rows)})

    def losses(self, table: PackedRows, outs: HeadOutputs, targets: PointTargets,
               point_weights: Optional[Tensor] = None) -> dict:
        """Losses of the predictions, see :meth:`loss_by_targets`, and of the parts beside them."""
        losses = self.loss_by_targets(outs, targets, point_weights)
        if self.refinement is not None:
            stride = targets.points.stride[targets.pairs.row, None]
            with torch.no_grad():
                distance = self.decode(outs, targets.pairs) * stride
            of_pairs = self.refinement.loss(outs.evidence, outs.layout, targets.pairs, distance,
                                            targets.distance * stride)
            losses['loss_refinement'] = of_pairs.sum() / self.normalizer.share
        return {**losses, **self.quality_loss(table, outs, targets)}

    def quality_loss(self, table: PackedRows, outs: HeadOutputs,
                     targets: PointTargets) -> dict[str, Tensor]:
        """What the quality branch loses.

        Args:
            table (PackedRows): (R, C), all levels of all videos.
            outs (HeadOutputs): What :meth:`.PointHead.forward_rows` made of it.
            targets (PointTargets): What :meth:`get_targets` returned.

        Returns:
            dict[str, Tensor]: ``loss_quality``, a scalar; empty without a branch.
        """
        if self.quality is None:
            return {}
        with torch.no_grad():  # of the other points nothing but their segments is asked
            elsewhere = outs.elsewhere()
            self.focus(elsewhere, targets.others.row)
            segments = torch.cat([self.segments(outs, targets.pairs),
                                  self.segments(elsewhere, targets.others)])
        return dict(loss_quality=self.quality.loss(
            table, targets.points, torch.cat([targets.pairs.row, targets.others.row]), segments,
            targets.actions))

    def loss_by_targets(self, outs: HeadOutputs, targets: PointTargets,
                        point_weights: Optional[Tensor] = None) -> dict:
        """Losses of predictions towards their targets.

        Args:
            outs (HeadOutputs): What :meth:`.PointHead.forward_rows` returned.
            targets (PointTargets): What :meth:`get_targets` returned.
            point_weights (Tensor, optional): (R, 2) weights of the points in classification, for
                the losses of all classes, and in regression (action sensitivity).
                Defaults to None.

        Returns:
            dict: See :meth:`loss`.
        """
        loss_cls, loss_reg = self.losses_of(
            outs.layout, outs.cls_logits, self.decode(outs, targets.pairs), targets,
            self.normalizer(targets.num_points), point_weights)
        return dict(loss_cls=loss_cls, loss_reg=self.weigh_reg(loss_cls, loss_reg),
                    num_pos=targets.num_points.float())

    def losses_of(self, layout: Layout, logits: Tensor, distances: Tensor, targets: PointTargets,
                  normalizer: Tensor, point_weights: Optional[Tensor] = None
                  ) -> tuple[Tensor, Tensor]:
        """Both losses of one set of predictions, see :func:`.point_losses`."""
        return point_losses(self.loss_cls, self.loss_reg, self.loss_options, logits, distances,
                            targets, layout, normalizer, self.boundaries_per_class,
                            point_weights)

    def weigh_reg(self, loss_cls: Tensor, loss_reg: Tensor) -> Tensor:
        """Apply ``reg_weight`` to a regression loss."""
        if self.reg_weight is None:
            return loss_reg * (loss_cls / loss_reg.clamp(min=0.01)).detach()
        return loss_reg * self.reg_weight

