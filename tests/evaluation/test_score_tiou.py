"""Candidates beside the instances that they overlap: by hand, and against loops."""
import numpy as np
import pytest
from scipy.stats import rankdata

from cltdr_mm.evaluation import Detections, GroundTruth
from cltdr_mm.evaluation.functional import STRONG, score_tiou, score_tiou_numbers

from . import loops


def truth_of(segments, labels, videos, classes=2, names=2):
    return GroundTruth(
        classes=tuple('abcdef'[:classes]), video_names=tuple('uvwxyz'[:names]),
        segments=np.array(segments, float).reshape(-1, 2), labels=np.array(labels, int),
        videos=np.array(videos, int), durations=np.full(names, 60.))


def candidates_of(*rows):
    """Rows of start, end, score, label, video."""
    table = np.array(rows, float).reshape(-1, 5)
    return Detections(table[:, :2].copy(), table[:, 2].copy(), table[:, 3].astype(int),
                      table[:, 4].astype(int))


def test_by_hand():
    truth = truth_of([[0, 10], [10, 20], [0, 10], [30, 40]], [0, 0, 1, 1], [0, 0, 0, 1])
    found = score_tiou(candidates_of(
        (0, 10, 0.2, 0, 0),   # all of the first instance
        (0, 5, 0.9, 0, 0),    # half of it, of a higher score
        (8, 20, 0.5, 0, 0),   # 10 of 12 s are the second's, 2 of 20 the first's
        (20, 25, 0.8, 0, 0),  # touches the second, without overlap
        (0, 10, 0.7, 0, 1),   # another video
        (2, 12, 0.6, 1, 0),   # 8 of 12 s of the third, which is of another class
        (0, 10, 0.4, 1, 5),   # a video outside the subset
    ), truth)
    np.testing.assert_allclose(found.tious, [1, 0.5, 10 / 12, 0, 0, 8 / 12, 0])
    np.testing.assert_allclose(found.instance_scores, [0.9, 0.5, 0.6, 0])
    np.testing.assert_allclose(found.instance_tious, [0.5, 10 / 12, 8 / 12, 0])
    np.testing.assert_allclose(found.best_tious, [1, 10 / 12, 8 / 12, 0])
    assert found.strong.all()
    numbers = score_tiou_numbers(found)
    assert numbers['instances'] == dict(
        count=4, with_candidate=3, mean_score=pytest.approx(0.5), mean_tiou=pytest.approx(0.5),
        best_mean_tiou=pytest.approx(0.625))
    assert numbers['strong'] == dict(candidates=7, mean_tiou=pytest.approx(3 / 7))
    assert numbers['overlapping']['candidates'] == 4


def test_equal_overlaps_and_scores():
    truth = truth_of([[0, 4], [4, 8]], [0, 0], [0, 0])
    found = score_tiou(candidates_of((2, 6, 0.5, 0, 0), (4, 8, 0.5, 0, 0)), truth)
    # the first overlaps both alike and so is the second's, of equal scores it was given first
    np.testing.assert_allclose(found.instance_tious, [0, 1 / 3])
    np.testing.assert_allclose(found.best_tious, [1 / 3, 1])
    assert score_tiou_numbers(found)['instances']['with_candidate'] == 1


@pytest.mark.parametrize('kind', ['plain', 'ties', 'one class'])
def test_equals_the_loop(kind):
    for seed in range(3):
        detections, truth = loops.scene(seed, kind=kind)
        found = score_tiou(detections, truth)
        tious, best = np.zeros(len(detections)), np.zeros(len(truth.labels))
        strongest = {}
        for d in range(len(detections)):
            nearest = None
            for g in range(len(truth.labels)):
                if truth.labels[g] != detections.labels[d] or \
                        truth.videos[g] != detections.videos[d]:
                    continue
                iou = loops.iou(detections.segments[d], truth.segments[g])
                best[g] = max(best[g], iou)
                if iou > 0 and iou >= tious[d]:
                    tious[d], nearest = iou, g
            if nearest is not None and (nearest not in strongest or
                                        detections.scores[d] > strongest[nearest][0]):
                strongest[nearest] = (detections.scores[d], tious[d])
        np.testing.assert_allclose(found.tious, tious, atol=1e-12)
        np.testing.assert_allclose(found.best_tious, best, atol=1e-12)
        np.testing.assert_allclose(
            np.stack([found.instance_scores, found.instance_tious], 1),
            [strongest.get(g, (0, 0)) for g in range(len(truth.labels))], atol=1e-12)


def test_strong_ones_are_the_first_of_each_class():
    detections, truth = loops.scene(0, per_video=2, detections=900)
    found = score_tiou(detections, truth)
    for c in range(len(truth.classes)):
        mine = np.flatnonzero(detections.labels == c)
        best = mine[np.argsort(-detections.scores[mine])][:STRONG * (truth.labels == c).sum()]
        assert set(np.flatnonzero(found.strong & (detections.labels == c))) == set(best)
    assert 0 < found.strong.sum() < len(detections)


def test_correlations():
    detections, truth = loops.scene(2, kind='ties')
    found = score_tiou(detections, truth)
    numbers = score_tiou_numbers(found)
    over = found.tious > 0
    assert 0 < over.sum() < len(over)
    for key, mine in (('all', slice(None)), ('overlapping', over)):
        x, y = found.scores[mine], found.tious[mine]
        assert numbers[key]['candidates'] == len(x)
        assert numbers[key]['pearson'] == pytest.approx(np.corrcoef(x, y)[0, 1])
        assert numbers[key]['spearman'] == pytest.approx(
            np.corrcoef(rankdata(x), rankdata(y))[0, 1])
    found.tious = found.scores**2
    numbers = score_tiou_numbers(found)
    assert numbers['all']['spearman'] == pytest.approx(1) and numbers['all']['pearson'] < 1


def test_nothing_to_compare():
    truth = truth_of([[0, 4]], [0], [0])
    none = dict(pearson=None, spearman=None)
    for candidates, count in ((candidates_of(), 0), (candidates_of((0, 3, 0.5, 1, 0)), 1),
                              (candidates_of((5, 6, .5, 0, 0), (7, 8, .4, 0, 0)), 2)):
        numbers = score_tiou_numbers(score_tiou(candidates, truth))
        assert numbers['all'] == dict(none, candidates=count)
        assert numbers['overlapping'] == dict(none, candidates=0)
        assert numbers['instances']['best_mean_tiou'] == 0
    assert score_tiou_numbers(score_tiou(candidates_of(), truth))['strong'] == dict(
        candidates=0, mean_tiou=None)
    with pytest.raises(ValueError, match='no annotations'):
        score_tiou(candidates_of(), truth_of([], [], []))
