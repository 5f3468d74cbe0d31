"""Encoders of ours before MMAction2's localizers."""
import json

import numpy as np
import pytest
import torch
from encoded_models import (
    CHANNELS,
    LOCALIZERS,
    SEGMENTS,
    SOFT_NMS,
    STEPS,
    WIDTH,
    build,
    make_batch,
    total,
)
from mmaction.registry import METRICS
from mmengine.config import Config
from mmengine.runner import Runner

from cltdr_mm.structures import unpack


@pytest.mark.parametrize('kind', LOCALIZERS)
def test_learns_a_step(kind):
    model = build(kind).train()
    inputs, samples = make_batch()
    losses = model(inputs, samples, 'loss')
    assert all(value.isfinite() for value in losses.values())
    total(losses).backward()
    for name, param in model.named_parameters():
        if param.requires_grad:
            assert param.grad is not None and param.grad.isfinite().all(), name
    for name, param in model.backbone.named_parameters():
        assert param.grad.abs().max() > 0, f'{name} learns nothing'


@pytest.mark.parametrize('kind', LOCALIZERS)
def test_a_batch_is_its_videos(kind):
    model = build(kind).eval()
    inputs, samples = make_batch()
    together = model(inputs, samples, 'predict')
    assert [s.video_name for s in together] == ['v0', 'v1', 'v2']
    for x, sample in zip(*make_batch()):
        alone, = model([x], [sample], 'predict')
        found = together[int(sample.video_name[1])].pred_instances
        assert len(found.scores) > 0
        assert torch.allclose(found.segments, alone.pred_instances.segments, atol=1e-5)
        assert torch.allclose(found.scores, alone.pred_instances.scores, atol=1e-6)
        assert found.segments.min() >= 0 and found.segments.max() <= sample.duration
        assert (found.scores.diff() <= 0).all() and 'labels' not in found


@pytest.mark.parametrize('kind', LOCALIZERS)
def test_bfloat16(kind):
    """Under autocast: the encoder in bfloat16, the localizer as in float32."""
    model = build(kind)
    seen = []
    model.head.localizer.register_forward_pre_hook(lambda _, args: seen.append(
        (args[0][0].dtype, torch.is_autocast_enabled('cpu'))))
    torch.manual_seed(0)  # the sampling of negatives
    with torch.no_grad():
        expected = model.train()(*make_batch(), 'loss')
    torch.manual_seed(0)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        losses = model(*make_batch(), 'loss')
        raw = model.eval()(make_batch()[0])
        found = model(*make_batch(), 'predict')
    assert set(seen) == {(torch.float32, False)}
    assert total(losses) != total(expected)  # the encoder's rounding
    for name, value in losses.items():
        assert value.dtype == torch.float32, name
        assert value.item() == pytest.approx(expected[name].item(), rel=0.02), name
    total(losses).backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())
    for output in raw if isinstance(raw, tuple) else [raw]:
        assert output.dtype == torch.float32 and output.isfinite().all()
    for sample in found:
        assert sample.pred_instances.scores.dtype == torch.float32
        assert sample.pred_instances.segments.isfinite().all() and len(sample.pred_instances)


@pytest.mark.parametrize('kind', LOCALIZERS)
def test_what_the_localizer_is_given(kind, monkeypatch):
    """Boxes are fractions of the sequence: step 0 covers the first twentieth."""
    model = build(kind)
    given = []

    def loss(inputs, samples, **kwargs):
        assert inputs.shape == (3, WIDTH, STEPS)
        given.extend(sample.gt_instances['gt_bbox'] for sample in samples)
        return dict(loss=inputs.sum())

    monkeypatch.setattr(model.head.localizer, 'loss', loss)
    inputs, samples = make_batch([[(-0.5, 4.5), (6., 40.)], [(9.5, 14.5), (-9., -3.)], []])
    model(inputs, samples, 'loss')
    expected = [[(0., 0.25), (0.325, 1.)], [(0.5, 0.75)]]
    if kind == 'TCANet':
        # one box a proposal: of v0's, best score first, the parts .1-.45, .56-.6 and 0-.99
        expected[0] = [(0., 0.25), (0.325, 1.), (0.325, 1.)]
    for boxes, want in zip(given, expected):
        assert torch.allclose(boxes, torch.tensor(want)), (boxes, want)
    assert (given[2] < 0).all()


