import importlib
import json
import logging
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from mmaction.registry import METRICS
from mmaction.structures import ActionDataSample
from mmengine.evaluator import Evaluator
from mmengine.logging import MMLogger
from mmengine.structures import InstanceData

from cltdr_mm.datasets import TALDataError
from cltdr_mm.evaluation import (
    PROTOCOLS,
    evaluate_detections,
    flat_metrics,
    get_protocol,
    load_ground_truth,
    read_results,
)

RUN, SIT, JUMP = 1, 0, 2


def sample(video, segments, scores, labels, **meta):
    result = ActionDataSample(metainfo=dict(video_name=video, duration=60., **meta))
    result.pred_instances = InstanceData(
        segments=torch.tensor(segments, dtype=torch.float64).reshape(-1, 2),
        scores=torch.tensor(scores, dtype=torch.float32),
        labels=torch.tensor(labels, dtype=torch.int64))
    return result


def perfect():
    return [sample('two', [[5., 15.]], [0.7], [RUN]),
            sample('one', [[20., 30.], [0., 10.]], [0.6, 0.9], [SIT, RUN])]


@pytest.fixture
def logged():
    """List of what MMEngine's logger says."""
    lines, logger = [], MMLogger.get_current_instance()
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())
    logger.addHandler(handler)
    yield lines
    logger.removeHandler(handler)


def evaluate(ann_file, samples, meta=None, size=None, **kwargs):
    metric = METRICS.build(
        dict(type='TALMetric', ann_file=ann_file, **{**dict(protocol='hapt'), **kwargs}))
    evaluator = Evaluator(metric)
    evaluator.dataset_meta = {} if meta is None else meta
    for s in samples:
        evaluator.process([s])
    return evaluator.evaluate(len(samples) if size is None else size)


def test_keys_and_values(ann_file):
    found = evaluate(ann_file, perfect())
    assert found['average_mAP'] == found['mAP@0.3'] == found['mAP@0.95'] == 1
    assert found['average_mAP@0.5:0.95'] == found['recall@1x@0.5'] == found['recall@5x@0.7'] == 1
    worse = perfect()
    worse[1].pred_instances.segments[0] += 2.5  # tIoU 0.6 of the only 'sit'
    found = evaluate(ann_file, worse)
    assert found['mAP@0.6'] == 1 and found['mAP@0.7'] == 0.5
    assert found['average_mAP'] == pytest.approx(0.9)
    assert found['average_mAP@0.5:0.95'] == pytest.approx((3 + 7 * 0.5) / 10)


def test_report(ann_file, tmp_path, logged):
    out = tmp_path / 'out'
    found = evaluate(ann_file, perfect(), protocol='anet13', subset='TEST', out_dir=str(out))
    text = '\n'.join(logged)
    assert "2 videos ('Test'), 3 instances, 2 classes" in text
    assert 'recall@5x' in text and '| 0.75 ' in text and '| 0.6 ' not in text
    report = json.loads((out / 'metrics.json').read_text())
    assert report['protocol'] == 'anet13' and report['average_mAP'] == found['average_mAP']
    assert set(report['mAP']) == {f'{t:g}' for t in np.arange(0.5, 0.96, 0.05)}
    assert set(report['AP']) == {'run', 'sit'} and report['AP']['run']['0.5'] == 1
    assert report['fingerprint']['instances'] == 3
    detections = json.loads((out / 'detections.json').read_text())['results']
    assert list(detections) == ['one', 'two']
    assert [d['label'] for d in detections['one']] == ['run', 'sit']  # by score


@pytest.mark.parametrize('suppressed, nms, said', [
    (True, None, False), (False, None, True), (False, dict(type='SoftNMS', sigma=0.5), False)])
def test_candidates_are_no_results(ann_file, suppressed, nms, said):
    """Unless NMS is the metric's, as for windows."""
    metric = METRICS.build(dict(type='TALMetric', ann_file=ann_file, protocol='hapt',
                                postprocessor=dict(type='TALPostProcessor', nms=nms)))
    metric.set_suppressed(suppressed)
    metric.process(None, [s.to_dict() for s in perfect()])
    metric.evaluate(len(perfect()))
    assert ('candidates that no NMS has suppressed' in metric.text) == said


