"""Centre sampling against loops over points and actions."""
import pytest
import torch

from cltdr_mm.models.task_modules import Actions, CenterSamplingAssigner, pyramid_points
from cltdr_mm.structures import Layout

RANGES = [(0, 4), (4, 8), (8, 16), (16, 1e4)]
CLASSES = 4


def make_points(lengths=(64, ), seen=None):
    """The points of all levels of some videos."""
    layouts = [Layout(lengths, seen)]
    for _ in RANGES[1:]:
        layouts.append(layouts[-1].half)
    return pyramid_points(Layout.stack(layouts), RANGES)


POINTS = make_points()


def make_actions(segments, labels, video=None) -> Actions:
    labels = torch.tensor(labels, dtype=torch.int64)
    video = torch.zeros_like(labels) if video is None else torch.tensor(video)
    return Actions(torch.tensor(segments, dtype=torch.float32).reshape(-1, 2), labels, video,
                   CLASSES)


def reference(segments: list, labels: list, radius, all_classes=False) -> dict:
    """{(row, class): (left, right, action)} of one video."""
    found = {}
    for index in POINTS.valid.nonzero()[:, 0].tolist():
        time, stride, low, high = (float(x[index]) for x in (
            POINTS.time, POINTS.stride, POINTS.low, POINTS.high))
        mine = []
        for number, (start, end) in enumerate(segments):
            first, last = start, end
            if radius is not None:
                first = max(start, (start + end) / 2 - radius * stride)
                last = min(end, (start + end) / 2 + radius * stride)
            if first < time < last and low <= max(time - start, end - time) <= high:
                mine.append(number)
        if mine:
            winner = min(mine, key=lambda n: segments[n][1] - segments[n][0])
            start, end = segments[winner]
            for number in mine:
                longer = (segments[number][1] - segments[number][0]) - (end - start)
                if longer <= 1e-3 or all_classes:
                    found[index, labels[number]] = ((time - start) / stride,
                                                    (end - time) / stride, winner)
    return found


def assign(segments, labels, radius=1.5, points=POINTS, video=None, all_classes=False):
    """The assigner's result in the form of the reference."""
    found = CenterSamplingAssigner(radius, all_classes).assign(
        points, make_actions(segments, labels, video))
    assert found.pairs.row.dtype == found.pairs.label.dtype == found.gt.dtype == torch.int64
    order = list(zip(found.pairs.row.tolist(), found.pairs.label.tolist()))
    assert order == sorted(set(order)), 'pairs are in order and each one once'
    return {pair: (*distance, gt) for pair, distance, gt in zip(
        order, found.distance.tolist(), found.gt.tolist())}


def check_equal(got, expected):
    assert got.keys() == expected.keys()
    for pair, values in expected.items():
        assert got[pair] == pytest.approx(values, abs=1e-4)


@pytest.mark.parametrize('all_classes', [False, True])
@pytest.mark.parametrize('radius', [1.5, 0.6, 4., None])
@pytest.mark.parametrize('seed', range(6))
def test_random_actions(seed, radius, all_classes):
    generator = torch.Generator().manual_seed(seed)
    starts = torch.rand(8, generator=generator) * 50
    lengths = 40**torch.rand(8, generator=generator)
    segments = torch.stack([starts, (starts + lengths).clamp(max=63)], dim=1)
    labels = torch.randint(4, (8, ), generator=generator)
    expected = reference(segments.tolist(), labels.tolist(), radius, all_classes)
    assert len(expected) > 5
    check_equal(assign(segments.tolist(), labels.tolist(), radius, all_classes=all_classes),
                expected)


def test_ties_add_classes():
    """Actions within 1e-3 of the shortest add their classes, whose boundaries are the winner's."""
    segments = [(10., 20.0006), (10., 20.), (10.0003, 20.0006), (10., 20.1)]
    labels = [0, 1, 2, 3]
    got = assign(segments, labels)
    check_equal(got, reference(segments, labels, 1.5))
    of_class_1 = [point for point, label in got if label == 1]
    assert len(of_class_1) >= 3
    for point in of_class_1:
        assert {label for p, label in got if p == point} == {0, 1, 2}
        assert {values[2] for pair, values in got.items() if pair[0] == point} == {1}


def test_all_classes_of_a_point():
    """A longer action adds its class where it covers the point, and no boundaries."""
    segments, labels = [(10., 20.), (9., 22.)], [0, 1]
    got, shortest = (assign(segments, labels, None, all_classes=value) for value in (True, False))
    check_equal(got, reference(segments, labels, None, True))
    both = [point for point, label in got if label == 1 and (point, 0) in got]
    assert len(both) >= 3 and not any((point, 1) in shortest for point in both)
    assert all(got[point, 1] == got[point, 0] and got[point, 1][2] == 0 for point in both)


def test_same_class_twice_is_one_pair():
    got = assign([(10., 20.), (10., 20.)], [1, 1])
    assert {label for _, label in got} == {1}
    assert len(got) == len(assign([(10., 20.)], [1]))


def test_limits_belong_to_ranges_but_boundaries_to_no_action():
    """Ranges are closed, segments and sampled zones open."""
    # point 12 of level 0 is 4 from the end: on the first level's limit, and on the second's
    got = assign([(10., 16.)], [0], None)
    levels = POINTS.level[torch.tensor([point for point, _ in got])]
    at_12 = [point for point, _ in got if POINTS.time[point] == 12]
    assert [int(POINTS.level[p]) for p in at_12] == [0, 1]
    assert 10 not in {float(POINTS.time[p]) for p, _ in got}
    assert 16 not in {float(POINTS.time[p]) for p, _ in got}
    assert set(levels.tolist()) == {0, 1}


@pytest.mark.parametrize('seen', [None, (70, 70, 70)])
def test_a_batch_is_its_videos(seen):
    """Points answer for actions of their own video, and those of the padding for none."""
    lengths = (64, 40, 7)
    batch = make_points(lengths, seen)
    parts = [([(10., 20.), (12., 39.), (3., 9.)], [0, 1, 2]), ([(10., 20.), (35., 60.)], [3, 1]),
             ([(0.4, 6.), (9., 20.)], [2, 2])]
    segments = [s for part, _ in parts for s in part]
    labels = [c for _, part in parts for c in part]
    # in any order: video after video, and back and forth
    video = [i for i, (part, _) in enumerate(parts) for _ in part]
    order = [3, 0, 6, 1, 4, 2, 5]
    got = assign(*([x[i] for i in order] for x in (segments, labels)), points=batch,
                 video=[video[i] for i in order])
    named = {(int(batch.video[row]), float(batch.time[row]), int(batch.level[row]), label):
             (*values[:2], segments[order[values[2]]]) for (row, label), values in got.items()}
    expected = {}
    for index, (length, (mine, classes)) in enumerate(zip(lengths, parts)):
        alone = make_points((length, ))
        for (row, label), values in assign(mine, classes, points=alone).items():
            expected[index, float(alone.time[row]), int(alone.level[row]), label] = (
                *values[:2], mine[values[2]])
    assert named == expected and {key[0] for key in expected} == {0, 1, 2}


def test_no_action():
    found = CenterSamplingAssigner().assign(POINTS, make_actions([], []))
    assert found.pairs.row.shape == found.pairs.label.shape == found.gt.shape == (0, )
    assert found.distance.shape == (0, 2)


def test_action_between_points():
    assert assign([(10.2, 10.8)], [0]) == {}


@pytest.mark.parametrize('radius', [0, -1.])
def test_wrong_radius(radius):
    with pytest.raises(ValueError, match='radius must be positive'):
        CenterSamplingAssigner(radius)
