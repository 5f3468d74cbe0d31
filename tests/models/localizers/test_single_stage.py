"""The whole model: modes, seconds, and the same detections in every company."""
import pytest
import torch
from batteries import randomise
from head_batteries import CLASSES, RANGES, VIDEOS, WIDTH, awaken, check_equal, make_samples, total
from mmaction.registry import MODELS
from mmengine.optim import OptimWrapper

from cltdr_mm.models import SingleStageLocalizer

CHANNELS = 6
BACKBONES = dict(GMG=dict(ffn_dims=24), SGP=dict(ffn_dims=24, window_size=3),
                 ActionFormer=dict(ffn_dims=24, window_size=5, num_heads=2),
                 TemporalMaxer=dict(arch=(1, 0, 2)), LoGo=dict(arch=(1, 0, 2), ffn_dims=24),
                 ConvPyramid=dict(ffn_dims=24))
HEADS = dict(CLTDRHead=dict(num_bins=4), TridentHead=dict(num_bins=4), ActionFormerHead={},
             CLFFHead=dict(num_bins=4))
LENGTHS = [53, 30, 9, 1]


def build(backbone='GMG', head='CLTDRHead', postprocessor=True, seed=0, **kwargs):
    """A small model with random parameters."""
    torch.manual_seed(seed)
    cfg = dict(arch=(1, 1, 2))
    cfg.update(BACKBONES[backbone], type=backbone, in_channels=CHANNELS, embed_dims=WIDTH)
    nms = dict(type='TALPostProcessor', nms=dict(type='SoftNMS'), max_per_video=100)
    model = MODELS.build(dict(
        type='SingleStageLocalizer', backbone=cfg,
        neck=dict(type='IdentityNeck', in_channels=WIDTH, num_levels=3),
        head=dict(type=head, num_classes=CLASSES, in_channels=WIDTH, regression_ranges=RANGES,
                  **HEADS[head]),
        postprocessor=nms if postprocessor else None, **kwargs))
    return awaken(randomise(model, seed)).eval()


def inputs_of(lengths):
    """Features by length: the same for a video in every batch."""
    return [torch.randn(CHANNELS, n, generator=torch.Generator().manual_seed(n)) for n in lengths]


@torch.no_grad()
def detect(model, lengths):
    """Detections of videos in one batch, by length."""
    samples = make_samples([(n, [], []) for n in lengths])
    results = model(inputs_of(lengths), samples, mode='predict')
    return {n: sample.pred_instances for n, sample in zip(lengths, results)}


@pytest.mark.parametrize('backbone, head', [(name, 'CLTDRHead') for name in BACKBONES] + [
    ('GMG', name) for name in HEADS if name != 'CLTDRHead'])
def test_detections_do_not_depend_on_company(backbone, head):
    """Alone, in a batch, in another order, padded further: after soft-NMS, in seconds."""
    model = build(backbone, head)
    alone = {n: detect(model, [n])[n] for n in LENGTHS}
    model.data_preprocessor.pad_to = None
    together = [detect(model, LENGTHS), detect(model, LENGTHS[::-1])]
    model.data_preprocessor.pad_to = 160
    together += [detect(model, LENGTHS), detect(model, [30])]
    step = 0.5  # seconds of a grid step
    for found in together:
        for length, instances in found.items():
            check_equal(instances, alone[length], 1e-4, 1e-3 * step)


def test_release_depends_on_padding():
    """The comparison above can fail: the published models' detections move with their padding."""
    release = MODELS.build(dict(
        type='SingleStageLocalizer',
        backbone=dict(type='GMG', in_channels=CHANNELS, embed_dims=WIDTH, arch=(1, 1, 2),
                      ffn_dims=24, variant='release'),
        neck=dict(type='IdentityNeck', in_channels=WIDTH, num_levels=3, variant='release'),
        head=dict(type='CLTDRHead', num_classes=CLASSES, in_channels=WIDTH, num_bins=4,
                  regression_ranges=RANGES, variant='release')))
    for model, same in ((build(), True), (awaken(randomise(release)).eval(), False)):
        alone = detect(model, [30])[30]
        model.data_preprocessor.pad_to = 96
        padded = detect(model, [30])[30]
        if same:
            check_equal(padded, alone, 1e-4, 1e-3)
        else:
            with pytest.raises(AssertionError):
                check_equal(padded, alone, 1e-4, 1e-3)