def test_the_result_file_gives_the_same_numbers(ann_file, tmp_path):
    g = np.random.default_rng(0)
    samples = []
    for name in ('one', 'two'):
        starts = g.random(50) * 30
        samples.append(sample(name, np.stack([starts, starts + 5 + g.random(50) * 9], 1),
                              np.round(g.random(50), 1), g.integers(0, 3, 50)))
    found = evaluate(ann_file, samples, out_dir=str(tmp_path))
    truth = load_ground_truth(ann_file, 'test')
    results = read_results(str(tmp_path / 'detections.json'), truth)
    protocol = get_protocol('hapt')
    assert flat_metrics(evaluate_detections(results.detections, truth, protocol),
                        protocol) == found
    assert 0 < found['average_mAP'] < 1
    # neither the order of the videos nor a sample that comes twice makes a difference
    assert evaluate(ann_file, samples[::-1]) == found
    assert evaluate(ann_file, samples + samples[:1]) == found


def test_protocol_and_classes_of_the_data_set(ann_file):
    meta = dict(protocol='thumos14', classes=('run', 'jump', 'sit'))
    samples = [sample('two', [[5., 15.]], [0.7], [0]),
               sample('one', [[20., 30.], [0., 10.]], [0.6, 0.9], [2, 0])]
    assert evaluate(ann_file, samples, meta, protocol=None)['average_mAP'] == 1
    with pytest.raises(ValueError, match='no protocol given'):
        evaluate(ann_file, samples, protocol=None)
    with pytest.raises(ValueError, match='unknown protocol'):
        METRICS.build(dict(type='TALMetric', ann_file=ann_file, protocol='x'))


def test_windows_are_put_together(ann_file):
    """The two windows of a video find the same instance; only NMS over both removes one."""
    samples = [
        sample('one', [[0., 10.], [20., 30.]], [0.9, 0.8], [RUN, SIT], window_index=0,
               num_windows=2),
        sample('one', [[20., 30.], [0., 10.]], [0.7, 0.6], [SIT, RUN], window_index=1,
               num_windows=2),
        sample('two', [[5., 15.]], [0.7], [RUN], window_index=0, num_windows=1)
    ]
    nms = dict(type='TALPostProcessor', nms=dict(type='HardNMS', iou_threshold=0.5))
    assert evaluate(ann_file, samples, postprocessor=nms)['mAP@0.5'] == 1
    without = evaluate(ann_file, samples)['mAP@0.5']
    # run: hit 0.9, hit 0.7, double 0.6; sit: hit, double. Nothing false before the last hit.
    assert without == 1
    samples[2].pred_instances.scores[0] = 0.1  # now the double comes before it
    assert evaluate(ann_file, samples)['mAP@0.5'] == pytest.approx(((1 + 2 / 3) / 2 + 1) / 2)
    assert evaluate(ann_file, samples, postprocessor=nms)['mAP@0.5'] == 1
    with pytest.raises(ValueError, match=r'1 videos or windows .*one \(window 1\)'):
        evaluate(ann_file, samples[::2])


def test_postprocessor_clips_to_the_duration(ann_file):
    samples = perfect()
    samples[0].pred_instances.segments[0, 1] = 75.
    samples[0].set_metainfo(dict(duration=15.))
    nms = dict(type='TALPostProcessor', nms=dict(type='SoftNMS'))
    assert evaluate(ann_file, samples)['mAP@0.5'] < 1
    assert evaluate(ann_file, samples, postprocessor=nms)['mAP@0.95'] == 1


def test_coverage(ann_file, logged):
    with pytest.raises(ValueError, match=r"1 videos or windows of subset 'Test' .*: one\."):
        evaluate(ann_file, perfect()[:1])
    found = evaluate(ann_file, perfect()[:1], allow_missing=True)
    assert found['mAP@0.5'] == pytest.approx((0.5 + 0) / 2)
    assert any('1 videos or windows' in line and line.endswith(': one') for line in logged)
    with pytest.raises(ValueError, match="1 videos are not part of subset 'Test'.*three"):
        evaluate(ann_file, [*perfect(), sample('three', [], [], [])])


