"""Published detections against the numbers of the published evaluator, in its order of ties.

``CLTDR_EVALUATION_DIR`` may name a folder of further pairs ``NAME_detections.json[.gz]`` and
``NAME_expected.json``; by default the shared test data's. All are judged on ``thumos14.json``, of
that folder or else of the shared test data, subset Test.
"""
import json
import os
from pathlib import Path

import numpy as np
import pytest

from cltdr_mm.evaluation import (
    evaluate_detections,
    get_protocol,
    load_ground_truth,
    read_results,
)
from cltdr_mm.evaluation.protocols import tiou_name


def folder(shared_data):
    return Path(os.environ.get('CLTDR_EVALUATION_DIR') or shared_data / 'fixtures' / 'evaluation')


def vector_sort():
    """Whether NumPy sorts with AVX-512 here, as on the machine the expected files come from.

    Its order of equal scores, which those files depend on, is another without.
    """
    try:
        from numpy._core._multiarray_umath import __cpu_features__
    except ImportError:
        from numpy.core._multiarray_umath import __cpu_features__
    return __cpu_features__.get('AVX512_SKX', False)


def pairs(where):
    found = sorted(where.glob('*_detections.json')) + sorted(where.glob('*_detections.json.gz'))
    result = []
    for detections in found:
        name = detections.name.split('_detections.json')[0]
        result.append((detections, where / f'{name}_expected.json'))
    return result


def annotations(where, shared_data):
    own = where / 'thumos14.json'
    return str(own if own.is_file() else shared_data / 'data' / 'annotations' / 'thumos14.json')


def test_there_are_pairs(shared_data):
    where = folder(shared_data)
    assert pairs(where), f'no *_detections.json[.gz] in {where}'
    assert all(expected.is_file() for _, expected in pairs(where))


def test_every_ap_and_map(shared_data):
    where = folder(shared_data)
    truth = load_ground_truth(annotations(where, shared_data), 'Test')
    for path, expected_path in pairs(where):
        expected = json.loads(expected_path.read_text())
        found = read_results(str(path), truth, unknown_labels='drop').detections
        if not vector_sort() and _has_ties(found):
            pytest.skip(f"{path.name} has equal scores, whose order in NumPy's sort depends on "
                        'AVX-512, which this CPU lacks')
        report = evaluate_detections(found, truth, get_protocol('thumos14', expected['tiou']),
                                     tie_order='published')
        names = [tiou_name(t) for t in expected['tiou']]
        mean = [report['mAP'][t] for t in names]
        np.testing.assert_allclose(mean, expected['mAP'], atol=1e-6, rtol=0)
        # columns of the expected table are label ids, the order of our classes
        columns = [expected['activity_index'][str(i)] for i in sorted(truth.label_ids)]
        ap = [[report['AP'][c][t] for c in truth.classes] for t in names]
        np.testing.assert_allclose(ap, np.array(expected['ap'])[:, columns], atol=1e-6, rtol=0)
        assert report['fingerprint']['videos'] == expected['gt_videos']
        assert (report['fingerprint']['instances']
                == expected['gt_instances_after_duplicate_removal'])
        assert report['average_mAP'] == pytest.approx(np.mean(expected['mAP']), abs=1e-6)


def test_a_wrong_rule_would_be_noticed(shared_data):
    """Leaving out the video that the annotations lack moves the mAP by more than the tolerance."""
    shared = shared_data / 'fixtures' / 'evaluation'
    truth = load_ground_truth(annotations(shared, shared_data), 'Test')
    path, expected = str(shared / 'turn_detections.json.gz'), shared / 'turn_expected.json'
    kept = read_results(path, truth)
    assert kept.unknown_videos == {'video_test_0001292': 16}
    expected = json.loads(expected.read_text())
    protocol = get_protocol('thumos14', expected['tiou'])
    dropped = read_results(path, truth, unknown_videos='drop').detections
    wrong = list(evaluate_detections(dropped, truth, protocol, 'published')['mAP'].values())
    assert np.abs(np.array(wrong) - expected['mAP']).max() > 1e-4


def test_a_stable_order_is_the_same_everywhere(shared_data):
    """On a CPU with vector instructions as on one without, whose order of ties is another."""
    shared = shared_data / 'fixtures' / 'evaluation'
    protocol = get_protocol('thumos14')
    truth = load_ground_truth(annotations(shared, shared_data), 'Test', protocol=protocol)
    found = read_results(str(shared / 'turn_detections.json.gz'), truth).detections
    assert _has_ties(found)
    report = evaluate_detections(found, truth, protocol)
    assert round(100 * report['average_mAP'], 2) == 25.44
    assert evaluate_detections(found, truth, protocol, 'stable') == report


def _has_ties(detections):
    keys = np.stack([detections.labels, detections.scores], axis=1)
    return len(np.unique(keys, axis=0)) < len(keys)
