"""Centre sampling against loops over points and actions."""
import pytest
import torch

from cltdr_mm.models.task_modules import CenterSamplingAssigner, pyramid_points

RANGES = [(0, 4), (4, 8), (8, 16), (16, 1e4)]
POINTS = pyramid_points([64, 32, 16, 8], RANGES, torch.device('cpu'))


def reference(segments: list, labels: list, radius) -> dict:
    """{(point, class): (left, right, action)} of one video."""
    found = {}
    for index in range(len(POINTS)):
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
                if longer <= 1e-3:
                    found[index, labels[number]] = ((time - start) / stride,
                                                    (end - time) / stride, winner)
    return found


def assign(segments, labels, radius=1.5):
    """The assigner's result in the form of the reference."""
    found = CenterSamplingAssigner(radius).assign(
        POINTS, torch.tensor(segments, dtype=torch.float32).reshape(-1, 2), torch.tensor(labels))
    assert found.point.dtype == found.gt.dtype == torch.int64
    order = list(zip(found.point.tolist(), found.label.tolist()))
    assert order == sorted(set(order)), 'pairs are in order and each one once'
    return {pair: (*distance, gt) for pair, distance, gt in zip(
        order, found.distance.tolist(), found.gt.tolist())}


def check_equal(got, expected):
    assert got.keys() == expected.keys()
    for pair, values in expected.items():
        assert got[pair] == pytest.approx(values, abs=1e-4)


@pytest.mark.parametrize('radius', [1.5, 0.6, 4., None])
@pytest.mark.parametrize('seed', range(6))
def test_random_actions(seed, radius):
    generator = torch.Generator().manual_seed(seed)
    starts = torch.rand(8, generator=generator) * 50
    lengths = 40**torch.rand(8, generator=generator)
    segments = torch.stack([starts, (starts + lengths).clamp(max=63)], dim=1)
    labels = torch.randint(4, (8, ), generator=generator)
    expected = reference(segments.tolist(), labels.tolist(), radius)
    assert len(expected) > 5
    check_equal(assign(segments.tolist(), labels.tolist(), radius), expected)


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


def test_no_action():
    found = CenterSamplingAssigner().assign(POINTS, torch.zeros(0, 2), torch.zeros(0).long())
    assert found.point.shape == found.label.shape == found.gt.shape == (0, )
    assert found.distance.shape == (0, 2)


def test_action_between_points():
    assert assign([(10.2, 10.8)], [0]) == {}


@pytest.mark.parametrize('radius', [0, -1.])
def test_wrong_radius(radius):
    with pytest.raises(ValueError, match='radius must be positive'):
        CenterSamplingAssigner(radius)