@pytest.mark.parametrize('videos, message', [
    (['one'], r"ann.*: videos: TALMetric: 1 videos .* of subset 'Test' .* are not in the data "
              r'set: two\. allow_missing=True counts'),
    (['one', 'two', 'three'], "1 videos are not part of subset 'Test'.*: three"),
])
def test_coverage_is_known_before_a_run(ann_file, videos, message):
    def check(names, **kwargs):
        METRICS.build({**dict(type='TALMetric', ann_file=str(ann_file), protocol='hapt'),
                       **kwargs}).check_videos(names)

    check(['two', 'one'])
    check(['one'], allow_missing=True)
    with pytest.raises(TALDataError, match=message):
        check(videos)
    with pytest.raises(TALDataError, match='nowhere.json: file: cannot be read'):
        check(['one', 'two'], ann_file='nowhere.json')


def test_video_level_scores_are_asked_for_before_a_run(ann_file, tmp_path):
    path = tmp_path / 'scores.json'
    path.write_text(json.dumps(dict(classes=['sit', 'run', 'jump'], results={'one': [.5, .3, .2]})))
    metric = METRICS.build(dict(
        type='TALMetric', ann_file=str(ann_file), protocol='hapt', postprocessor=dict(
            type='TALPostProcessor', fusion=dict(type='ExternalScores', score_file=str(path)))))
    with pytest.raises(TALDataError, match=r"scores.json: scores: none for 1 of 2 videos: 'two'"):
        metric.check_videos(['one', 'two'])
    scores = dict(zip(metric.ground_truth.classes, metric.postprocessor.fusion.scores['one']))
    assert scores == dict(sit=.5, run=.3, jump=.2)


def test_videos_without_detections(ann_file):
    samples = [sample('one', [], [], []), sample('two', [], [], [])]
    assert evaluate(ann_file, samples)['average_mAP'] == 0
    samples[1] = perfect()[0]
    assert evaluate(ann_file, samples)['mAP@0.5'] == pytest.approx(0.25)


@pytest.mark.parametrize('change, message', [
    (dict(segments=[[0., float('nan')]]), "video 'two' hold NaN"),
    (dict(scores=[float('inf')]), "video 'two' hold NaN"),
    (dict(labels=[3]), "video 'two' has predicted labels from 3 to 3, but there are 3 classes"),
    (dict(labels=[-1]), "video 'two' has predicted labels"),
])
def test_bad_predictions(ann_file, change, message):
    values = {**dict(segments=[[5., 15.]], scores=[0.7], labels=[RUN]), **change}
    with pytest.raises(ValueError, match=message):
        evaluate(ann_file, [perfect()[1], sample('two', **values)])


@pytest.fixture
def hidden(tmp_path):
    """A test set whose annotations are kept back."""
    path = tmp_path / 'hidden.json'
    path.write_text(json.dumps(dict(classes=['a', 'b'], database={
        'v': dict(subset='test', duration=9., fps=1., annotations=[]),
        'w': dict(subset='test', duration=9., fps=1.),
        't': dict(subset='train', duration=9., fps=1., annotations=[
            dict(label='a', segment=[1., 2.])])})))
    return str(path)


def test_subset_without_annotations_is_written_and_not_judged(hidden, tmp_path, logged):
    out = tmp_path / 'out'
    out.mkdir()
    (out / 'metrics.json').write_text('of an earlier test')
    samples = [sample('w', [], [], []), sample('v', [[1., 2.], [3., 4.]], [0.75, 0.5], [1, 0])]
    assert evaluate(hidden, samples, out_dir=str(out)) == {}
    assert {path.name for path in out.iterdir()} == {'detections.json'}
    assert json.loads((out / 'detections.json').read_text())['results'] == dict(
        v=[dict(label='b', segment=[1., 2.], score=0.75),
           dict(label='a', segment=[3., 4.], score=0.5)], w=[])
    assert any("hidden.json: subset 'test' has no annotations, its 2 videos are not judged" in line
               for line in logged)
    assert evaluate(hidden, samples) == {}  # without a folder too
    # what does not fit is still an error
    with pytest.raises(ValueError, match='1 videos or windows'):
        evaluate(hidden, samples[:1])


