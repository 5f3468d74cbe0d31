import json

import numpy as np
import pytest
import torch
from mmaction.registry import TASK_UTILS
from mmengine.structures import InstanceData

from .loops import nms, vote


def build(**kwargs):
    return TASK_UTILS.build(dict(type='TALPostProcessor', **kwargs))


def candidates(seed, num=50):
    g = torch.Generator().manual_seed(seed)
    starts = torch.rand(num, generator=g, dtype=torch.float64) * 20 - 3
    lengths = 1 + torch.rand(num, generator=g, dtype=torch.float64) * 6
    return InstanceData(
        segments=torch.stack([starts, starts + lengths], dim=1),
        scores=torch.rand(num, generator=g), labels=torch.randint(0, 3, (num, ), generator=g))


def test_all_steps_against_the_loops(tmp_path):
    """NMS, voting and clipping in this order: NMS must see what leaves the video."""
    processor = build(nms=dict(type='SoftNMS', sigma=0.4),
                      voting=dict(type='SegmentVoting', iou_threshold=0.6), max_per_video=15,
                      min_score=0.01)
    batch = [candidates(0), candidates(1)]
    metas = [dict(video_name='a', duration=15.), dict(video_name='b', duration=18.5)]
    for given, meta, found in zip(batch, metas, processor(batch, metas)):
        segments, scores, labels = (x.tolist() for x in
                                    (given.segments, given.scores, given.labels))
        kept, values = nms(segments, scores, labels, sigma=0.4, min_score=0.01, max_num=15)
        moved = vote([segments[i] for i in kept], [labels[i] for i in kept], segments, scores,
                     labels, 0.6)
        expected = torch.tensor(moved).clamp(0, meta['duration'])
        torch.testing.assert_close(found.segments.float(), expected, atol=1e-5, rtol=1e-5)
        assert found.labels.tolist() == [labels[i] for i in kept]
        assert found.scores.tolist() == pytest.approx(values, abs=1e-6)
        assert found.segments.dtype == torch.float64 and found.labels.dtype == torch.int64


@pytest.mark.parametrize('nms_cfg', [
    None, dict(type='SoftNMS'), dict(type='SoftNMS', method='linear', class_wise=False),
    dict(type='HardNMS', iou_threshold=0.4), dict(type='SoftNMS', backend='torch')
])
def test_empty_video_in_a_batch(nms_cfg, tmp_path):
    path = tmp_path / 'scores.json'
    path.write_text(json.dumps({'a': [0.2, 0.8, 0.1], 'b': [0.3, 0.1, 0.6]}))
    empty = InstanceData(segments=torch.zeros(0, 2), scores=torch.zeros(0),
                         labels=torch.zeros(0, dtype=torch.int64))
    voting = None if nms_cfg is None else dict(type='SegmentVoting')
    for fusion in (None, dict(type='ExternalScores', score_file=str(path))):
        processor = build(nms=nms_cfg, voting=voting, fusion=fusion)
        first, second = processor([empty, candidates(2)],
                                  [dict(video_name=n, duration=9.) for n in 'ab'])
        assert first.segments.shape == (0, 2) and first.scores.shape == first.labels.shape == (0, )
        assert len(second) > 0
        assert (second.scores[1:] <= second.scores[:-1]).all()
        assert 0 <= second.segments.min() and second.segments.max() <= 9


@pytest.mark.parametrize('nms_cfg', [
    None, dict(type='SoftNMS'), dict(type='SoftNMS', backend='torch'),
    dict(type='HardNMS', iou_threshold=0.4)])
def test_proposals_are_one_class_and_stay_without_labels(nms_cfg, tmp_path):
    path = tmp_path / 'scores.json'
    path.write_text(json.dumps({'a': [0.2, 0.8, 0.1]}))
    meta = dict(video_name='a', duration=9.)
    one_class = candidates(3)
    one_class.labels[:] = 0
    proposals = candidates(3)
    del proposals.labels
    config = dict(nms=nms_cfg, voting=None if nms_cfg is None else dict(type='SegmentVoting'))
    expected, found = (build(**config)([c], [meta])[0] for c in (one_class, proposals))
    assert 'labels' not in found and len(found) > 3
    assert torch.equal(found.segments, expected.segments)
    assert torch.equal(found.scores, expected.scores)
    # video-level scores bring a class
    config.update(fusion=dict(type='ExternalScores', score_file=str(path), topk=1))
    assert set(build(**config)([proposals], [meta])[0].labels.tolist()) == {1}


