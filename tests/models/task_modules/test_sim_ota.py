"""SimOTA against loops over points and actions in float64."""
import math

import pytest
import torch

from cltdr_mm.models.task_modules import (
    Actions,
    CenterSamplingAssigner,
    SimOTAAssigner1D,
    pyramid_points,
)
from cltdr_mm.structures import Layout

RANGES = [(0, 4), (4, 8), (8, 1e4)]
CLASSES = 3


def make_points(lengths, seen=None):
    """The points of all levels of some videos."""
    layouts = [Layout(lengths, seen)]
    for _ in RANGES[1:]:
        layouts.append(layouts[-1].half)
    return pyramid_points(Layout.stack(layouts), RANGES)


POINTS = make_points([32])


def focal(logit: float, target: int) -> float:
    """Alpha 0.25, gamma 2."""
    prob = 1 / (1 + math.exp(-logit))
    hit = prob if target else 1 - prob
    return -(0.25 if target else 0.75) * (1 - hit)**2 * math.log(hit)


def measure(pred: list, target: list) -> tuple[float, float]:
    """IoU and DIoU loss of (left, right) pairs."""
    shared = min(pred[0], target[0]) + min(pred[1], target[1])
    iou = max(shared, 0) / (sum(pred) + sum(target) - max(shared, 0))
    hull = max(pred[0], target[0]) + max(pred[1], target[1])
    shift = ((pred[1] - pred[0]) - (target[1] - target[0])) / 2
    return iou, 1 - iou + (shift / hull)**2


def make_actions(seed: int, count: int = 5) -> Actions:
    generator = torch.Generator().manual_seed(seed)
    starts = torch.rand(count, generator=generator) * 20
    lengths = 2 + torch.rand(count, generator=generator) * 20
    segments = torch.stack([starts, (starts + lengths).clamp(max=31)], dim=1)
    labels = torch.randint(CLASSES, (count, ), generator=generator)
    return Actions(segments, labels, torch.zeros_like(labels), CLASSES)


