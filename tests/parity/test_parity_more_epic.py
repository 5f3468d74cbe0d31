"""EPIC's action task and the evaluators in use, against what the published code prints."""
import json
from collections import Counter

import numpy as np
import pytest
from mmaction.registry import METRICS
from parity_more import load

from cltdr_mm.cli import evaluate
from cltdr_mm.datasets.classes import class_names
from cltdr_mm.evaluation import Detections, GroundTruth, read_submission
from cltdr_mm.evaluation.functional import average_precision, recall_at_kx
from cltdr_mm.models.task_modules import mean_segments, pair_actions
from cltdr_mm.structures import FeatureGrid, clip_segments

NOUNS = 300  # an action is verb * 300 + noun


@pytest.fixture(scope='module')
def fused():
    """The published detections, and ours in the same form."""
    meta, tensors = load('e2e', 'epic_action')
    arrays = {key: value.numpy() for key, value in tensors.items()}
    found = pair_actions(tensors['verb_scores'], tensors['noun_scores'],
                         meta['top_verbs_per_point'], meta['pre_nms_thresh'],
                         meta['pre_nms_topk'])
    return arrays, meta, tensors, found


def test_scores_in_order(fused):
    arrays, _, _, found = fused
    np.testing.assert_allclose(found.scores, arrays['scores'], atol=0.5e-4 + 1e-6)


def test_same_detections_of_every_score(fused):
    """As sets: which of equal scores comes first is not said, nor which of them is the last."""
    arrays, meta, tensors, found = fused
    segments = mean_segments(tensors['verb_segments'][found.point].double(),
                             tensors['noun_segments'][found.point].double())
    grid = FeatureGrid(meta['fps'], meta['stride'], 2 * meta['offset_frames'], len(segments))
    segments = clip_segments(grid.to_seconds(segments), 0., meta['duration']).numpy()
    ours = list(zip(found.scores.tolist(), segments.tolist(), found.verb.tolist(),
                    found.noun.tolist()))
    theirs = list(zip(arrays['scores'].tolist(), arrays['segments'].tolist(),
                      arrays['verb'].tolist(), arrays['noun'].tolist()))
    last = theirs[-1][0] + 1e-4
    by_pair = Counter()
    for score, segment, verb, noun in theirs:
        if score <= last:
            continue
        near = [i for i, other in enumerate(ours) if other[2:] == (verb, noun)
                and abs(other[0] - score) < 0.6e-4
                and np.abs(np.subtract(other[1], segment)).max() < 0.6e-2]
        assert near, (score, segment, verb, noun)
        by_pair[min(near, key=lambda i: by_pair[i])] += 1
    assert max(by_pair.values()) == 1, 'a detection of ours stands for two of theirs'
    assert sum(score > last + 1e-4 for score, *_ in ours) <= len(by_pair)


def columns(table, label):
    return dict(segments=table[:, 1:3].copy(), labels=label(table).astype(np.int64),
                videos=table[:, 0].astype(np.int64))


LABELS = dict(verb=lambda table: table[:, 3], noun=lambda table: table[:, 4],
              action=lambda table: table[:, 3] * NOUNS + table[:, 4])


def scene(task):
    """Ground truth and detections of the evaluators' fixture, and what they print."""
    arrays = {key: value.numpy() for key, value in load('e2e', 'evaluators')[1].items()}
    gt, det = arrays['gt'], arrays['det']
    number = int(max(LABELS[task](gt).max(), LABELS[task](det).max())) + 1
    videos = int(max(gt[:, 0].max(), det[:, 0].max())) + 1
    truth = GroundTruth(tuple(map(str, range(number))), tuple(map(str, range(videos))),
                        durations=np.full(videos, np.nan), **columns(gt, LABELS[task]))
    return arrays, truth, Detections(scores=det[:, 5].copy(), **columns(det, LABELS[task]))


