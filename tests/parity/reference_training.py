"""The published training step and inference, slowly: loops over points, in float64."""
import math

import torch
import torch.nn.functional as F
from reference_model import ReferenceModel
from torch import Tensor


def points_of(outs: dict, ranges: list):
    """(level, step, time, stride, low, high) of every valid point, finest level first."""
    for level, mask in enumerate(outs['mask']):
        for step in range(len(mask)):
            if mask[step]:
                yield (level, step, step * 2.**level, 2.**level, *ranges[level])


def sample_centres(time, stride, low, high, segments, labels, radius):
    """Winner among the actions a point may answer for, and the classes it takes; or None."""
    inside = []
    for index, (start, end) in enumerate(segments):
        if radius is None:
            near = start < time < end
        else:
            centre = (start + end) / 2
            near = max(start, centre - radius * stride) < time < min(end, centre + radius * stride)
        if near and low <= max(time - start, end - time) <= high:
            inside.append(index)
    if not inside:
        return None
    lengths = {i: segments[i][1] - segments[i][0] for i in inside}
    winner = min(inside, key=lengths.get)
    return winner, sorted({labels[i] for i in inside if lengths[i] <= lengths[winner] + 1e-3})


def overlap(pred: Tensor, aim: Tensor) -> Tensor:
    """IoU of two segments around one point, given as (left, right)."""
    shared = torch.minimum(pred, aim).sum()
    return shared / (pred.sum() + aim.sum() - shared)


def diou_loss(pred: Tensor, aim: Tensor) -> Tensor:
    """1 - IoU + (distance of centres / hull) ** 2."""
    shift = ((pred[1] - pred[0]) - (aim[1] - aim[0])) / 2
    return 1 - overlap(pred, aim) + (shift / torch.maximum(pred, aim).sum())**2


def focal(logit: Tensor, aim: Tensor) -> Tensor:
    """Focal loss, alpha 0.25, gamma 2."""
    p = logit.sigmoid()
    hit = p * aim + (1 - p) * (1 - aim)
    entropy = F.binary_cross_entropy_with_logits(logit, aim, reduction='none')
    return (0.25 * aim + 0.75 * (1 - aim)) * (1 - hit)**2 * entropy


def varifocal(logit: Tensor, aim: Tensor) -> Tensor:
    """Varifocal loss, alpha 0.25, gamma 2; every target above 0 is a positive."""
    weight = torch.where(aim > 0, aim, 0.25 * logit.sigmoid()**2)
    return weight * F.binary_cross_entropy_with_logits(logit, aim, reduction='none')


