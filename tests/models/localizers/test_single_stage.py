"""The whole model: modes, seconds, shapes, and the same detections in every company."""
import pytest
import torch
from batteries import randomise
from head_batteries import CLASSES, RANGES, VIDEOS, WIDTH, awaken, check_equal, make_samples, total
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.model import BaseModule
from mmengine.optim import OptimWrapper
from torch import nn

from cltdr_mm.models import SingleStageLocalizer
from cltdr_mm.resources import config_path
from cltdr_mm.structures import TimeMajor

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
        neck=dict(type='IdentityNeck'),
        head=dict(type=head, num_classes=CLASSES, **HEADS[head]),
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
    """Alone, in a batch, in another order: after soft-NMS, in seconds."""
    model = build(backbone, head)
    alone = {n: detect(model, [n])[n] for n in LENGTHS}
    step = 0.5  # seconds of a grid step
    for found in (detect(model, LENGTHS), detect(model, LENGTHS[::-1])):
        for length, instances in found.items():
            check_equal(instances, alone[length], 1e-4, 1e-3 * step)


def test_padding_that_is_seen_counts():
    """The comparison above can fail: with `pad_to`, as published, detections move."""
    model = build()
    alone = detect(model, [30])[30]
    model.data_preprocessor.pad_to = 96
    padded = detect(model, [30])[30]
    with pytest.raises(AssertionError):
        check_equal(padded, alone, 1e-4, 1e-3)
    # but company does not move them: each video is padded alike
    check_equal(detect(model, LENGTHS)[30], padded, 1e-4, 1e-3)


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
        candidates = model.head.predict(model.extract_feat(inputs), None, samples)[0]
        result = model(inputs, samples, mode='predict')[0].pred_instances
    seconds = (candidates.segments.double() * 5 + 0.5 * 10) / 10
    scores, best = candidates.scores.sort(descending=True)
    assert torch.equal(result.scores, scores)
    assert torch.allclose(result.segments, seconds[best].clamp(0, samples[0].duration), atol=1e-9)
    assert torch.equal(result.labels, candidates.labels[best])


def test_labels_of_a_class_agnostic_data_set_mean_nothing():
    model = build()
    inputs, samples = inputs_of(LENGTHS), make_samples()
    for sample in samples[:-1]:
        sample.set_metainfo(dict(class_agnostic=True))
    samples[-1].set_metainfo(dict(class_agnostic=False))
    with torch.no_grad():
        *proposals, detections = model(inputs, samples, mode='predict')
    assert all(len(s.pred_instances) and 'labels' not in s.pred_instances for s in proposals)
    assert 'labels' in detections.pred_instances


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
    assert [x.shape for x in outs['cls_logits']] == [(4, 3, 53), (4, 3, 27), (4, 3, 14)]
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
    """What the Runner calls: the data preprocessor packs, train_step updates."""
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


# what may come in


def outputs(model, inputs, **kwargs):
    with torch.no_grad():
        return model(inputs, **kwargs)


def check_same(got: dict, expected: dict):
    """The same outputs, but for how far they are padded."""
    assert got.keys() == expected.keys()
    for name, levels in expected.items():
        for x, y in zip(got[name], levels):
            steps = min(x.shape[-1], y.shape[-1])
            assert torch.equal(x[..., :steps], y[..., :steps]), name
            assert not x[..., steps:].any() and not y[..., steps:].any(), name


def test_every_kind_of_input():
    """Lists of (C, T) or of rows, tables, and padded tensors with masks."""
    model = build()
    inputs = inputs_of(LENGTHS)
    expected = outputs(model, inputs)
    rows = [TimeMajor(x.t().contiguous()) for x in inputs]
    check_same(outputs(model, rows), expected)
    check_same(outputs(model, [inputs[0], *rows[1:]]), expected)
    check_same(outputs(model, model.data_preprocessor(dict(inputs=rows))['inputs']), expected)
    padded = torch.full((4, CHANNELS, 60), 7.)
    masks = torch.zeros(4, 60, dtype=torch.bool)
    for index, x in enumerate(inputs):
        padded[index, :, :x.shape[1]] = x
        masks[index, :x.shape[1]] = True
    check_same(outputs(model, padded, masks=masks), expected)
    samples = make_samples([(n, [], []) for n in LENGTHS])
    found = outputs(model, padded, data_samples=samples, mode='predict', masks=masks)
    for length, sample in zip(LENGTHS, found):
        check_equal(sample.pred_instances, detect(model, LENGTHS)[length], 1e-6, 1e-5)
    first, *others = (total(build().train()(x, make_samples(), 'loss', **kwargs)) for x, kwargs in (
        (inputs, {}), (rows, {}), (padded, dict(masks=masks))))
    assert first > 0 and all(torch.equal(other, first) for other in others)


