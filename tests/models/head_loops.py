"""Point heads in plain loops and float64, from raw outputs on: targets, losses, candidates."""
import math

import torch
import torch.nn.functional as F
from torch import Tensor


def valid_points(masks, ranges, video):
    """(level, step, time, stride, low, high) of a video's valid points, level after level."""
    for level, mask in enumerate(masks):
        for step in range(mask.shape[1]):
            if mask[video, step]:
                yield level, step, step * 2.**level, 2.**level, *ranges[level]


def positives(masks, ranges, samples, radius=1.5) -> list:
    """Per video {(level, step): (classes, (left, right) in strides)}."""
    found = []
    for video, sample in enumerate(samples):
        segments = sample.gt_instances.segments.tolist()
        labels = sample.gt_instances.labels.tolist()
        found.append({})
        for level, step, time, stride, low, high in valid_points(masks, ranges, video):
            inside = [
                i for i, (start, end) in enumerate(segments)
                if max(start, (start + end) / 2 - radius * stride) < time
                < min(end, (start + end) / 2 + radius * stride)
                and low <= max(time - start, end - time) <= high]
            if inside:
                lengths = {i: segments[i][1] - segments[i][0] for i in inside}
                winner = min(inside, key=lengths.get)
                start, end = segments[winner]
                classes = {labels[i] for i in inside if lengths[i] <= lengths[winner] + 1e-3}
                found[-1][level, step] = sorted(classes), ((time - start) / stride,
                                                           (end - time) / stride)
    return found


def trident(outs, video, level, step, label) -> Tensor:
    """Expectations over bins, (left, right) in strides."""
    center = outs['centers'][level][video, :, step]
    bins, pair = len(center) // 2, []
    for side, name in enumerate(('starts', 'ends')):
        row = outs[name][level][video, label]
        logits = []
        for distance in range(bins):
            at = step - distance if side == 0 else step + distance
            offset = center[side * bins + (bins - 1 - distance if side == 0 else distance)]
            logits.append(offset + (row[at] if 0 <= at < len(row) else 0.))
        weights = torch.stack(logits).softmax(0)
        pair.append(sum(distance * weight for distance, weight in enumerate(weights)))
    return torch.stack(pair)


def refined(outs, video, level, step, label, release=False) -> Tensor:
    """Eq. 11 and 12: per class and in grid steps in the release, else in strides."""
    channel = label if release else 0
    start, end = (outs[name][level][video, channel, step]
                  for name in ('refine_starts', 'refine_ends'))
    offset = torch.stack([-start, end]) / (2**level if release else 1)
    return (trident(outs, video, level, step, label) + offset).clamp(min=0)


def plain(outs, video, level, step, label) -> Tensor:
    """Distances that no class has its own of."""
    return outs['distances'][level][video, :, step]


def iou(pred: Tensor, target) -> Tensor:
    """Of two segments around one point."""
    target = torch.as_tensor(target, dtype=pred.dtype)
    shared = torch.minimum(pred, target).sum()
    return shared / (pred.sum() + target.sum() - shared)


def iou_loss(pred: Tensor, target) -> Tensor:
    return 1 - iou(pred, target)


def diou_loss(pred: Tensor, target) -> Tensor:
    target = torch.as_tensor(target, dtype=pred.dtype)
    shift = ((pred[1] - pred[0]) - (target[1] - target[0])) / 2
    return 1 - iou(pred, target) + (shift / torch.maximum(pred, target).sum())**2


def focal(logit: Tensor, target: Tensor, _=None) -> Tensor:
    """Alpha 0.25, gamma 2."""
    prob = logit.sigmoid()
    hit = prob * target + (1 - prob) * (1 - target)
    alpha = 0.25 * target + 0.75 * (1 - target)
    return alpha * (1 - hit)**2 * F.binary_cross_entropy_with_logits(logit, target)


def varifocal(alpha: float):
    """Gamma 2; the target of a positive is its IoU, and its weight."""

    def term(logit: Tensor, target: Tensor, positive: bool) -> Tensor:
        weight = target if positive else alpha * (logit.sigmoid() - target).abs()**2
        return weight * F.binary_cross_entropy_with_logits(logit, target)

    return term


def sums(outs, found, ranges, decode, term_cls, term_reg, logits='cls_logits', iou_targets=False,
         power=0., smoothing=0., per_class=True):
    """Sums of terms: classes at positive and at negative points, regression, and their numbers."""
    total = dict(pos=0., neg=0., reg=0., num_pos=0, num_neg=0)
    for video, of_video in enumerate(found):
        for level, step, *_ in valid_points(outs['masks'], ranges, video):
            classes, wanted = of_video.get((level, step), ([], None))
            row = outs[logits][level][video, :, step]
            for label, logit in enumerate(row):
                positive, weight = label in classes, 1.
                target = torch.tensor(float(positive), dtype=row.dtype)
                if positive:
                    overlap = iou(decode(outs, video, level, step, label), wanted)
                    target = overlap.detach() if iou_targets else target
                    weight = overlap.detach()**power if power else 1.
                target = target * (1 - smoothing) + smoothing / (len(row) + 1)
                total['pos' if classes else 'neg'] += weight * term_cls(logit, target, positive)
            for label in classes if per_class else classes[:1]:
                total['reg'] += term_reg(decode(outs, video, level, step, label), wanted)
            total['num_pos' if classes else 'num_neg'] += 1
    return total


def candidates(outs, ranges, video, decode, score_thr, limit, min_length) -> list:
    """(start, end, score, label) in grid steps."""
    found = []
    for level in range(len(outs['masks'])):
        scored = sorted((
            (1 / (1 + math.exp(-float(outs['cls_logits'][at][video, label, step]))), step, label)
            for at, step, *_ in valid_points(outs['masks'], ranges, video) if at == level
            for label in range(outs['cls_logits'][at].shape[1])), reverse=True)
        for score, step, label in scored[:limit]:
            left, right = (decode(outs, video, level, step, label) * 2**level).tolist()
            if score > score_thr and left + right > min_length:
                found.append((step * 2**level - left, step * 2**level + right, score, label))
    return found
