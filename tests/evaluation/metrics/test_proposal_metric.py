"""AR@AN through the metric's interface, against counts by hand."""
import json

import pytest
import torch
from mmengine.structures import InstanceData

from cltdr_mm.evaluation import ProposalMetric


@pytest.fixture
def ann_file(tmp_path):
    segments = dict(a=[[0., 10.], [20., 30.]], b=[[5., 15.]])
    database = {
        name: dict(subset='test', duration=60., fps=10., annotations=[
            dict(label=label, segment=segment) for label, segment in zip('xy', found)])
        for name, found in segments.items()}
    path = tmp_path / 'ann.json'
    path.write_text(json.dumps(dict(database=database)))
    return str(path)


def sample(name, segments, scores):
    instances = InstanceData(segments=torch.tensor(segments, dtype=torch.float64).reshape(-1, 2),
                             scores=torch.tensor(scores), labels=torch.zeros(len(scores)).long())
    return dict(video_name=name, duration=60., pred_instances=instances)


def test_recall_by_number_of_proposals(ann_file, tmp_path):
    metric = ProposalMetric(ann_file, protocol='hapt', out_dir=str(tmp_path / 'out'))
    # best first: exact; IoU 0.6 (three of the ten thresholds); nothing
    metric.process(None, [sample('a', [[0., 10.], [20., 26.]], [0.9, 0.5]),
                          sample('b', [[30., 40.], [5., 15.]], [0.8, 0.1])])
    flat = metric.evaluate(2)
    # one proposal a video finds one of three, two find the rest
    assert flat['AR@1'] == pytest.approx(1 / 3)
    assert flat['AR@100'] == pytest.approx((1 + 0.3 + 1) / 3)
    assert 0 < flat['AUC'] < flat['AR@100']
    written = json.loads((tmp_path / 'out' / 'metrics.json').read_text())
    assert written['AR@100'] == flat['AR@100'] and written['fingerprint']['videos'] == 2
    detections = json.loads((tmp_path / 'out' / 'detections.json').read_text())['results']
    assert [p['segment'] for p in detections['b']] == [[30., 40.], [5., 15.]]
    assert all(set(p) == {'segment', 'score'} for p in detections['b']), 'proposals have no class'


def test_proposals_need_no_label(ann_file, tmp_path):
    metric = ProposalMetric(ann_file, protocol='hapt', out_dir=str(tmp_path))
    samples = [sample('a', [[0., 10.], [20., 30.]], [0.9, 0.8]), sample('b', [[5., 15.]], [0.7])]
    for s in samples:
        del s['pred_instances'].labels
    metric.process(None, samples)
    assert metric.evaluate(2)['AR@100'] == 1
    written = json.loads((tmp_path / 'detections.json').read_text())['results']
    assert written['b'] == [dict(segment=[5., 15.], score=pytest.approx(0.7))]


def test_subset_without_annotations_is_written_and_not_judged(tmp_path):
    path = tmp_path / 'ann.json'
    path.write_text(json.dumps(dict(database=dict(a=dict(subset='test', duration=60.)))))
    out = tmp_path / 'out'
    metric = ProposalMetric(str(path), protocol='hapt', out_dir=str(out))
    metric.process(None, [sample('a', [[0., 10.]], [0.5])])
    assert metric.evaluate(1) == {}
    assert {p.name for p in out.iterdir()} == {'detections.json'}
    assert json.loads((out / 'detections.json').read_text())['results'] == dict(
        a=[dict(segment=[0., 10.], score=0.5)])


def test_detections_are_kept_whatever_is_wrong(ann_file, tmp_path):
    metric = ProposalMetric(ann_file, protocol='hapt', out_dir=str(tmp_path))
    metric.process(None, [sample('a', [[0., 10.]], [0.5])])
    with pytest.raises(ValueError, match='1 videos or windows .*: b'):
        metric.evaluate(1)
    results = json.loads((tmp_path / 'detections.json').read_text())['results']
    assert results == dict(a=[dict(segment=[0., 10.], score=0.5)], b=[])


def test_labels_do_not_count(ann_file):
    metric = ProposalMetric(ann_file, protocol='hapt')
    found = [[0., 10.], [20., 30.]]  # of classes x and y, predicted as one
    metric.process(None, [sample('a', found, [0.9, 0.8]), sample('b', [[5., 15.]], [0.7])])
    assert metric.evaluate(2)['AR@100'] == 1


def test_a_video_without_result_is_an_error(ann_file):
    metric = ProposalMetric(ann_file, protocol='hapt')
    metric.process(None, [sample('a', [[0., 10.]], [0.9])])
    with pytest.raises(ValueError, match='b'):
        metric.evaluate(1)