def test_tensor_inputs_are_valid_everywhere():
    model = build()
    x = torch.stack(inputs_of([32]))
    check_same(outputs(model, x), outputs(model, list(x)))


def test_as_many_channels_as_steps():
    """Nothing is guessed from sizes: a plain tensor is (C, T), rows are (T, C)."""
    model = build()
    x = torch.randn(CHANNELS, CHANNELS)
    expected = outputs(model, [x])
    check_same(outputs(model, x[None]), expected)
    check_same(outputs(model, [TimeMajor(x.t())]), expected)
    turned = outputs(model, [TimeMajor(x)])
    assert not torch.equal(turned['cls_logits'][0], expected['cls_logits'][0])
    check_same(outputs(model, [x.t()]), turned)


# shapes


def model_of(**parts):
    """A model of configs that say as little as they may."""
    cfg = dict(
        backbone=dict(type='ConvPyramid', in_channels=CHANNELS, embed_dims=WIDTH, arch=(1, 1, 2)),
        neck=dict(type='FPN1D'), head=dict(type='ActionFormerHead', num_classes=2))
    for name, changes in parts.items():
        cfg[name] = {**cfg[name], **changes} if isinstance(changes, dict) else changes
    return MODELS.build(dict(type='SingleStageLocalizer', **cfg))


def test_shapes_are_written_once():
    model = model_of()
    assert isinstance(model, SingleStageLocalizer)
    assert model.head.in_channels == WIDTH and model.head.num_levels == 3
    assert model.head.regression_ranges == [(0, 4), (4, 8), (8, 10000)]
    assert [x.shape for x in model(inputs_of([9]))['cls_logits']] == [
        (1, 2, 9), (1, 2, 5), (1, 2, 3)]
    assert model_of(neck=None).head.in_channels == WIDTH
    # a neck may change the width
    assert model_of(neck=dict(out_channels=24)).head.in_channels == 24
    wrapped = MODELS.build(dict(
        type='SingleStageLocalizer',
        backbone=dict(type='ConvPyramid', in_channels=CHANNELS, embed_dims=WIDTH, arch=(1, 1, 2)),
        head=dict(type='ASLHead', head=dict(type='ActionFormerHead', num_classes=2))))
    assert wrapped.head.head.in_channels == WIDTH and wrapped.head.num_levels == 3


def test_values_that_agree_are_taken():
    model = model_of(neck=dict(in_channels=WIDTH, num_levels=3),
                     head=dict(in_channels=WIDTH, num_levels=3, regression_ranges=RANGES))
    assert model.head.num_levels == 3


@pytest.mark.parametrize('part, key, value, message', [
    ('neck', 'in_channels', 8, 'neck FPN1D: in_channels=8 is written, but .* give 16'),
    ('neck', 'num_levels', 5, 'neck FPN1D: num_levels=5 is written, but .* give 3'),
    ('head', 'in_channels', 8, 'head ActionFormerHead: in_channels=8 is written, but .* give 16'),
    ('head', 'num_levels', 2, 'head ActionFormerHead: num_levels=2 is written, but .* give 3'),
    ('head', 'regression_ranges', [(0, 4), (4, 99)],
     'regression_ranges names 2 levels, but there are 3'),
])
def test_values_that_disagree_are_errors(part, key, value, message):
    with pytest.raises(ValueError, match=message):
        model_of(**{part: {key: value}})


@pytest.mark.parametrize('cfg, missing', [
    (dict(type='IdentityNeck', in_channels=8), 'num_levels'),
    (dict(type='FPN1D', num_levels=2), 'in_channels'),
    (dict(type='ActionFormerHead', num_classes=2, num_levels=2), 'in_channels'),
    (dict(type='GMG', embed_dims=16), 'in_channels'),
])
def test_parts_alone_need_their_shapes(cfg, missing):
    with pytest.raises(TypeError, match=missing):
        MODELS.build(cfg)


def config_model(name, **options):
    """The model of a config, with options of the command line."""
    cfg = Config.fromfile(config_path(name))
    cfg.merge_from_dict({f'model.{key}': value for key, value in options.items()})
    return MODELS.build(cfg.model)


@pytest.mark.parametrize('num_levels', range(1, 9))
@pytest.mark.parametrize('name', ['cltdr_hapt', 'asl_hapt', 'logo_hapt', 'temporalmaxer_hapt',
                                  'actionformer_hapt'])
def test_one_key_changes_the_levels_of_all_parts(name, num_levels):
    model = config_model(name, num_levels=num_levels)
    assert model.backbone.num_levels == model.head.num_levels == num_levels
    ranges = getattr(model.head, 'head', model.head).regression_ranges
    doubled = [(0, 4)] + [(2.**n, 2.**(n + 1)) for n in range(2, 10)]
    assert ranges[:-1] == doubled[:num_levels - 1]
    assert ranges[-1] == (doubled[num_levels - 1][0], 10000)
    with torch.no_grad():
        outs = model.eval()([torch.randn(model.backbone.in_channels, 70)])
    assert len(outs['cls_logits']) == num_levels


