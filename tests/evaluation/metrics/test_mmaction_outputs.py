"""What MMAction2's localizers return, in our metrics."""
import json

import numpy as np
import pytest
from mmaction.registry import METRICS
from mmaction.structures import ActionDataSample

BMN = [dict(video_name='a', proposal_list=[dict(segment=[1., 3.], score=.9),
                                           dict(segment=[5., 6.], score=.2)]),
       dict(video_name='b', proposal_list=[])]


@pytest.fixture
def ann_file(tmp_path):
    database = {name: dict(subset='test', duration=10., fps=10., annotations=[
        dict(segment=[1., 3.], label='run')]) for name in 'ab'}
    path = tmp_path / 'ann.json'
    path.write_text(json.dumps(dict(classes=['jump', 'run'], database=database)))
    return str(path)


def metric(ann_file, kind='ProposalMetric', **kwargs):
    return METRICS.build(dict(type=kind, ann_file=ann_file, protocol='custom', **kwargs))


def test_proposals_of_bmn(ann_file, tmp_path):
    judge = metric(ann_file, out_dir=str(tmp_path))
    judge.process(None, BMN)
    assert judge.evaluate(2)['AR@100'] == 0.5
    found = json.loads((tmp_path / 'detections.json').read_text())['results']
    assert found == dict(a=BMN[0]['proposal_list'], b=[])


def test_scores_of_videos_bring_a_class(ann_file, tmp_path):
    scores = tmp_path / 'scores.json'
    scores.write_text(json.dumps(dict(a=[.1, .9], b=[.1, .9])))
    judge = metric(ann_file, 'TALMetric', postprocessor=dict(
        type='TALPostProcessor', fusion=dict(type='ExternalScores', score_file=str(scores),
                                             topk=1)))
    judge.process(None, BMN)
    assert judge.evaluate(2)['mAP@0.5'] == pytest.approx(0.5)
    judge = metric(ann_file, 'TALMetric')
    judge.process(None, BMN)
    with pytest.raises(ValueError, match='proposals have no class, which TALMetric needs'):
        judge.evaluate(2)


def curves(start, end):
    """As TEM returns them, 10 steps."""
    table = np.full((10, 5), 0.1)
    table[start, 1] = table[end, 2] = 0.9
    return table


def test_curves_of_tem(ann_file):
    """Its fractions are of what the features cover, 9 of 10 seconds here."""
    meta = dict(duration_second=10., duration_frame=100, feature_frame=90)
    samples = [ActionDataSample(metainfo=dict(meta, video_name=name)) for name in 'ab']
    judge = metric(ann_file)
    judge.process(dict(data_samples=samples), [('a', curves(1, 3)), ('b', curves(2, 7))])
    best = {r['video_name']: r['segments'][r['scores'].argmax()].tolist() for r in judge.results}
    assert best == dict(a=pytest.approx([1.35, 3.15]), b=pytest.approx([2.25, 6.75]))
    assert judge.evaluate(2)['AR@100'] > 0


def test_curves_need_durations(ann_file):
    samples = [ActionDataSample(metainfo=dict(video_name='a', duration_second=10.))]
    with pytest.raises(ValueError, match="TEM gives fractions of video 'a', whose metainfo lacks "
                                         'duration_frame, feature_frame: add them to meta_keys'):
        metric(ann_file).process(dict(data_samples=samples), [('a', curves(1, 3))])
