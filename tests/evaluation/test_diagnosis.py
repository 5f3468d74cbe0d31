import numpy as np
import pytest

from cltdr_mm.evaluation.functional import (
    ERROR_TYPES,
    average_error_impact,
    diagnose,
    error_impact,
    false_positive_profile,
)

from . import loops


@pytest.mark.parametrize('kind', ['plain', 'ties', 'one class', 'empty'])
@pytest.mark.parametrize('tiou', [0.1, 0.5, 0.8])
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


def test_average_impact_is_the_mean_over_thresholds():
    detections, truth = loops.scene(2)
    at = [error_impact(diagnose(detections, truth, tiou), truth) for tiou in (0.1, 0.5, 0.75)]
    found = average_error_impact(detections, truth, (0.1, 0.5, 0.75))
    assert list(found) == ['mAP', *ERROR_TYPES[1:]]
    for name, value in found.items():
        assert value == pytest.approx(sum(impact[name] for impact in at) / 3)
    assert found['localization'] > at[0]['localization'] == 0
    with pytest.raises(ValueError, match='thresholds must be in'):
        average_error_impact(detections, truth, ())


@pytest.mark.parametrize('tiou, words', [(0.09, 'must be 0.1 or more'), (1.1, r'in \(0, 1\]')])
def test_threshold(tiou, words):
    with pytest.raises(ValueError, match=words):
        diagnose(*loops.scene(0), tiou=tiou)


def test_a_profile_of_nothing_is_refused():
    detections, truth = loops.scene(0)
    with pytest.raises(ValueError, match='max_k must be positive, got 0'):
        false_positive_profile(diagnose(detections, truth, 0.5), truth, 0)