def test_a_best_checkpoint_needs_annotations(hidden):
    metric = METRICS.build(dict(type='TALMetric', ann_file=hidden, protocol='hapt'))
    with pytest.raises(TALDataError, match=r"hidden\.json: annotations: subset 'test' has none; "
                       r'validate on another .* or set default_hooks\.checkpoint\.save_best=None'):
        metric.check_instances()
    metric.check_videos(['v', 'w'])  # a test may go on
    METRICS.build(dict(type='TALMetric', ann_file=hidden, protocol='hapt',
                       subset='train')).check_instances()


RUN_FOUND = dict(label='run', segment=[5., 15.], score=0.75)


@pytest.mark.parametrize('samples, kept', [
    # a video without prediction; a video that is not part of the subset
    ([sample('two', [[5., 15.]], [0.75], [RUN])], dict(one=[], two=[RUN_FOUND])),
    ([sample(name, [[5., 15.]], [0.75], [RUN]) for name in ('four', 'one', 'two')],
     dict(one=[RUN_FOUND], two=[RUN_FOUND], four=[RUN_FOUND])),
    # numbers and labels that are none
    ([sample('one', [[5., 15.], [0., float('nan')]], [0.75, 0.5], [RUN, SIT]),
      sample('two', [], [], [])], dict(one=[RUN_FOUND], two=[])),
    ([sample('one', [[5., 15.], [5., 15.]], [0.75, 0.75], [RUN, 7]), sample('two', [], [], [])],
     dict(one=[RUN_FOUND, dict(RUN_FOUND, label=7)], two=[])),
    ([sample('one', [[5., 15.]], [0.75], [RUN], num_windows=2), sample('two', [], [], [])],
     dict(one=[RUN_FOUND], two=[])),
])
def test_detections_are_kept_whatever_is_wrong(ann_file, tmp_path, samples, kept):
    (tmp_path / 'metrics.json').write_text('of an earlier test')
    with pytest.raises(ValueError, match='TALMetric'):
        evaluate(ann_file, samples, out_dir=str(tmp_path))
    assert json.loads((tmp_path / 'detections.json').read_text())['results'] == kept
    assert not (tmp_path / 'metrics.json').exists()


def test_detections_are_written_before_they_are_judged(ann_file, tmp_path, monkeypatch):
    module = importlib.import_module('cltdr_mm.evaluation.metrics.tal_metric')

    def fail(*args):
        raise MemoryError

    monkeypatch.setattr(module, 'evaluate_detections', fail)
    with pytest.raises(MemoryError):
        evaluate(ann_file, perfect(), out_dir=str(tmp_path))
    results = json.loads((tmp_path / 'detections.json').read_text())['results']
    assert {name: len(found) for name, found in results.items()} == dict(one=2, two=1)


def proposals(samples):
    for s in samples:
        del s.pred_instances.labels
    return samples


def test_proposals_have_no_mean_average_precision(ann_file, tmp_path):
    with pytest.raises(TALDataError, match='label: proposals have no class.*by ProposalMetric, or '
                       r'.* \(fusion of the post-processor\)'):
        evaluate(ann_file, proposals(perfect()), out_dir=str(tmp_path))
    results = json.loads((tmp_path / 'detections.json').read_text())['results']
    assert [set(found) for found in results['one']] == [{'segment', 'score'}] * 2
    # not even where nothing is judged
    samples = proposals([sample('two', [], [], []), sample('one', [], [], [])])
    with pytest.raises(TALDataError, match='proposals have no class'):
        evaluate(ann_file, samples)