def test_ranges_of_a_config_are_continued():
    model = MODELS.build(dict(
        type='SingleStageLocalizer', num_levels=4,
        backbone=dict(type='ConvPyramid', in_channels=CHANNELS, embed_dims=WIDTH),
        head=dict(type='ActionFormerHead', num_classes=2, regression_ranges=[(0, 6), (3, 99)])))
    assert model.head.regression_ranges == [(0, 6), (3, 12), (6, 24), (12, 99)]


def test_one_key_overrides_what_parts_say():
    """Of levels; as in a config that says them everywhere, as those of 0.1.0 did."""
    head = dict(type='ActionFormerHead', num_classes=2, num_levels=3, regression_ranges=RANGES)
    backbone = dict(type='ConvPyramid', in_channels=CHANNELS, embed_dims=WIDTH, num_levels=3)
    for cfg in (head, dict(head, regression_ranges=None), dict(type='ASLHead', head=head)):
        model = MODELS.build(dict(
            type='SingleStageLocalizer', num_levels=5, backbone=backbone, head=cfg,
            neck=dict(type='FPN1D', num_levels=3)))
        assert model.backbone.num_levels == model.head.num_levels == 5


def test_levels_that_cannot_be():
    with pytest.raises(ValueError, match='num_levels must be positive, got 0'):
        config_model('cltdr_hapt', num_levels=0)


@pytest.mark.parametrize('pad_to, num_levels, divisor', [(40, 3, 4), (40, 5, 16), (None, 3, 1)])
def test_long_videos_are_padded_to_the_coarsest_stride(pad_to, num_levels, divisor):
    """With `pad_to`, beyond it; without, nothing is padded."""
    model = MODELS.build(dict(
        type='SingleStageLocalizer', num_levels=num_levels,
        backbone=dict(type='ConvPyramid', in_channels=CHANNELS, embed_dims=WIDTH),
        head=dict(type='ActionFormerHead', num_classes=2),
        data_preprocessor=dict(pad_to=pad_to)))
    layout = model.data_preprocessor.pack(inputs_of([53, 9])).layout
    assert layout.seen == ((-(-53 // divisor) * divisor, ) * 2 if pad_to else (53, 9))


def test_labels_are_those_of_the_head():
    """A label that is no class is refused with the video's name, before anything is computed."""
    model = build().train()
    samples = make_samples([(30, [(3., 9.)], [CLASSES])])
    model.backbone.forward = None  # never reached
    with pytest.raises(ValueError, match=rf'video video_30 .* num_classes is {CLASSES}'):
        model.train_step(dict(inputs=inputs_of([30]), data_samples=samples),
                         OptimWrapper(torch.optim.SGD(model.parameters(), lr=1e-3)))


# what was written for 0.1.0


class OldBackbone(BaseModule):
    """As 0.1.0's README had it."""

    def __init__(self, in_channels=CHANNELS, embed_dims=WIDTH, num_levels=2):
        super().__init__()
        self.num_levels = num_levels
        self.conv = nn.Conv1d(in_channels, embed_dims, 3, padding=1)

    def forward(self, x, masks):
        x = self.conv(x) * masks[:, None]
        return (x, x[..., ::2]), (masks, masks[..., ::2])


class OldNeck(BaseModule):
    def __init__(self, in_channels, num_levels):
        super().__init__()

    def forward(self, feats, masks):
        return feats, masks


@pytest.mark.parametrize('part, cls, what', [
    ('backbone', OldBackbone, 'derive from PyramidPart'), ('neck', OldNeck, 'PyramidPart'),
    ('head', OldNeck, 'or PointHead')])
def test_parts_of_the_version_before(part, cls, what):
    """They computed on (B, C, T): the error says what to write."""
    cfg = dict(backbone=dict(type='ConvPyramid', in_channels=CHANNELS, embed_dims=WIDTH),
               neck=dict(type='IdentityNeck'), head=dict(type='ActionFormerHead', num_classes=2))
    cfg[part] = dict(type=cls)
    with pytest.raises(TypeError, match=f'{part} {cls.__name__} was written for .*{what}.*'
                                        'forward_rows, see docs/extend.md'):
        MODELS.build(dict(type='SingleStageLocalizer', **cfg))


@pytest.mark.parametrize('key', ['variant', 'colour'])
def test_unknown_arguments(key):
    with pytest.raises(TypeError, match=f'SingleStageLocalizer.*{key}'):
        build(**{key: 'release'})
