"""Decoding and losses of the plain model: everything for every step, class and bin.

Distances are in strides of the level, as (B, K, T, 2) to start and end.
"""
import torch
import torch.nn.functional as F
from torch import Tensor


def decode_all(level: dict, stride: int) -> tuple[Tensor, Tensor]:
    """Coarse and refined distances of all steps and classes of a level.

    Args:
        level (dict): Outputs of the level.
        stride (int): Grid steps between its points; offsets are in grid steps.

    Returns:
        tuple[Tensor, Tensor]: (B, K, T, 2) each.
    """
    bins = level['center'].shape[1] // 2
    left = F.pad(level['start'], (bins - 1, 0)).unfold(2, bins, 1)  # (B, K, T, bins)
    right = F.pad(level['end'], (0, bins - 1)).unfold(2, bins, 1)
    of_start, of_end = level['center'].transpose(1, 2)[:, None].split(bins, dim=-1)
    distance = torch.arange(bins, dtype=left.dtype, device=left.device)
    coarse = torch.stack([((left + of_start).softmax(-1) * distance.flip(0)).sum(-1),
                          ((right + of_end).softmax(-1) * distance).sum(-1)], dim=-1)
    return coarse, (coarse + level['offsets'] / stride).clamp(min=0)


def iou_and_diou(pred: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """IoU and distance-IoU loss of segments given as distances to a common point."""
    inter = torch.min(pred, target).sum(-1)
    union = pred.sum(-1) + target.sum(-1) - inter
    hull = torch.max(pred, target).sum(-1)
    iou = inter / union.clamp(min=1e-8)
    shift = 0.5 * (pred[..., 1] - pred[..., 0] - target[..., 1] + target[..., 0])
    return iou, 1 - iou + (shift / hull.clamp(min=1e-8))**2


def focal(logits: Tensor, targets: Tensor) -> Tensor:
    """Focal loss, alpha 0.25 and gamma 2, term by term."""
    prob = logits.sigmoid()
    right = prob * targets + (1 - prob) * (1 - targets)
    alpha = 0.25 * targets + 0.75 * (1 - targets)
    terms = F.binary_cross_entropy_with_logits(logits, targets, reduction='none')
    return alpha * (1 - right)**2 * terms


def varifocal(logits: Tensor, targets: Tensor) -> Tensor:
    """Varifocal loss with 0/1 targets, alpha 0.25 and gamma 2, term by term."""
    weight = targets + 0.25 * logits.sigmoid()**2 * (1 - targets)
    return weight * F.binary_cross_entropy_with_logits(logits, targets, reduction='none')


class PlainLoss:
    """0.7 of the refined and 0.3 of the coarse losses, over a running number of positives.

    Args:
        ranges (Sequence): Per level, the distances (grid steps) that its points regress.
        radius (float): Half width of the sampled centre in strides.
        iou_power (float): Refined classification at positives is weighted by IoU to this power.
        running (float): Number of positives to start from.
    """

    def __init__(self, ranges, radius: float, iou_power: float, running: float) -> None:
        self.ranges, self.radius, self.iou_power = ranges, radius, iou_power
        self.running, self.momentum = running, 0.9

    @torch.no_grad()
    def targets(self, level: int, steps: int, truth, classes: int) -> tuple[Tensor, Tensor]:
        """Targets of one level of one video.

        Args:
            level (int): Number of the level.
            steps (int): Its steps T.
            truth (InstanceData): ``segments`` (G, 2) in grid steps and ``labels`` (G,).
            classes (int): Classes K.

        Returns:
            tuple[Tensor, Tensor]: Classes (T, K) of 0 and 1, distances (T, 2).
        """
        segments, stride = truth.segments, 2**level
        if len(segments) == 0:
            return segments.new_zeros(steps, classes), segments.new_zeros(steps, 2)
        time = torch.arange(steps, device=segments.device)[:, None].float() * stride
        start, end = segments.T
        to_start, to_end = time - start, end - time  # (T, G)
        center = (start + end) / 2
        low = torch.max(center - self.radius * stride, start)
        high = torch.min(center + self.radius * stride, end)
        farthest = torch.max(to_start, to_end)
        inside = ((time > low) & (time < high) & (farthest >= self.ranges[level][0])
                  & (farthest <= self.ranges[level][1]))
        length = (end - start).expand(steps, -1).masked_fill(~inside, float('inf'))
        shortest, chosen = length.min(dim=1)
        positive = inside & (length <= shortest[:, None] + 1e-3)
        one_hot = F.one_hot(truth.labels, classes).float()
        wanted = torch.stack([to_start, to_end], dim=-1)[torch.arange(steps), chosen]
        return (positive.float() @ one_hot).clamp(max=1), wanted / stride

    def __call__(self, levels: list[dict], truths: list) -> dict[str, Tensor]:
        """Losses of a batch.

        Args:
            levels (list[dict]): Outputs of every level.
            truths (list[InstanceData]): One a video.

        Returns:
            dict[str, Tensor]: ``loss_cls``, ``loss_reg`` and ``num_pos``.
        """
        classes = levels[0]['coarse'].shape[1]
        aims, wanted = [], []
        for index, level in enumerate(levels):
            steps = level['coarse'].shape[2]
            found = [self.targets(index, steps, truth, classes) for truth in truths]
            aims.append(torch.stack([aim for aim, _ in found]))
            wanted.append(torch.stack([distance for _, distance in found]))
        aims, wanted = torch.cat(aims, dim=1), torch.cat(wanted, dim=1)  # (B, P, K), (B, P, 2)
        valid = torch.cat([level['mask'][:, 0] for level in levels], dim=1) > 0  # (B, P)
        aims = aims * valid[..., None]
        coarse, refined = (torch.cat(x, dim=2).transpose(1, 2) for x in zip(
            *(decode_all(level, 2**index) for index, level in enumerate(levels))))
        positive = aims > 0
        wanted = wanted[:, :, None].expand_as(coarse)[positive]
        num_pos = positive.any(-1).sum()
        losses = []
        for name, distances in (('refined', refined), ('coarse', coarse)):
            count = max(int(num_pos), 1)
            self.running = self.momentum * self.running + (1 - self.momentum) * count
            iou, diou = iou_and_diou(distances[positive], wanted)
            logits = torch.cat([level[name] for level in levels], dim=2).transpose(1, 2)
            if name == 'refined':
                weight = torch.ones_like(logits)
                weight[positive] = iou.clamp(min=1e-12)**self.iou_power
                terms = varifocal(logits, aims) * weight
            else:
                terms = focal(logits, aims)
            losses.append((terms[valid].sum() / self.running, diou.sum() / self.running))
        (fine_cls, fine_reg), (coarse_cls, coarse_reg) = losses
        return dict(loss_cls=0.7 * fine_cls + 0.3 * coarse_cls,
                    loss_reg=0.7 * fine_reg + 0.3 * coarse_reg, num_pos=num_pos.float())
