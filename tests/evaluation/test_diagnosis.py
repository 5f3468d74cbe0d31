import numpy as np
import pytest

from cltdr_mm.evaluation import get_protocol
from cltdr_mm.evaluation.functional import (
    ERROR_TYPES,
    SIZES,
    diagnose,
    error_impact,
    false_positive_profile,
    instance_sizes,
    sensitivity,
    size_ranges,
)

from . import loops


@pytest.mark.parametrize('kind', ['plain', 'ties', 'one class', 'empty'])
@pytest.mark.parametrize('tiou', [0.3, 0.5, 0.8])
def test_kinds_equal_the_loop(kind, tiou):
    for seed in range(4):
        detections, truth = loops.scene(seed, kind=kind)
        found = diagnose(detections, truth, tiou, 'stable')
        for c in range(len(truth.classes)):
            kinds = [ERROR_TYPES[k] for k in found.kinds[found.ranked.labels == c]]
            assert kinds == loops.kind(detections, truth, c, tiou)


def test_profile_equals_the_loop():
    for seed in range(3):
        detections, truth = loops.scene(seed)
        diagnosis = diagnose(detections, truth, 0.5, 'stable')
        found = false_positive_profile(diagnosis, truth, 4)
        expected = np.zeros((4, 6))
        present = [c for c in range(len(truth.classes)) if (truth.labels == c).any()]
        for c in present:
            g = int((truth.labels == c).sum())
            for i, kind in enumerate(loops.kind(detections, truth, c, 0.5)[:4 * g]):
                expected[i // g, ERROR_TYPES.index(kind)] += 1 / g / len(present)
        np.testing.assert_allclose(found, expected, atol=1e-12)


def test_impact_equals_the_loop():
    detections, truth = loops.scene(1)
    found = error_impact(diagnose(detections, truth, 0.5, 'stable'), truth)
    present = [c for c in range(len(truth.classes)) if (truth.labels == c).any()]

    def mean_ap(without=None):
        values = []
        for c in present:
            mine = np.flatnonzero(detections.labels == c)
            mine = mine[np.argsort(-detections.scores[mine], kind='stable')]
            keep = [k != without for k in loops.kind(detections, truth, c, 0.5)]
            values.append(loops.average_precision(detections.select(mine[keep]), truth, c, 0.5))
        return np.mean(values)

    assert found['mAP'] == pytest.approx(mean_ap())
    for name in ERROR_TYPES[1:]:
        assert found[name] == pytest.approx(mean_ap(name) - mean_ap()), name
        assert found[name] >= 0


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


def test_sensitivity_equals_the_loop():
    for seed in range(3):
        detections, truth = loops.scene(seed)
        diagnosis = diagnose(detections, truth, 0.5, 'stable')
        sizes = dict(length=(truth.segments[:, 1] - truth.segments[:, 0] > 5).astype(int))
        found = sensitivity(diagnosis, truth, sizes)
        present = [c for c in range(len(truth.classes)) if (truth.labels == c).any()]
        n = len(truth.labels) / len(present)
        for name, members in (('XS', sizes['length'] == 0), ('S', sizes['length'] == 1)):
            values, missed = [], 0
            for c in present:
                claims = loops.claims(detections, truth, c, 0.5)
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
            entry = found['length'][name]
            assert entry['mAP_N'] == pytest.approx(np.mean(values))
            assert entry['instances'] == members.sum()
            assert entry['missed'] == pytest.approx(missed / members.sum())
        assert found['all']['all']['instances'] == len(truth.labels)


def test_threshold():
    with pytest.raises(ValueError, match='tiou must be in'):
        diagnose(*loops.scene(0), tiou=0.1)


def test_a_profile_of_nothing_is_refused():
    detections, truth = loops.scene(0)
    with pytest.raises(ValueError, match='max_k must be positive, got 0'):
        false_positive_profile(diagnose(detections, truth, 0.5), truth, 0)


def test_ranges_of_sizes_are_those_by_which_instances_are_sorted():
    thumos = get_protocol('thumos14')
    assert size_ranges(thumos.coverage_edges, '%') == dict(
        XS='<= 2 %', S='2-4 %', M='4-6 %', L='6-8 %', XL='> 8 %')
    assert size_ranges(thumos.length_edges, 's') == dict(
        XS='<= 3 s', S='3-6 s', M='6-12 s', L='12-18 s', XL='> 18 s')
    assert size_ranges(thumos.count_edges) == dict(XS='1', S='2-40', M='41-80', L='> 80')
    assert size_ranges((2, 3)) == dict(XS='<= 2', S='3', M='> 3')