def test_video_level_scores_make_detections_of_proposals(ann_file, tmp_path):
    path = tmp_path / 'scores.json'
    path.write_text(json.dumps(dict(classes=['sit', 'run', 'jump'], results={
        'one': [.1, .8, .1], 'two': [.1, .9, 0.]})))
    fusion = dict(type='TALPostProcessor', fusion=dict(
        type='ExternalScores', score_file=str(path), topk=1))
    found = evaluate(ann_file, proposals(perfect()), postprocessor=fusion, out_dir=str(tmp_path))
    assert found['mAP@0.5'] == pytest.approx(0.5)  # all are taken for 'run'
    results = json.loads((tmp_path / 'detections.json').read_text())['results']
    assert [d['label'] for d in results['one']] == ['run', 'run']


def test_ignored_annotations(tmp_path, logged):
    path = tmp_path / 'thumos.json'
    annotations = [dict(label='Diving', segment=[0., 10.]),
                   dict(label='Ambiguous', segment=[20., 30.])]
    path.write_text(json.dumps(dict(database=dict(
        v=dict(subset='Test', duration=60., annotations=annotations)))))
    meta = dict(protocol='thumos14', classes=('Diving', 'HighJump'))
    found = evaluate(str(path), [sample('v', [[0., 10.]], [0.5], [0])], meta, protocol=None)
    assert found['average_mAP'] == 1
    assert "1 annotations labelled 'Ambiguous' are left out" in '\n'.join(logged)


def test_equal_scores_are_judged_in_the_order_given(ann_file):
    """The same on any CPU: a stable order is the default."""
    wrong, right = [[40., 50.]], [[5., 15.]]
    for number in (1, 20, 300):
        first, last = (sample('two', order, [0.5] * len(order), [RUN] * len(order))
                       for order in (right + wrong * number, wrong * number + right))
        one = sample('one', [[0., 10.]], [0.9], [RUN])
        assert evaluate(ann_file, [one, first])['mAP@0.5'] == 0.5
        expected = (1 + 2 / (number + 2)) / 2 / 2
        assert evaluate(ann_file, [one, last])['mAP@0.5'] == pytest.approx(expected)


RANKS = '''
import json, sys
import torch.distributed as dist
from tests.evaluation.metrics.test_tal_metric import many, Evaluator, METRICS
dist.init_process_group('gloo')
rank, world = dist.get_rank(), dist.get_world_size()
samples = many()
# as MMEngine's DefaultSampler deals them out, the last ranks filled up from the start
total = -(-len(samples) // world) * world
mine = [samples[i % len(samples)] for i in range(rank, total, world)]
evaluator = Evaluator(METRICS.build(
    dict(type='TALMetric', ann_file=sys.argv[1], protocol='hapt', out_dir=sys.argv[2])))
evaluator.dataset_meta = {}
evaluator.process(mine)
found = evaluator.evaluate(len(samples))
with open(f'{sys.argv[2]}_{rank}.json', 'w') as file:  # two ranks would mix up their output
    json.dump(found, file)
dist.destroy_process_group()
'''


def many():
    """15 videos: an odd number, so that two ranks get a repeated sample."""
    g = np.random.default_rng(1)
    samples = []
    for i in range(15):
        starts = g.random(20) * 40
        samples.append(sample(f'v{i}', np.stack([starts, starts + 2 + g.random(20) * 9], 1),
                              np.round(g.random(20), 2), g.integers(0, 2, 20)))
    return samples