def test_bmn_segments_keep_their_place():
    """A map that has one good segment gives it back in seconds."""
    model = build('BMN').eval()
    start, end = torch.full((1, STEPS), 0.1), torch.full((1, STEPS), 0.1)
    start[0, 4], end[0, 10] = 0.9, 0.9
    confidence = torch.full((1, 2, STEPS, STEPS), 0.5)
    confidence[0, :, 5, 4] = 1.  # duration 6, start 4
    model.head.localizer._forward = lambda x: (confidence, start, end)
    inputs, samples = make_batch(SEGMENTS[:1])
    best = model(inputs, samples, 'predict')[0].pred_instances[0]
    # BMN says 4/20 to 10/20 of 20 steps of half a second
    assert best.segments[0].tolist() == pytest.approx([2., 5.], abs=1e-6)
    assert float(best.scores) == pytest.approx(0.81, abs=1e-6)


def test_bmn_passes_over_what_its_grid_cannot_show():
    model = build('BMN').train()
    for segments in ([[(3.9, 4.1)]], [[]]):
        inputs, samples = make_batch(segments)
        losses = model(inputs, samples, 'loss')
        assert losses['loss'] == 0
        losses['loss'].backward()
        assert all(p.grad is not None and not p.grad.any()
                   for p in model.parameters() if p.requires_grad)


def test_tcanet_scores_count():
    """Unlike in its own predict, which overwrites the proposals' scores."""
    model = build('TCANet').eval()
    inputs, samples = make_batch()
    before = model(inputs, samples, 'predict')[0].pred_instances
    assert len(before.scores) == 9  # three stages
    inputs, samples = make_batch()
    samples[0].proposals.proposals[:, 2] *= 0.5
    after = model(inputs, samples, 'predict')[0].pred_instances
    assert torch.allclose(after.scores, before.scores / 2) and before.scores.min() > 0
    assert torch.allclose(after.segments, before.segments)


