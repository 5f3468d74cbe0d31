"""Which instances are found, by size and threshold: by hand, and against loops."""
import numpy as np
import pytest

from cltdr_mm.evaluation import Detections, GroundTruth, get_protocol
from cltdr_mm.evaluation.functional import (
    SIZES,
    average_precision,
    instance_sizes,
    sensitivity,
    size_ranges,
)

from . import loops

TIOUS = (0.05, 0.3, 0.5, 0.75, 0.95)


def test_sizes():
    _, truth = loops.scene(0)
    truth.segments = np.array([[0., 1.], [0., 3.], [0., 3.1], [0., 12.], [0., 50.]])
    truth.labels, truth.videos = np.array([0, 0, 0, 1, 1]), np.array([0, 0, 1, 1, 1])
    truth.durations = np.full(5, 50.)
    thumos = get_protocol('thumos14')
    found = instance_sizes(truth, thumos.coverage_edges, thumos.length_edges, thumos.count_edges)
    assert [SIZES[i] for i in found['length']] == ['XS', 'XS', 'S', 'M', 'XL']
    assert [SIZES[i] for i in found['coverage']] == ['XS', 'M', 'L', 'XL', 'XL']
    assert [SIZES[i] for i in found['instances']] == ['S', 'S', 'XS', 'S', 'S']


def loop(detections, truth, members, tiou):
    """mAP_N and share missed of some instances, from the definitions."""
    present = [c for c in range(len(truth.classes)) if (truth.labels == c).any()]
    n = len(truth.labels) / len(present)
    values, missed = [], 0
    for c in present:
        claims = loops.claims(detections, truth, c, tiou)
        mine = np.flatnonzero((truth.labels == c) & members)
        missed += len(set(mine) - set(claims))
        if not len(mine):
            continue
        points, hits, wrong = [], 0, 0
        for claim in claims:
            if claim is None:
                wrong += 1
            elif members[claim]:
                hits += 1
                recall = hits / len(mine)
                points.append(recall * n / (recall * n + wrong))
        values.append(sum(max(points[i:]) for i in range(len(points))) / len(mine))
    return np.mean(values), missed / members.sum()


@pytest.mark.parametrize('kind', ['plain', 'ties', 'one class', 'empty'])
def test_equals_the_loop_at_every_threshold(kind):
    for seed in range(3):
        detections, truth = loops.scene(seed, kind=kind)
        lengths = truth.segments[:, 1] - truth.segments[:, 0]
        sizes = dict(length=(lengths > 5).astype(int))
        found = sensitivity(detections, truth, sizes, TIOUS)
        assert list(found) == ['all', 'length'] and list(found['length']) == ['XS', 'S']
        for entry, members in ((found['all']['all'], lengths > 0),
                               (found['length']['XS'], lengths <= 5),
                               (found['length']['S'], lengths > 5)):
            assert entry['instances'] == members.sum()
            expected = [loop(detections, truth, members, tiou) for tiou in TIOUS]
            np.testing.assert_allclose(entry['mAP_N'], [e[0] for e in expected], atol=1e-12)
            np.testing.assert_allclose(entry['missed'], [e[1] for e in expected], atol=1e-12)


def test_by_hand():
    """Two short and two long instances of one class: N is 4, the best detection is wrong."""
    truth = GroundTruth(
        ('a', ), ('v', ), np.array([[0, 2], [10, 12], [20, 30], [40, 50]], float),
        np.zeros(4, int), np.zeros(4, int), np.array([60.]))
    segments = np.array([[55, 56], [0, 2], [20, 30], [40, 46], [10, 11]], float)
    found = sensitivity(
        Detections(segments, np.linspace(0.9, 0.5, 5), np.zeros(5, int), np.zeros(5, int)), truth,
        dict(length=np.array([0, 0, 4, 4])), (0.5, 0.55, 0.7))
    short, long = found['length']['XS'], found['length']['XL']
    assert short['instances'] == long['instances'] == 2
    # XS: right at 1 wrong one before, recall 1/2 * 4 = 2 of 3; then all 4 of 5, so both have 4/5.
    # From 0.55 on the second is wrong: 2 of 3 for one of two instances.
    np.testing.assert_allclose(short['mAP_N'], [4 / 5, 1 / 3, 1 / 3])
    np.testing.assert_allclose(short['missed'], [0, 1 / 2, 1 / 2])
    # XL: the same up to 0.55; the second is found with tIoU 0.6
    np.testing.assert_allclose(long['mAP_N'], [4 / 5, 4 / 5, 1 / 3])
    np.testing.assert_allclose(long['missed'], [0, 0, 1 / 2])
    np.testing.assert_allclose(found['all']['all']['missed'], [0, 1 / 4, 1 / 2])


def test_of_classes_of_one_size_it_is_map():
    """Where every class has the mean number of instances nothing is to be normalised."""
    detections, truth = loops.scene(0)
    order = np.argsort(np.argsort(truth.labels, kind='stable'), kind='stable')
    truth.labels = order * 3 // len(order)
    assert np.bincount(truth.labels).tolist() == [8, 8, 8]
    found = sensitivity(detections, truth, {}, TIOUS)['all']['all']['mAP_N']
    expected = np.nanmean(average_precision(detections, truth, TIOUS), axis=1)
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize('tious', [(), (0., ), (0.5, 1.5)])
def test_thresholds(tious):
    with pytest.raises(ValueError, match='thresholds must be in'):
        sensitivity(*loops.scene(0), {}, tious)


def test_ranges_of_sizes_are_those_by_which_instances_are_sorted():
    thumos = get_protocol('thumos14')
    assert size_ranges(thumos.coverage_edges, '%') == dict(
        XS='<= 2 %', S='2-4 %', M='4-6 %', L='6-8 %', XL='> 8 %')
    assert size_ranges(thumos.length_edges, 's') == dict(
        XS='<= 3 s', S='3-6 s', M='6-12 s', L='12-18 s', XL='> 18 s')
    assert size_ranges(thumos.count_edges) == dict(XS='1', S='2-40', M='41-80', L='> 80')
    assert size_ranges((2, 3)) == dict(XS='<= 2', S='3', M='> 3')
