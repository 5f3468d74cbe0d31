"""Action sensitivity learning around any point head (ASL, Shao et al., ICCV 2023)."""
from typing import Optional

import torch
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from mmengine.structures import InstanceData
from torch import Tensor

from ..losses import distance_iou
from ..task_modules import PointTargets, mean_over_ranks
from .asl_sensitivity import ClassSensitivity, InstanceSensitivity, relative_position
from .asl_zones import action_zones, zone_features
from .point_head import Feats, Outputs


@MODELS.register_module()
class ASLHead(BaseModule):
    """Weighs a point head's positives by their sensitivity and contrasts their features.

    The class-level and the instance-level evaluator give each positive (point, class) pair
    ``h = p * 1[class] + q`` for classification and for localization; h multiplies the pair's
    classification term and its regression term, background keeps weight 1. q learns by a squared
    error towards the predicted score of the pair's class and the IoU of its predicted segment.
    The contrastive loss compares, for every action, mean features where classification is most
    sensitive, at both boundaries, and just outside. Only training changes; inference is that of
    the wrapped head.

    Left open by the paper and decided here: q weighs the losses without gradient, so that it
    learns from its own targets alone, while its features do learn from it; its error is averaged
    over the positive pairs; p learns as :class:`ClassSensitivity` says; boundary zones lie
    inside the action; features are compared on the finest level, in the whole batch of a rank,
    as they are (no projection); background and very short zones are settled in
    :func:`zone_features`.

    Args:
        head (dict): Config of the point head to wrap.
        delta (float): Width of the contrasted zones in action lengths. Defaults to 0.2.
        contrast_weight (float): Weight of the contrastive loss; 0 turns it off. Defaults to 0.3.
        loss_contrast (dict, optional): Defaults to InfoNCE at temperature 0.07.
        sensitivity_weight (float): Weight of q's squared error. Defaults to 1.0.
        init_cfg (dict, optional): See BaseModule.

    Raises:
        ValueError: If ``delta`` does not lie in (0, 0.5].
    """

    def __init__(self,
                 head: dict,
                 delta: float = 0.2,
                 contrast_weight: float = 0.3,
                 loss_contrast: Optional[dict] = None,
                 sensitivity_weight: float = 1.0,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg=init_cfg)
        if not 0 < delta <= 0.5:
            raise ValueError(f'ASLHead: delta must lie in (0, 0.5], got {delta}')
        self.head = MODELS.build(head)
        self.class_sensitivity = ClassSensitivity(self.head.num_classes)
        self.instance_sensitivity = InstanceSensitivity(self.head.in_channels)
        self.delta = delta
        self.contrast_weight = contrast_weight
        self.loss_contrast = MODELS.build(loss_contrast or dict(type='InfoNCELoss'))
        self.sensitivity_weight = sensitivity_weight

    @property
    def num_levels(self) -> int:
        """int: Number of pyramid levels the wrapped head is made for."""
        return self.head.num_levels

    @property
    def num_classes(self) -> int:
        """int: Classes of the wrapped head."""
        return self.head.num_classes

    def forward(self, feats: Feats, masks: Feats) -> Outputs:
        """Predict at every point; see :meth:`PointHead.forward`."""
        return self.head(feats, masks)

    def predict(self, feats: Feats, masks: Feats, data_samples: list) -> list[InstanceData]:
        """Candidates of a batch; see :meth:`PointHead.predict`."""
        return self.head.predict(feats, masks, data_samples)

    def loss(self, feats: Feats, masks: Feats, data_samples: list) -> dict[str, Tensor]:
        """Losses of a batch.

        Args:
            feats (Sequence[Tensor]): Per level (B, C, T_l), finest first.
            masks (Sequence[Tensor]): Per level (B, T_l) bool.
            data_samples (list): B data samples with ``gt_instances``.

        Returns:
            Dict[str, Tensor]: What the wrapped head gives, plus ``loss_sensitivity`` and, unless
            it is turned off, ``loss_contrast``; scalars.
        """
        outs = self.head(feats, masks)
        targets = self.head.get_targets(outs, data_samples)
        p_cls, p_loc = self.class_sensitivity(relative_position(targets.distance), targets.label)
        logits = self.instance_sensitivity(feats, masks, targets)
        q_cls, q_loc = logits.detach().sigmoid().unbind(1)
        losses = self.head.loss_by_targets(outs, targets, (p_cls + q_cls, p_loc + q_loc))

        error = (logits.sigmoid() - self.quality(outs, targets)).square().sum()
        count = mean_over_ranks(error.new_tensor(float(len(logits)))).clamp(min=1)
        losses['loss_sensitivity'] = self.sensitivity_weight * error / count
        if self.contrast_weight:
            losses['loss_contrast'] = self.contrast_weight * self.contrast(
                feats[0], masks[0], data_samples)
        return losses

    @torch.no_grad()
    def quality(self, outs: Outputs, targets: PointTargets) -> Tensor:
        """What the instance-level evaluator aims at.

        Args:
            outs (Dict[str, List[Tensor]]): What :meth:`forward` returned.
            targets (PointTargets): The positive pairs.

        Returns:
            Tensor: (N, 2) in [0, 1], score of the pair's class and IoU of its segment.
        """
        pairs = targets.batch, targets.point, targets.label
        logits = torch.cat(list(outs['cls_logits']), dim=2)  # (B, K, P)
        score = logits[targets.batch, targets.label, targets.point].float().sigmoid()
        iou = distance_iou(self.head.decode(outs, targets.points, *pairs), targets.distance)
        return torch.stack([score, iou], dim=1)

    def contrast(self, feats: Tensor, mask: Tensor, data_samples: list) -> Tensor:
        """Contrastive loss of the actions of a batch.

        Args:
            feats (Tensor): (B, C, T), the finest level.
            mask (Tensor): (B, T) bool.
            data_samples (list): B data samples with ``gt_instances``.

        Returns:
            Tensor: A scalar; 0 if there is no action.
        """
        vectors, labels, background = [], [], []
        with torch.autocast(feats.device.type, enabled=False):
            for x, length, sample in zip(feats, mask.sum(1).tolist(), data_samples):
                segments = sample.gt_instances.segments.to(x.device, torch.float32)
                label = sample.gt_instances.labels.to(x.device)
                if len(label) == 0:
                    continue
                zones = action_zones(segments, self.class_sensitivity.most_sensitive(label),
                                     self.delta)
                f_cls, f_loc, f_bg = zone_features(x, length, segments, zones)
                vectors += [f_cls, f_loc]
                labels += [label, label]
                background.append(f_bg)
        if not labels:
            return feats.float().sum() * 0
        return self.loss_contrast(torch.cat(vectors), torch.cat(labels), torch.cat(background))