@pytest.mark.parametrize('task', sorted(LABELS))
def test_epic_official_map(task):
    arrays, truth, detections = scene(task)
    tious = np.arange(1, 6) / 10
    ap = average_precision(detections, truth, tious)
    np.testing.assert_allclose(np.nanmean(ap, axis=1), arrays[f'epic_official.{task}.mAP'],
                               atol=1e-12)


def test_ego4d_official_recall():
    arrays, truth, detections = scene('verb')
    official = arrays['mq_official.recall']  # (3 thresholds, k = 1 to 5)
    found = recall_at_kx(detections, truth, (0.3, 0.5, 0.7), range(1, 6), average='micro')
    np.testing.assert_allclose(found.T, official, atol=1e-12)
    macro = recall_at_kx(detections, truth, (0.3, 0.5, 0.7), range(1, 6), average='macro')
    assert np.abs(macro.T - official).max() > 1e-3, 'the two definitions are not told apart'


def test_per_class_recall_and_ap():
    arrays, truth, detections = scene('verb')
    tious = np.arange(1, 6) / 10
    per_class = recall_at_kx(detections, truth, tious, (1, 5))[..., truth.present]  # (k, T, K)
    np.testing.assert_allclose(per_class.transpose(2, 1, 0), arrays['per_class.recall'],
                               atol=1e-12)
    mean = recall_at_kx(detections, truth, tious, (1, 5), average='macro')
    np.testing.assert_allclose(mean.T, arrays['per_class.recall_mean'], atol=1e-12)
    ap = average_precision(detections, truth, tious)[:, truth.present]
    np.testing.assert_allclose(ap.T, arrays['per_class.AP'], atol=1e-12)


def test_the_metric_judges_one_list_as_the_official_evaluation(tmp_path, capsys):
    """From annotation files and data samples of actions to the numbers of all three tasks.

    So does ``cltdr evaluate``, of the file that the metric writes.
    """
    arrays, truth, detections = scene('action')
    gt, classes = arrays['gt'], {}
    for task, column in (('verb', 3), ('noun', 4)):
        classes[task] = class_names(f'epic100_{task}')
        database = {name: dict(subset='validation', duration=1e4, annotations=[
            dict(segment=row[1:3].tolist(), label=classes[task][int(row[column])])
            for row in gt[gt[:, 0] == index]]) for index, name in enumerate(truth.video_names)}
        (tmp_path / f'{task}.json').write_text(json.dumps(dict(database=database)))
    metric = METRICS.build(dict(
        type='EPICActionMetric', ann_file=str(tmp_path / 'verb.json'),
        noun_ann_file=str(tmp_path / 'noun.json'), out_dir=str(tmp_path / 'out')))
    for index, name in enumerate(truth.video_names):
        mine = detections.select(detections.videos == index)
        metric.process({}, [dict(video_name=name, pred_instances=dict(
            segments=mine.segments, scores=mine.scores, labels=mine.labels))])
    found = metric.evaluate(len(truth.video_names))
    for task in LABELS:
        official = arrays[f'epic_official.{task}.mAP']
        ours = [found[f'{task}/mAP@{t / 10:g}'] for t in range(1, 6)]
        np.testing.assert_allclose(ours, official, atol=1e-12)
        assert found[f'{task}/average_mAP'] == pytest.approx(official.mean())
    entries = read_submission(tmp_path / 'out' / 'test.json')['results']
    assert sum(map(len, entries.values())) == len(detections)
    evaluate.main([str(tmp_path / 'out' / 'detections.json'), str(tmp_path / 'verb.json'),
                   '--nouns', str(tmp_path / 'noun.json'), '--protocol', 'epic100',
                   '--out', str(tmp_path / 'again.json')])
    report = json.loads((tmp_path / 'again.json').read_text())
    judged = json.loads((tmp_path / 'out' / 'metrics.json').read_text())
    assert {key: report[key] for key in judged} == judged
    for task in LABELS:
        np.testing.assert_allclose(list(report[task]['mAP'].values()),
                                   arrays[f'epic_official.{task}.mAP'], atol=1e-12)
    assert f"{100 * judged['action']['average_mAP']:.2f}" in capsys.readouterr().out
