import importlib

import numpy as np
import pytest

from cltdr_mm.evaluation import Detections, GroundTruth
from cltdr_mm.evaluation.functional import (
    average_precision,
    diagnose,
    interpolated_ap,
    match,
    pair_iou,
    ranking,
    recall_at_kx,
)

from . import loops

TIOUS = (0.1, 0.3, 0.5, 0.75, 0.95, 1.0)
KINDS = ['plain', 'ties', 'one class', 'empty']
matching = importlib.import_module('cltdr_mm.evaluation.functional.matching')


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('at_once', [10**6, 40])
def test_equals_the_loop(kind, at_once, monkeypatch):
    """Also in blocks: the memory bound must not change anything."""
    monkeypatch.setattr(matching, 'PAIRS_AT_ONCE', at_once)
    for seed in range(5):
        detections, truth = loops.scene(seed, kind=kind)
        found = average_precision(detections, truth, TIOUS, 'stable')
        for c in range(len(truth.classes)):
            expected = [loops.average_precision(detections, truth, c, t) for t in TIOUS]
            np.testing.assert_allclose(found[:, c], expected, atol=1e-9, rtol=0)


@pytest.mark.parametrize('kind', KINDS)
def test_claims_equal_the_loop(kind):
    for seed in range(5):
        detections, truth = loops.scene(seed, kind=kind)
        ranked = detections.select(ranking(detections.scores, detections.labels, 'stable'))
        claimed = match(ranked.segments, ranked.videos, ranked.labels, truth.segments,
                        truth.videos, truth.labels, TIOUS)
        for i, t in enumerate(TIOUS):
            for c in range(len(truth.classes)):
                expected = [-1 if x is None else x
                            for x in loops.claims(detections, truth, c, t)]
                assert claimed[i, ranked.labels == c].tolist() == expected


def test_without_ties_both_orders_agree():
    detections, truth = loops.scene(7)
    assert len(set(detections.scores)) == len(detections)
    np.testing.assert_array_equal(average_precision(detections, truth, TIOUS, 'stable'),
                                  average_precision(detections, truth, TIOUS, 'published'))


def test_all_measures_take_ties_in_the_order_given():
    """Unless told otherwise; of equals NumPy's order is another, on some CPUs a third."""
    detections, truth = loops.scene(3, kind='ties')
    scores, labels = detections.scores, detections.labels
    order = ranking(scores, labels)
    for before, after in zip(order, order[1:]):
        assert (labels[before], -scores[before], before) < (labels[after], -scores[after], after)
    assert order.tolist() != ranking(scores, labels, 'published').tolist()
    for measure, args in ((average_precision, [TIOUS]), (recall_at_kx, [TIOUS]), (diagnose, [0.5])):
        default, stable, published = (
            measure(detections, truth, *args, **order)
            for order in ({}, dict(tie_order='stable'), dict(tie_order='published')))
        if measure is diagnose:
            default, stable, published = (x.kinds for x in (default, stable, published))
        np.testing.assert_array_equal(default, stable)
        assert not np.array_equal(default, published, equal_nan=default.dtype.kind == 'f')


def test_published_order_is_that_of_numpy():
    g = np.random.default_rng(0)
    scores, labels = np.round(g.random(500), 1), g.integers(0, 3, 500)
    order = ranking(scores, labels, 'published')
    for c in range(3):
        members = np.flatnonzero(labels == c)
        assert order[labels[order] == c].tolist() == members[
            scores[members].argsort()[::-1]].tolist()


def one_video(segments, scores, instances):
    num, truth = len(segments), np.array(instances, dtype=np.float64)
    zeros = np.zeros(num, dtype=np.int64)
    return (Detections(np.array(segments, dtype=np.float64), np.array(scores), zeros, zeros),
            GroundTruth(('c', ), ('v', ), truth, np.zeros(len(truth), dtype=np.int64),
                        np.zeros(len(truth), dtype=np.int64), np.array([100.])))


def test_known_numbers():
    """Hit, miss, hit of two instances: precision 1 up to recall 1/2, then 2/3."""
    detections, truth = one_video([[0, 10], [50, 60], [20, 30]], [0.9, 0.8, 0.7],
                                  [[0, 10], [20, 30]])
    assert average_precision(detections, truth, [0.5])[0, 0] == pytest.approx(0.5 + 0.5 * 2 / 3)
    # the second detection of an instance is false
    detections, truth = one_video([[0, 10], [0, 10]], [0.9, 0.8], [[0, 10], [20, 30]])
    assert average_precision(detections, truth, [0.5])[0, 0] == pytest.approx(0.5)
    # of two free instances it takes the one it overlaps more, and leaves the other to the next
    detections, truth = one_video([[0, 10], [0, 9]], [0.9, 0.8], [[0, 9], [0, 10]])
    assert average_precision(detections, truth, [0.85])[0, 0] == pytest.approx(1.)
    # the threshold itself is enough
    detections, truth = one_video([[0, 5]], [0.9], [[0, 10]])
    assert average_precision(detections, truth, [0.5, 0.51])[:, 0].tolist() == [1., 0.]


def test_recovery_at_a_second_choice():
    """What claims its second choice at a low threshold claims nothing at a high one."""
    detections, truth = one_video([[0, 10], [1, 10]], [0.9, 0.8], [[0, 10], [4, 10]])
    assert average_precision(detections, truth, [0.5, 0.8])[:, 0].tolist() == [1., 0.5]


def test_interpolation():
    hits = np.array([[False, True, True, False, True]])
    # precisions 0, 1/2, 2/3, 1/2, 3/5; best from each on: 2/3, 2/3, 2/3, 3/5, 3/5
    assert interpolated_ap(hits, 4)[0] == pytest.approx((2 / 3 + 2 / 3 + 3 / 5) / 4)
    assert interpolated_ap(np.zeros((2, 0), dtype=bool), 3).tolist() == [0., 0.]


def test_pair_iou_of_empty_segments():
    a = np.array([[1., 1.], [0., 2.], [0., 1.]])
    b = np.array([[1., 1.], [1., 3.], [5., 6.]])
    assert pair_iou(a, b).tolist() == pytest.approx([0., 1 / 3, 0.])


@pytest.mark.parametrize('tious', [[], [0.], [0.5, 1.1]])
def test_bad_thresholds(tious):
    with pytest.raises(ValueError, match='must be in'):
        average_precision(*loops.scene(0), tious)
    with pytest.raises(ValueError, match='tie_order must be'):
        average_precision(*loops.scene(0), [0.5], 'random')