def test_without_nms():
    given = InstanceData(
        segments=torch.tensor([[0., 1.], [1., 2.], [2., 9.]]),
        scores=torch.tensor([0.1, 0.9, 0.5]), labels=torch.tensor([0, 1, 0]))
    found = build(min_score=0.2)([given], [dict(video_name='a', duration=4.)])[0]
    assert found.segments.tolist() == [[1., 2.], [2., 4.]] and found.labels.tolist() == [1, 0]
    assert len(build(max_per_video=1, min_score=0.)([given], [{}])[0]) == 1
    unclipped = build(max_per_video=-1, min_score=0.)([given], [{}])[0]
    assert len(unclipped) == 3 and unclipped.segments.max() == 9


def test_a_video_does_not_depend_on_its_batch():
    processor = build(nms=dict(type='SoftNMS'))
    metas = [dict(video_name=str(i), duration=20.) for i in range(3)]
    batch = [candidates(i) for i in range(3)]
    together = processor(batch, metas)
    for given, meta, found in zip(batch, metas, together):
        alone = processor([given], [meta])[0]
        assert torch.equal(alone.scores, found.scores)
        assert torch.equal(alone.segments, found.segments)


def test_errors(tmp_path):
    bad = candidates(0)
    bad.scores[3] = float('nan')
    with pytest.raises(ValueError, match=r"video 'clip7'.* number 3 .*nan"):
        build()([bad], [dict(video_name='clip7', duration=1.)])
    with pytest.raises(ValueError, match='voting needs nms'):
        build(voting=dict(type='SegmentVoting'))
    with pytest.raises(ValueError, match='1 sets of candidates for 2 videos'):
        build()([candidates(0)], [{}, {}])
    with pytest.raises(ValueError, match="'gaussian' or 'linear'"):
        build(nms=dict(type='SoftNMS', method='hard'))
    with pytest.raises(ValueError, match='backend must be one of'):
        build(nms=dict(type='HardNMS', backend='x'))


@pytest.mark.parametrize('name', ['actionformer', 'temporalmaxer'])
@pytest.mark.parametrize('video', ['full', 'short'])
def test_equals_the_published_detections(shared_data, name, video):
    """From the published logits and offsets, decoded here, to the published detections.

    The files were made with voting set and class-wise NMS: the published code then does not vote.
    """
    path = shared_data / 'fixtures' / 'parity' / f'{name}.npz'
    with np.load(path) as archive:
        data = {key: archive[key] for key in archive.files}
    meta = json.loads(str(data['meta']))
    test = meta['model']['test_cfg']
    segments, scores, labels = [], [], []
    for level in range(meta['levels']):
        mask = torch.from_numpy(data[f'{video}/mask/{level}'])
        prob = torch.from_numpy(data[f'{video}/cls_logits/{level}']).sigmoid() * mask[:, None]
        values, order = prob.flatten().sort(descending=True)
        order = order[values > test['pre_nms_thresh']][:test['pre_nms_topk']]
        step, label = order // meta['K'], order % meta['K']
        offsets = torch.from_numpy(data[f'{video}/reg_out/{level}'])[step]
        ends = torch.stack([step - offsets[:, 0], step + offsets[:, 1]], dim=1) * 2**level
        long_enough = ends[:, 1] - ends[:, 0] > test['duration_thresh']
        segments.append(ends[long_enough])
        scores.append(prob.flatten()[order][long_enough])
        labels.append(label[long_enough])
    seconds = (torch.cat(segments) * meta['stride'] + 0.5 * meta['window']) / meta['fps']
    expected = {key: torch.from_numpy(data[f'{video}/det/{key}'])
                for key in ('segments', 'scores', 'labels')}
    # the file does not say how long the video is; where it was clipped shows its end
    found = build(nms=dict(type='SoftNMS', sigma=test['nms_sigma']),
                  max_per_video=test['max_seg_num'], min_score=test['min_score'])(
        [InstanceData(segments=seconds, scores=torch.cat(scores), labels=torch.cat(labels))],
        [dict(video_name=video, duration=float(expected['segments'].max()))])[0]
    assert len(found) == len(expected['scores'])
    torch.testing.assert_close(found.scores, expected['scores'], atol=1e-5, rtol=0)
    same = (found.labels == expected['labels']) & torch.isclose(
        found.segments, expected['segments'], atol=1e-4, rtol=0).all(dim=1)
    # neighbours of equal score may have changed places
    for i in (~same).nonzero().squeeze(1).tolist():
        twins = ((expected['scores'] - found.scores[i]).abs() < 1e-6).nonzero().squeeze(1)
        assert any(expected['labels'][j] == found.labels[i] and torch.allclose(
            expected['segments'][j], found.segments[i], atol=1e-4) for j in twins), i
    assert same.float().mean() > 0.9
