import numpy as np
import pytest

from cltdr_mm.visualization.layout import (
    Instances,
    assign_lanes,
    choose_classes,
    envelope,
    strongest,
    uncovered,
)


def overlap(a, b):
    return a[0] < b[1] and a[1] > b[0]


@pytest.mark.parametrize('seed', range(5))
def test_no_two_segments_of_a_lane_overlap_and_starts_need_fewest_lanes(seed):
    rng = np.random.default_rng(seed)
    starts = np.sort(rng.uniform(0, 100, 80))
    segments = np.c_[starts, starts + rng.exponential(5, 80)]
    lanes = assign_lanes(segments)
    assert (lanes >= 0).all()
    for lane in range(lanes.max() + 1):
        mine = segments[lanes == lane]
        assert not any(overlap(mine[i], mine[j]) for i in range(len(mine)) for j in range(i))
    depth = max(((segments[:, 0] <= s) & (segments[:, 1] > s)).sum() for s in starts)
    assert lanes.max() + 1 == depth


def test_touching_segments_share_a_lane_and_full_lanes_turn_away():
    assert assign_lanes(np.array([[0, 1], [1, 2], [0.5, 1.5]])).tolist() == [0, 0, 1]
    assert assign_lanes(np.array([[0, 2.], [1, 3], [1, 3]]), max_lanes=2).tolist() == [0, 1, -1]
    assert assign_lanes(np.empty((0, 2))).tolist() == []


def test_strongest_takes_threshold_then_count():
    found = Instances(np.tile([0., 1.], (4, 1)), [0, 1, 2, 3], [.2, .9, .5, .5])
    assert strongest(found).labels.tolist() == [1, 2, 3, 0]
    assert strongest(found, score_thr=.5).labels.tolist() == [1, 2, 3]
    assert strongest(found, score_thr=.1, top_k=2).labels.tolist() == [1, 2]


def test_uncovered_is_the_complement():
    segments = np.array([[5., 6], [1, 3], [2, 4], [9, 12]])
    assert uncovered(segments, 0, 10).tolist() == [[0, 1], [4, 5], [6, 9]]
    assert uncovered(np.empty((0, 2)), 2, 3).tolist() == [[2, 3]]
    assert uncovered(np.array([[0., 10]]), 0, 10).tolist() == []
    assert uncovered(segments, 5.5, 9.5).tolist() == [[6, 9]]


def test_rows_go_to_frequent_classes_in_order_of_time():
    truth = Instances([[9, 10], [1, 2], [3, 4], [5, 6], [7, 8]], [4, 2, 4, 3, 4])
    found = Instances([[0, 1], [0, 1]], [7, 8], [.3, .6])
    assert choose_classes(truth, found, 9) == ([2, 4, 3, 8, 7], [])
    kept, rest = choose_classes(truth, found, 2)
    assert kept == [2, 4] and rest == [3, 8, 7]


def test_envelope_keeps_every_peak():
    values = np.zeros(10007)
    values[5003], values[777] = 3.0, -2.0
    times, low, high = envelope(np.arange(10007) / 50, values, 400)
    assert len(times) == len(low) == len(high) == 400
    assert high.max() == 3.0 and low.min() == -2.0
    assert abs(times[high.argmax()] - 5003 / 50) < 10007 / 50 / 400 + 1e-9


@pytest.mark.parametrize('arguments, words', [
    (dict(segments=[[0, 1]], labels=[0, 1]), '1 segments, but 2 labels'),
    (dict(segments=[[0, 1]], labels=[0], scores=[.1, .2]), '1 segments, but 2 scores'),
    (dict(segments=[[0, np.nan]], labels=[0]), 'not a finite'),
    (dict(segments=[[0, 1]], labels=[0], scores=[np.inf]), 'score is not a finite'),
])
def test_bad_instances_say_what_is_wrong(arguments, words):
    with pytest.raises(ValueError, match=words):
        Instances(**arguments)


def test_negative_numbers_are_refused():
    found = Instances([[0, 1], [2, 3]], [0, 1], [0.5, 0.6])
    with pytest.raises(ValueError, match='top_k must not be negative, got -1'):
        strongest(found, top_k=-1)
    with pytest.raises(ValueError, match='max_classes must not be negative, got -1'):
        choose_classes(found, found, -1)