def test_all_levels_count():
    model = build('TEM').eval()
    inputs, _ = make_batch()
    levels = model.extract_feat(inputs)
    fused = model.head.fuse(levels, None)
    feats = [unpack(level)[0] for level in levels]
    masks = [unpack(level)[1] for level in levels]
    assert torch.equal(model.head.fuse(feats, masks), fused)
    assert torch.equal(model.head(feats, masks), model.head(levels))
    for t in (0, 7, 19):
        want = (feats[0][..., t] + feats[1][..., t // 2] + feats[2][..., t // 4]) / 3
        assert torch.allclose(fused[..., t], want, atol=1e-6)


@pytest.mark.parametrize('backbone', [
    dict(type='SGP', arch=(1, 1, 2)), dict(type='ActionFormer', arch=(1, 1, 2), window_size=5),
    dict(type='TemporalMaxer', arch=(1, 0, 2)), dict(type='LoGo', arch=(1, 0, 2)),
    dict(type='ConvPyramid', arch=(1, 1, 2))], ids=lambda cfg: cfg['type'])
@pytest.mark.parametrize('neck', ['IdentityNeck', 'FPN1D'])
def test_any_encoder(backbone, neck):
    model = build('TEM', backbone=dict(in_channels=CHANNELS, embed_dims=WIDTH, **backbone),
                  neck=dict(type=neck)).train()
    inputs, samples = make_batch()
    total(model(inputs, samples, 'loss')).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    assert len(model.eval()(inputs, samples, 'predict')[1].pred_instances) > 0


def test_bad_input():
    inputs, samples = make_batch(steps=23)
    with pytest.raises(ValueError, match="TEM: video v0 has 23 steps.*'ResizeFeature', length=20"):
        build('TEM')(inputs, samples, 'loss')
    with pytest.raises(ValueError, match='PEM takes no sequence of features'):
        build('TEM', localizer=dict(type='PEM', pem_feat_dim=8, pem_hidden_dim=8, pem_u_ratio_m=1,
                                    pem_u_ratio_l=2, pem_high_temporal_iou_threshold=.6,
                                    pem_low_temporal_iou_threshold=.2, **SOFT_NMS))
    inputs, samples = make_batch()
    with pytest.raises(ValueError, match=r'video v0 has 20 steps \(padded to 24\)'):
        build('TEM', data_preprocessor=dict(pad_to=24))(inputs, samples, 'loss')


@pytest.mark.parametrize('mode', ['loss', 'predict'])
def test_tcanet_needs_proposals(mode):
    inputs, samples = make_batch()
    del samples[1].proposals
    with pytest.raises(ValueError, match="TCANet refines proposals, and video v1 has none: put "
                                         r"dict\(type='LoadTALProposals', proposal_files="):
        build('TCANet')(inputs, samples, mode)


def test_proposal_files_went_into_the_pipelines():
    """0.1.0's key says what to write."""
    with pytest.raises(TypeError, match='proposal_files.*LoadTALProposals'):
        build('TCANet', proposal_files=['proposals.json'])


def test_init_cfg_is_the_models():
    """It once landed in the number of levels."""
    model = build('TEM', init_cfg=dict(type='Constant', layer='Conv1d', val=0.25))
    assert model.backbone.num_levels == 3
    model.init_weights()
    assert (model.backbone.embd[0].conv.weight == 0.25).all()


# the Runner


@pytest.fixture
def data(tmp_path):
    """Videos of different lengths in a data set's layout; loud where the action is."""
    rng = np.random.default_rng(0)
    database = {}
    for i in range(8):
        steps = int(rng.integers(30, 60))
        feats = 0.3 * rng.normal(size=(steps, CHANNELS))
        first = int(rng.integers(3, steps - 20))
        feats[first:first + 14] += 1
        duration = steps / 2
        database[f'v{i}'] = dict(
            subset='train' if i < 5 else 'test', duration=duration, fps=10., annotations=[
                dict(label='loud', label_id=0, segment=[first / 2, first / 2 + 7])])
        np.save(tmp_path / f'v{i}.npy', feats.astype(np.float32))
    (tmp_path / 'ann.json').write_text(json.dumps(dict(classes=['loud'], database=database)))
    results = {name: [dict(segment=[entry['annotations'][0]['segment'][0] + 1,
                                    entry['annotations'][0]['segment'][1] + 1], score=.8),
                      dict(segment=[0, 5.], score=.5)] for name, entry in database.items()}
    (tmp_path / 'proposals.json').write_text(json.dumps(dict(results=results)))
    return tmp_path


@pytest.mark.parametrize('kind', LOCALIZERS)
def test_trained_and_tested_by_the_runner(kind, data):
    pipeline = [dict(type='LoadTALFeature'), dict(type='ResizeFeature', length=STEPS),
                dict(type='PackTALInputs')]
    if kind == 'TCANet':
        pipeline.insert(2, dict(type='LoadTALProposals',
                                proposal_files=[str(data / 'proposals.json')]))

    def loader(subset, test_mode):
        return dict(
            batch_size=3, num_workers=0,
            sampler=dict(type='DefaultSampler', shuffle=not test_mode),
            dataset=dict(type='TALDataset', ann_file=str(data / 'ann.json'), subset=subset,
                         data_prefix=dict(feats=str(data)), feature_stride=5, feature_window=5,
                         pipeline=pipeline, test_mode=test_mode))

    model = dict(
        type='EncodedLocalizer',
        backbone=dict(type='GMG', in_channels=CHANNELS, embed_dims=WIDTH, arch=(1, 1, 1),
                      ffn_dims=24),
        localizer=LOCALIZERS[kind],
        postprocessor=dict(type='TALPostProcessor',
                           nms=None if kind == 'BMN' else dict(type='SoftNMS')))
    runner = Runner.from_cfg(Config(dict(
        model=model, default_scope='mmaction', work_dir=str(data / 'work'),
        train_dataloader=loader('train', False), test_dataloader=loader('test', True),
        train_cfg=dict(type='EpochBasedTrainLoop', max_epochs=2),
        optim_wrapper=dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=1e-3)),
        test_cfg=dict(type='TestLoop'),
        test_evaluator=dict(type='ProposalMetric', ann_file=str(data / 'ann.json'),
                            protocol='custom'),
        experiment_name=f'{kind}-{data.name}', randomness=dict(seed=0), log_level='WARNING')))
    runner.train()
    metrics = runner.test()
    assert {'AR@1', 'AR@100', 'AUC'} <= set(metrics)
    assert all(np.isfinite(value) for value in metrics.values())
    # even hardly trained, a hundred proposals for one action find something
    assert metrics['AR@100'] > 0
    # mAP needs a class, which these localizers do not have
    metric = METRICS.build(dict(type='TALMetric', ann_file=str(data / 'ann.json'),
                                protocol='custom'))
    runner.test_evaluator.metrics[:] = [metric]
    with pytest.raises(ValueError, match='proposals have no class, which TALMetric needs'):
        runner.test()


@pytest.mark.parametrize('kind', LOCALIZERS)
def test_video_level_scores_bring_the_class(kind, tmp_path):
    path = tmp_path / 'scores.json'
    path.write_text(json.dumps({f'v{i}': [0.1, 0.2, 0.7] for i in range(3)}))
    nms = None if kind == 'BMN' else dict(type='SoftNMS')
    model = build(kind, postprocessor=dict(
        type='TALPostProcessor', nms=nms, voting=nms and dict(type='SegmentVoting'),
        fusion=dict(type='ExternalScores', score_file=str(path), topk=2))).eval()
    for sample in model(*make_batch(), 'predict'):
        assert set(sample.pred_instances.labels.tolist()) == {1, 2}