def test_detections_are_sorted_seconds_within_the_video():
    for length, found in detect(build(), LENGTHS).items():
        duration = make_samples([(length, [], [])])[0].duration
        assert (found.scores.diff() <= 0).all()
        assert (found.segments >= 0).all() and (found.segments <= duration).all()
        assert found.segments.max() > 0.3 * duration
        assert found.labels.dtype == torch.int64


def test_candidates_in_seconds_without_postprocessor():
    """Sliding windows are merged by the metric: here nothing is suppressed."""
    model = build(postprocessor=False)
    inputs, samples = inputs_of([30]), make_samples([(30, [], [])])
    with torch.no_grad():
        feats, masks = model.extract_feat(inputs)
        candidates = model.head.predict(feats, masks, samples)[0]
        result = model(inputs, samples, mode='predict')[0].pred_instances
    seconds = (candidates.segments.double() * 5 + 0.5 * 10) / 10
    scores, best = candidates.scores.sort(descending=True)
    assert torch.equal(result.scores, scores)
    assert torch.allclose(result.segments, seconds[best].clamp(0, samples[0].duration), atol=1e-9)
    assert torch.equal(result.labels, candidates.labels[best])


def test_late_windows_keep_their_precision():
    """Ten hours into a recording, float32 seconds would be off by 2 ms."""
    model = build()
    samples = make_samples([(30, [], [])])
    grid = samples[0].grid
    early = detect(model, [30])[30].segments
    samples[0].set_metainfo(dict(grid=type(grid)(10., 5., 10., 80_000, start=72_000.),
                                 duration=40_001.))
    with torch.no_grad():
        late = model(inputs_of([30]), samples, mode='predict')[0].pred_instances.segments
    late = late - 36_000
    inside = ((early > 0) & (early < grid.extent)).all(1)
    assert inside.sum() > 5
    distance = (late[:, None] - early[None, inside]).abs().amax(-1).amin(0)
    assert float(distance.max()) < 1e-5


def test_modes():
    model = build()
    inputs, samples = inputs_of(LENGTHS), make_samples()
    outs = model(inputs)
    assert [x.shape for x in outs['cls_logits']] == [(4, 3, 56), (4, 3, 28), (4, 3, 14)]
    losses = model.train()(inputs, samples, mode='loss')
    assert {'loss_cls', 'loss_reg'} <= set(losses)
    total(losses).backward()
    results = model.eval()(inputs, samples, mode='predict')
    assert results is samples or results == samples
    with pytest.raises(ValueError, match="mode must be 'tensor', 'loss' or 'predict'"):
        model(inputs, samples, mode='train')
    for mode in ('loss', 'predict'):
        with pytest.raises(ValueError, match='needs data_samples'):
            model(inputs, mode=mode)


def test_runner_steps():
    """What the Runner calls: the data preprocessor pads, train_step updates."""
    model = build().train()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    before = model.backbone.embd[0].conv.weight.clone()
    batch = dict(inputs=inputs_of([n for n, _, _ in VIDEOS]), data_samples=make_samples())
    logged = model.train_step(batch, OptimWrapper(optimizer))
    assert {'loss', 'loss_cls', 'loss_reg', 'num_pos'} == set(logged)
    # the number of positives is logged, not minimised
    assert float(logged['loss']) == pytest.approx(
        float(logged['loss_cls'] + logged['loss_reg']), rel=1e-5)
    assert not torch.equal(before, model.backbone.embd[0].conv.weight)
    found = model.eval().test_step(batch)
    assert len(found) == 4 and all('pred_instances' in sample for sample in found)


def test_tensor_inputs_are_valid_everywhere():
    model = build()
    x = torch.stack(inputs_of([32]))
    with torch.no_grad():
        by_list, by_tensor = model(list(x)), model(x)
    for a, b in zip(by_list['cls_logits'], by_tensor['cls_logits']):
        assert torch.equal(a, b)


def test_no_neck_and_default_padding():
    model = MODELS.build(dict(
        type='SingleStageLocalizer',
        backbone=dict(type='ConvPyramid', in_channels=CHANNELS, embed_dims=WIDTH, arch=(1, 1, 2)),
        head=dict(type='ActionFormerHead', num_classes=2, in_channels=WIDTH,
                  regression_ranges=RANGES)))
    assert isinstance(model, SingleStageLocalizer)
    assert model.neck is None and model.data_preprocessor.size_divisor == 4
    assert model(inputs_of([9]))['cls_logits'][0].shape == (1, 2, 12)