def make_predictions(seed: int, points=POINTS):
    """Logits (R, K), and the distances that are predicted for each row and class (R, K, 2)."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(len(points), CLASSES, generator=generator) * 2
    return logits, torch.rand(len(points), CLASSES, 2, generator=generator) * 6


def assign(assigner, points, actions, logits, distances):
    return assigner.assign(points, actions, logits,
                           lambda pairs: distances[pairs.row, pairs.label])


def costs(actions, logits, distances, cls_weight, iou_weight):
    """{(row, action): (cost, iou)} of all points within actions."""
    logits, distances = logits.tolist(), distances.tolist()
    table = {}
    for row in POINTS.valid.nonzero()[:, 0].tolist():
        time, stride = float(POINTS.time[row]), float(POINTS.stride[row])
        for action, (start, end) in enumerate(actions.segments.tolist()):
            if not start < time < end:
                continue
            label = int(actions.labels[action])
            target = [(time - start) / stride, (end - time) / stride]
            iou, diou = measure(distances[row][label], target)
            cls = sum(focal(logit, c == label) for c, logit in enumerate(logits[row]))
            table[row, action] = cls_weight * cls + iou_weight * diou, iou
    return table


@pytest.mark.parametrize('weights', [(1., 2.), (0., 1.), (3., 0.1)])
@pytest.mark.parametrize('seed', range(4))
def test_published_matching(seed, weights):
    """Points and classes by centre sampling, boundaries of the cheapest action around."""
    cls_weight, iou_weight = weights
    actions, predictions = make_actions(seed), make_predictions(seed)
    sampled = CenterSamplingAssigner().assign(POINTS, actions)
    table = costs(actions, *predictions, cls_weight, iou_weight)
    found = assign(SimOTAAssigner1D(cls_weight=cls_weight, iou_weight=iou_weight), POINTS,
                   actions, *predictions)
    assert len(found.gt) > 5
    assert all(torch.equal(a, b) for a, b in zip(found.pairs, sampled.pairs))
    for row, gt, distance in zip(found.pairs.row.tolist(), found.gt.tolist(),
                                 found.distance.tolist()):
        around = [action for r, action in table if r == row]
        cheapest = min(around, key=lambda action, r=row: table[r, action][0])
        assert gt == cheapest
        time, stride = float(POINTS.time[row]), float(POINTS.stride[row])
        start, end = actions.segments[gt].tolist()
        assert distance == pytest.approx([(time - start) / stride, (end - time) / stride],
                                         abs=1e-5)


@pytest.mark.parametrize('topk', [1, 3, 10])
@pytest.mark.parametrize('seed', range(4))
def test_dynamic_number_of_points(seed, topk):
    """YOLOX: each action keeps its cheapest points, a point its cheapest action."""
    actions, predictions = make_actions(seed), make_predictions(seed)
    # those that a single action would have sampled
    inside = {(row, action) for action in range(len(actions.labels))
              for row in CenterSamplingAssigner().assign(POINTS, Actions(*(
                  x[action:action + 1] for x in actions[:3]), CLASSES)).pairs.row.tolist()}
    table = {pair: value for pair, value in costs(actions, *predictions, 1., 2.).items()
             if pair in inside}
    wanted = {}
    for action in range(len(actions.labels)):
        mine = sorted((cost, row) for (row, a), (cost, _) in table.items() if a == action)
        ious = sorted((iou for (_, a), (_, iou) in table.items() if a == action), reverse=True)
        for cost, row in mine[:max(int(sum(ious[:topk])), 1)]:
            wanted.setdefault(row, []).append((cost, action))
    expected = {row: min(options)[1] for row, options in wanted.items()}

    found = assign(SimOTAAssigner1D(topk=topk), POINTS, actions, *predictions)
    assert found.pairs.row.tolist() == sorted(expected)
    assert found.gt.tolist() == [expected[row] for row in sorted(expected)]
    assert found.pairs.label.tolist() == actions.labels[found.gt].tolist()


@pytest.mark.parametrize('topk', [None, 1, 4])
def test_a_batch_is_its_videos(topk):
    """Neither the padding nor another video's points and actions take part."""
    batch = make_points([20, 32], [36, 36])
    first, second = make_actions(0), make_actions(1)
    both = Actions(torch.cat([first.segments, second.segments]),
                   torch.cat([first.labels, second.labels]),
                   torch.tensor([0] * 5 + [1] * 5), CLASSES)
    logits, distances = make_predictions(2, batch)
    found = assign(SimOTAAssigner1D(topk=topk), batch, both, logits, distances)
    assert batch.valid[found.pairs.row].all()
    assert torch.equal(batch.video[found.pairs.row], both.video[found.gt])
    got = [(int(batch.level[row]), float(batch.time[row]), int(label), int(gt) - 5)
           for row, label, gt in zip(*found.pairs, found.gt) if batch.video[row] == 1]
    rows = (batch.valid & (batch.video == 1)).nonzero()[:, 0]
    valid = POINTS.valid.nonzero()[:, 0]
    alone_logits, alone_distances = make_predictions(0)
    alone_logits[valid], alone_distances[valid] = logits[rows], distances[rows]
    alone = assign(SimOTAAssigner1D(topk=topk), POINTS, second, alone_logits, alone_distances)
    assert got == [(int(POINTS.level[row]), float(POINTS.time[row]), int(label), int(gt))
                   for row, label, gt in zip(*alone.pairs, alone.gt)]
    assert got and (batch.video[found.pairs.row] == 0).any()


@pytest.mark.parametrize('topk', [None, 4])
def test_no_action(topk):
    found = assign(SimOTAAssigner1D(topk=topk), POINTS, make_actions(0, 0), *make_predictions(0))
    assert found.pairs.row.numel() == 0


def test_wrong_topk():
    with pytest.raises(ValueError, match='topk must be positive, got 0'):
        SimOTAAssigner1D(topk=0)
