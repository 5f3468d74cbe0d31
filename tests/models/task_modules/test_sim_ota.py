"""SimOTA against loops over points and actions in float64."""
import math

import pytest
import torch

from cltdr_mm.models.task_modules import (
    CenterSamplingAssigner,
    SimOTAAssigner1D,
    pyramid_points,
)

RANGES = [(0, 4), (4, 8), (8, 1e4)]
POINTS = pyramid_points([32, 16, 8], RANGES, torch.device('cpu'))
CLASSES = 3


def focal(logit: float, target: int) -> float:
    """Alpha 0.25, gamma 2."""
    prob = 1 / (1 + math.exp(-logit))
    hit = prob if target else 1 - prob
    return -(0.25 if target else 0.75) * (1 - hit)**2 * math.log(hit)


def measure(pred: list, aim: list) -> tuple[float, float]:
    """IoU and DIoU loss of (left, right) pairs."""
    shared = min(pred[0], aim[0]) + min(pred[1], aim[1])
    iou = max(shared, 0) / (sum(pred) + sum(aim) - max(shared, 0))
    hull = max(pred[0], aim[0]) + max(pred[1], aim[1])
    shift = ((pred[1] - pred[0]) - (aim[1] - aim[0])) / 2
    return iou, 1 - iou + (shift / hull)**2


def make_video(seed: int, actions: int = 5):
    """Actions and random predictions for them."""
    generator = torch.Generator().manual_seed(seed)
    starts = torch.rand(actions, generator=generator) * 20
    lengths = 2 + torch.rand(actions, generator=generator) * 20
    segments = torch.stack([starts, (starts + lengths).clamp(max=31)], dim=1)
    labels = torch.randint(CLASSES, (actions, ), generator=generator)
    logits = torch.randn(len(POINTS), CLASSES, generator=generator) * 2
    distances = torch.rand(len(POINTS), actions, 2, generator=generator) * 6
    valid = torch.ones(len(POINTS), dtype=torch.bool)
    return segments, labels, (logits, distances, valid)


def costs(segments, labels, predictions, cls_weight, iou_weight):
    """{(point, action): (cost, iou)} of all points within actions."""
    logits, distances, _ = (x.tolist() for x in predictions)
    table = {}
    for point in range(len(POINTS)):
        time, stride = float(POINTS.time[point]), float(POINTS.stride[point])
        for action, (start, end) in enumerate(segments.tolist()):
            if not start < time < end:
                continue
            aim = [(time - start) / stride, (end - time) / stride]
            iou, diou = measure(distances[point][action], aim)
            cls = sum(focal(logit, c == labels[action]) for c, logit in enumerate(logits[point]))
            table[point, action] = cls_weight * cls + iou_weight * diou, iou
    return table


@pytest.mark.parametrize('weights', [(1., 2.), (0., 1.), (3., 0.1)])
@pytest.mark.parametrize('seed', range(4))
def test_published_matching(seed, weights):
    """Points and classes by centre sampling, boundaries of the cheapest action around."""
    cls_weight, iou_weight = weights
    segments, labels, predictions = make_video(seed)
    sampled = CenterSamplingAssigner().assign(POINTS, segments, labels)
    table = costs(segments, labels, predictions, cls_weight, iou_weight)
    found = SimOTAAssigner1D(cls_weight=cls_weight, iou_weight=iou_weight).assign(
        POINTS, segments, labels, predictions)
    assert len(found.point) > 5
    assert torch.equal(found.point, sampled.point) and torch.equal(found.label, sampled.label)
    for point, gt, distance in zip(found.point.tolist(), found.gt.tolist(),
                                   found.distance.tolist()):
        around = [action for p, action in table if p == point]
        cheapest = min(around, key=lambda action, p=point: table[p, action][0])
        assert gt == cheapest
        time, stride = float(POINTS.time[point]), float(POINTS.stride[point])
        start, end = segments[gt].tolist()
        assert distance == pytest.approx([(time - start) / stride, (end - time) / stride],
                                         abs=1e-5)


@pytest.mark.parametrize('topk', [1, 3, 10])
@pytest.mark.parametrize('seed', range(4))
def test_dynamic_number_of_points(seed, topk):
    """YOLOX: each action keeps its cheapest points, a point its cheapest action."""
    segments, labels, predictions = make_video(seed)
    assigner = SimOTAAssigner1D(topk=topk)
    inside = assigner.sampler.candidates(POINTS, segments)
    table = {pair: value for pair, value in costs(segments, labels, predictions, 1., 2.).items()
             if inside[pair]}
    wanted = {}
    for action in range(len(labels)):
        mine = sorted((cost, point) for (point, a), (cost, _) in table.items() if a == action)
        ious = sorted((iou for (_, a), (_, iou) in table.items() if a == action), reverse=True)
        for cost, point in mine[:max(int(sum(ious[:topk])), 1)]:
            wanted.setdefault(point, []).append((cost, action))
    expected = {point: min(options)[1] for point, options in wanted.items()}

    found = assigner.assign(POINTS, segments, labels, predictions)
    assert found.point.tolist() == sorted(expected)
    assert found.gt.tolist() == [expected[point] for point in sorted(expected)]
    assert found.label.tolist() == labels[found.gt].tolist()


def test_padding_is_no_candidate():
    segments, labels, (logits, distances, valid) = make_video(0)
    valid[::2] = False
    found = SimOTAAssigner1D(topk=5).assign(POINTS, segments, labels, (logits, distances, valid))
    assert len(found.point) and valid[found.point].all()


@pytest.mark.parametrize('topk', [None, 4])
def test_no_action(topk):
    _, _, (logits, _, valid) = make_video(0)
    found = SimOTAAssigner1D(topk=topk).assign(
        POINTS, torch.zeros(0, 2), torch.zeros(0).long(),
        (logits, torch.zeros(len(POINTS), 0, 2), valid))
    assert found.point.numel() == 0


def test_wrong_topk():
    with pytest.raises(ValueError, match='topk must be positive, got 0'):
        SimOTAAssigner1D(topk=0)