class ReferenceTraining(ReferenceModel):
    """Adds distances, losses and detections.

    Args:
        settings (dict): Published settings of the model, with ``train_cfg`` and ``test_cfg``.
        coarse (str): CLTDR-GMG's coarse loss. Defaults to 'focal'.
    """

    def __init__(self, family: str, settings: dict, state: dict, coarse: str = 'focal'):
        super().__init__(family, settings, state)
        self.train, self.test = settings['train_cfg'], settings['test_cfg']
        self.coarse = dict(focal=focal, varifocal=varifocal)[coarse]

    def distances(self, outs: dict, level: int, step: int, label: int) -> Tensor:
        """(left, right) in strides, before any refinement."""
        out = outs['reg_out'][level][:, step]
        if 'start' not in outs:
            return out
        bins = len(out) // 2
        pair = []
        for side, name in enumerate(('start', 'end')):
            row, logits = outs[name][level][label], []
            for b in range(bins):  # b strides away
                at = step - b if side == 0 else step + b
                logit = row[at] if 0 <= at < len(row) else torch.zeros(()).double()
                # the centre offsets of the start run from far to near
                logits.append(logit + out[side * bins + (bins - 1 - b if side == 0 else b)])
            weights = torch.stack(logits).softmax(0)
            pair.append(sum(b * weight for b, weight in enumerate(weights)))
        return torch.stack(pair)

    def refined(self, outs: dict, level: int, step: int, label: int) -> Tensor:
        """(left, right) in strides, as they become detections."""
        pair = self.distances(outs, level, step, label)
        if 'refine_start' not in outs:
            return pair
        start, end = (outs[f'refine_{name}'][level][label, step] for name in ('start', 'end'))
        return (pair + torch.stack([-start, end]) / 2**level).clamp(min=0)

    def cheapest(self, outs, level, step, time, stride, segments, labels) -> int:
        """TemporalMaxer: of the actions around a point, the one of least matching cost."""
        cost, costs = self.model['assigner'], {}
        logits = outs['cls_logits'][level][:, step].detach()
        for index, (start, end) in enumerate(segments):
            if start < time < end:
                aim = torch.tensor([time - start, end - time]).double() / stride
                hot = F.one_hot(torch.tensor(labels[index]), len(logits)).double()
                pred = self.distances(outs, level, step, labels[index]).detach()
                costs[index] = (cost['cls_weight'] * focal(logits, hot).sum()
                                + cost['iou_weight'] * diou_loss(pred, aim)).item()
        return min(costs, key=costs.get)

    def positives(self, outs: dict, segments: list, labels: list) -> dict:
        """{(level, step): (classes, aim in strides)} of one video."""
        radius, found = None, {}
        if self.train['center_sample'] == 'radius':
            radius = self.train['center_sample_radius']
        matching = self.family == 'tmaxer' and 'assigner' in self.model
        if matching:
            radius = self.model['assigner']['center_radius']
        for point in points_of(outs, self.model['regression_range']):
            level, step, time, stride = point[:4]
            sampled = sample_centres(*point[2:], segments, labels, radius)
            if sampled is None:
                continue
            winner, classes = sampled
            if matching:
                winner = self.cheapest(outs, level, step, time, stride, segments, labels)
            start, end = segments[winner]
            aim = torch.tensor([time - start, end - time], dtype=torch.float64) / stride
            found[level, step] = classes, aim
        return found

    def half(self, videos, terms, logits_name, distances, power, normalizer):
        """Classification and regression loss of one set of predictions."""
        smooth, classes = self.train['label_smoothing'], self.model['num_classes']
        cls = reg = torch.zeros((), dtype=torch.float64)
        for outs, positives in videos:
            for level, step, *_ in points_of(outs, self.model['regression_range']):
                labels, aim = positives.get((level, step), ([], None))
                target = torch.zeros(classes, dtype=torch.float64)
                target[labels] = 1
                target = target * (1 - smooth) + smooth / (classes + 1)
                term = terms(outs[logits_name][level][:, step], target)
                weight = [1.] * classes
                for index, label in enumerate(labels):
                    pred = distances(outs, level, step, label)
                    weight[label] = overlap(pred, aim)**power if power else 1.
                    if index == 0 or 'start' in outs:  # one regression a point, or one a class
                        reg = reg + diou_loss(pred, aim)
                cls = cls + sum(w * t for w, t in zip(weight, term))
        return cls / normalizer, reg / normalizer

    def losses(self, videos: list) -> dict:
        """Losses of a batch of (feats, segments, labels), and the normaliser after the step."""
        batch = [self.outputs(feats) for feats, _, _ in videos]
        batch = [(outs, self.positives(outs, segments, labels))
                 for outs, (_, segments, labels) in zip(batch, videos)]
        count = max(sum(len(positives) for _, positives in batch), 1)
        value = 0.9 * self.train['init_loss_norm'] + (1 - 0.9) * count
        power = self.model.get('iou_weight_power', 0)
        if self.family == 'cltdr':
            cls, reg = self.half(batch, varifocal, 'cls_logits', self.refined, power, value)
            value = 0.9 * value + (1 - 0.9) * count
            coarse = self.half(batch, self.coarse, 'coarse_logits', self.distances, 0, value)
            cls, reg = 0.7 * cls + 0.3 * coarse[0], 0.7 * reg + 0.3 * coarse[1]
        else:
            cls, reg = self.half(batch, focal, 'cls_logits', self.distances, power, value)
        weight = self.train['loss_weight']
        if weight <= 0:
            weight = cls.item() / max(reg.item(), 0.01)
        return dict(cls_loss=cls, reg_loss=reg, final_loss=cls + weight * reg,
                    normalizer_after=value)

    # inference

    def candidates(self, outs: dict) -> list:
        """[start, end, score, label] in grid steps, level after level, best first in each."""
        found = []
        for level in range(self.levels):
            scores = (outs['cls_logits'][level].sigmoid() * outs['mask'][level]).tolist()
            pairs = [(score, step, label) for label, row in enumerate(scores)
                     for step, score in enumerate(row) if score > self.test['pre_nms_thresh']]
            pairs.sort(key=lambda pair: -pair[0])
            for score, step, label in pairs[:self.test['pre_nms_topk']]:
                left, right = (self.refined(outs, level, step, label) * 2**level).tolist()
                time = step * 2**level
                if left + right > self.test['duration_thresh']:
                    found.append([time - left, time + right, score, label])
        return found

    def detections(self, outs: dict, fps: float, stride: float, window: float,
                   duration: float) -> list:
        """[start, end, score, label] in seconds, sorted by score."""
        found = self.candidates(outs)
        if self.test['multiclass_nms']:
            kept = []
            for label in range(self.model['num_classes']):
                kept += self.soft_nms([c for c in found if c[3] == label])
        else:
            kept = self.soft_nms(found)
            if self.test['voting_thresh'] > 0:
                kept = [self.vote(segment, found) for segment in kept]
        kept.sort(key=lambda c: -c[2])
        return [[*(min(max((x * stride + window / 2) / fps, 0.), duration) for x in c[:2]), *c[2:]]
                for c in kept[:self.test['max_seg_num']]]

    def soft_nms(self, found: list) -> list:
        """Gaussian: the best one stays, the others pay for overlapping it."""
        rest, kept = [list(c) for c in found], []
        while rest and len(kept) < self.test['max_seg_num']:
            best = max(range(len(rest)), key=lambda i: rest[i][2])
            kept.append(rest.pop(best))
            for c in rest:
                c[2] *= math.exp(-iou(c, kept[-1])**2 / self.test['nms_sigma'])
            rest = [c for c in rest if c[2] >= self.test['min_score']]
        return kept

    def vote(self, segment: list, found: list) -> list:
        """Boundaries as the mean over all candidates that agree."""
        votes = [(c, c[2] * iou(c, segment)) for c in found
                 if iou(c, segment) >= self.test['voting_thresh']]
        total = sum(weight for _, weight in votes)
        return [sum(c[i] * weight for c, weight in votes) / total for i in (0, 1)] + segment[2:]


def iou(a: list, b: list) -> float:
    """Temporal IoU."""
    shared = max(0., min(a[1], b[1]) - max(a[0], b[0]))
    return shared / (a[1] - a[0] + b[1] - b[0] - shared)