def test_two_ranks_count_fifteen_samples(tmp_path, project_root):
    database = {
        f'v{i}': dict(subset='test', duration=60., fps=10., annotations=[
            dict(label='ab'[i % 2], segment=[2. * i, 2. * i + 8])]) for i in range(15)
    }
    ann_file = tmp_path / 'many.json'
    ann_file.write_text(json.dumps(dict(classes=['a', 'b'], database=database)))
    alone = evaluate(str(ann_file), many(), out_dir=str(tmp_path / 'one'))
    assert 0 < alone['average_mAP'] < 1
    env = dict(os.environ, OMP_NUM_THREADS='1', PYTHONPATH=str(project_root))
    done = subprocess.run(
        [sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc_per_node=2',
         '--no_python', sys.executable, '-c', RANKS, str(ann_file), str(tmp_path / 'two')],
        capture_output=True, text=True, env=env, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for rank in range(2):
        assert json.loads((tmp_path / f'two_{rank}.json').read_text()) == alone
    assert ((tmp_path / 'two' / 'detections.json').read_text()
            == (tmp_path / 'one' / 'detections.json').read_text())


@pytest.mark.parametrize('prefix', [None, 'mine'])
@pytest.mark.parametrize('kind', ['TALMetric', 'ProposalMetric'])
def test_names_of_what_is_measured(ann_file, kind, prefix):
    metric = METRICS.build(dict(type=kind, ann_file=ann_file, protocol='hapt', prefix=prefix))
    names = metric.metric_names()
    for one in perfect():
        metric.process(None, [one.to_dict()])
    assert names == list(metric.evaluate(2))


def test_texts_for_a_person(ann_file, hidden, logged):
    metric = METRICS.build(dict(type='TALMetric', ann_file=ann_file, protocol='hapt'))
    assert (metric.text, metric.short_text, metric.of_classes) == ('', '', {})
    worse = perfect()
    worse[1].pred_instances.segments[0] += 2.5  # tIoU 0.6 of the only 'sit'
    for one in worse:
        metric.process(None, [one.to_dict()])
    found = metric.evaluate(2)
    assert '\n' + metric.text in logged
    assert metric.of_classes == {'AP/sit': pytest.approx(0.8), 'AP/run': pytest.approx(1)}
    names, values, f1 = metric.short_text.splitlines()
    table = dict(zip(names.split()[1:], values.split()[2:]))
    assert table['0.6'] == '100.00' and table['0.7'] == '50.00'
    assert table['average'] == f"{100 * found['average_mAP']:.2f}"
    assert f1 == 'best F1 at tIoU 0.5: 100.00 % (precision 100.00, recall 100.00) from score 0.6'
    metric = METRICS.build(dict(type='TALMetric', ann_file=hidden, protocol='hapt'))
    for name in 'vw':
        metric.process(None, [sample(name, [], [], []).to_dict()])
    assert metric.evaluate(2) == {}
    assert (metric.text, metric.short_text, metric.of_classes) == ('', '', {})


def test_both_definitions_of_recall(ann_file, logged):
    """Two of three instances are found: one of two of a class, and the only one of another."""
    found = [sample('one', [[0., 10.], [20., 30.]], [0.9, 0.8], [RUN, SIT]),
             sample('two', [], [], [])]
    for average, expected in ((None, 0.75), ('macro', 0.75), ('micro', 2 / 3)):
        logged.clear()
        flat = evaluate(ann_file, found, recall_average=average)
        assert flat['recall@1x@0.5'] == pytest.approx(expected)
        assert ('micro average' in '\n'.join(logged)) == (average == 'micro')
    with pytest.raises(ValueError, match="recall_average must be one of .*'micro'.*got 'mean'"):
        evaluate(ann_file, found, recall_average='mean')


def test_duplicates_as_the_protocol_has_them(ann_file, monkeypatch, logged):
    monkeypatch.setitem(PROTOCOLS, 'hapt', replace(PROTOCOLS['hapt'], merge_duplicates=False))
    for merge, instances in ((None, 4), (True, 3), (False, 4)):
        logged.clear()
        evaluate(ann_file, perfect(), merge_duplicates=merge)
        assert f'{instances} instances' in '\n'.join(logged)
    for name, average, merge in (('ego4d_mq', 'macro', True),
                                 ('ego4d_mq_official', 'micro', False)):
        protocol = get_protocol(name)
        assert (protocol.recall_average, protocol.merge_duplicates) == (average, merge)


def test_other_predictions_of_a_sample(ann_file):
    found = perfect()
    for one in found:
        one.verb_instances = one.pop('pred_instances')
    assert evaluate(ann_file, found, predictions='verb_instances')['average_mAP'] == 1
