import numpy as np
import pytest

from cltdr_mm.evaluation import (
    Detections,
    GroundTruth,
    evaluate_detections,
    get_protocol,
    ground_truth_remarks,
    report_text,
)
from cltdr_mm.evaluation.remarks import detection_counts, detection_remarks

CUSTOM = get_protocol('custom')


def truth(classes=('a', 'b'), segments=((0, 10), (20, 30)), labels=(0, 1), **more):
    return GroundTruth(
        classes=tuple(classes), video_names=('v', 'w'),
        segments=np.array(segments, dtype=np.float64), labels=np.array(labels),
        videos=np.zeros(len(labels), dtype=np.int64),
        **{**dict(durations=np.array([60., 30.])), **more})


def found(starts, videos, scores=None, labels=None):
    starts = np.array(starts, dtype=np.float64)
    number = len(starts)
    return Detections(
        np.stack([starts, starts + 5], axis=1),
        np.linspace(1, 0.1, number) if scores is None else np.array(scores),
        np.zeros(number, dtype=np.int64) if labels is None else np.array(labels), np.array(videos))


def test_nothing_to_say():
    right = truth()
    assert ground_truth_remarks(right, CUSTOM) == []
    assert detection_remarks(detection_counts(found([0, 20, 59], [0, 0, 0]), right)) == []
    report = evaluate_detections(found([0, 20], [0, 0], labels=[0, 1]), right, CUSTOM)
    assert report['remarks'] == [] and report_text(report, CUSTOM).endswith('+')


@pytest.mark.parametrize('more, protocol, text', [
    (dict(ignored=dict(Ambiguous=3)), 'thumos14', "3 annotations labelled 'Ambiguous' are left"),
    (dict(segments=[(0, 0), (1, 2)]), 'custom', '1 annotations have no length: they count as'),
    (dict(unused=4), 'custom', '4 items of the annotations cannot be used'),
    (dict(classes=('Diving', 'sit')), 'thumos14', 'other classes than those of thumos14 (sit)'),
])
def test_of_annotations(more, protocol, text):
    more = dict(dict(classes=('Diving', 'HighJump')), **more)
    remark, = ground_truth_remarks(truth(**more), get_protocol(protocol))
    assert text in remark
    report = evaluate_detections(found([0], [0]), truth(**more), get_protocol(protocol))
    assert remark in report['remarks']
    assert remark in report_text(report, get_protocol(protocol)).splitlines()


def test_ignored_labels_that_do_not_occur_are_not_mentioned():
    assert ground_truth_remarks(truth(ignored=dict(Ambiguous=0)), CUSTOM) == []


def test_detections_in_frames():
    """Whatever the unit, what is beyond the end of its video is not in seconds."""
    counts = detection_counts(found([150, 3000, 900], [0, 0, 1]), truth())
    assert counts['beyond_duration'] == 3
    text = '3 of 3 detections begin after their video ends: segments must be in seconds'
    assert any(text in line for line in detection_remarks(counts))
    # one that is near the start of its video does not make the others right
    counts = detection_counts(found([150, 3000, 5, 40], [0, 0, 0, 1]), truth())
    assert counts['beyond_duration'] == 3 and 'in seconds' in detection_remarks(counts)[0]
    # a few are none: published annotations have such segments too
    counts = detection_counts(found([0, 10, 20, 61], [0] * 4), truth())
    assert counts['beyond_duration'] == 1 and detection_remarks(counts) == []
    # at the very end is within
    assert detection_counts(found([60], [0]), truth())['beyond_duration'] == 0


def test_detections_beyond_an_unknown_duration():
    right = truth(durations=np.array([np.nan, 30.]))
    assert detection_counts(found([3000, 25], [0, 1]), right)['beyond_duration'] == 0
    # videos outside the subset have no duration
    counts = detection_counts(found([3000, 3000, 40], [2, 7, 1]), right)
    assert (counts['beyond_duration'], counts['outside_subset']) == (1, 2)
    assert [line[:6] for line in detection_remarks(counts)] == ['2 of 3', '1 of 3']


def test_of_detections():
    right = truth(labels=(0, 0))
    counts = detection_counts(found([0, 1, 2, 3], [0] * 4, [.5, .5, .4, .5], [0, 0, 0, 1]), right)
    assert counts == dict(count=4, tied=2, outside_subset=0, without_ground_truth=1,
                          beyond_duration=0)
    lines = detection_remarks(counts)
    assert lines[0].startswith('1 detections are of classes without instances')
    assert lines[1].startswith('2 detections share their score')
    assert detection_remarks(detection_counts(
        found([0], [0]).select(slice(0, 0)), right)) == ['no detections']
