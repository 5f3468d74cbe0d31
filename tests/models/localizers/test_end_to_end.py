"""Frames in, segments in seconds out."""
import copy

import pytest
import torch
from batteries import randomise
from front_models import RESNET, VIT, make_batch, make_frames
from head_batteries import CLASSES, awaken, total
from mmaction.registry import MODELS, OPTIM_WRAPPER_CONSTRUCTORS
from test_product import BACKBONES, HEADS, RANGES

from cltdr_mm.engine.optim import TALOptimWrapperConstructor  # noqa: F401

VIDEOS = [(40, [(2.2, 6.1), (10., 20.4), (14.3, 19.2)], [0, 1, 2]),
          (13, [(1.5, 7.2)], [2]),
          (9, [], [])]


def make_model(backbone='actionformer_local', head='actionformer', front=VIT, **options):
    torch.manual_seed(0)
    model = MODELS.build(dict(
        type='EndToEndLocalizer',
        front=dict(type='ClipFront', backbone=front, frames_per_step=2, **options),
        backbone=dict(embed_dims=16, **BACKBONES[backbone]),
        neck=dict(type='IdentityNeck'), head=HEADS[head],
        postprocessor=dict(type='TALPostProcessor', nms=dict(type='SoftNMS'))))
    return awaken(randomise(model))


def step(model, videos=VIDEOS):
    inputs, samples = make_batch(videos)
    data = model.data_preprocessor(dict(inputs=inputs, data_samples=samples), True)
    return model.train()(data['inputs'], data['data_samples'], mode='loss')


@pytest.mark.parametrize('backbone, head', [
    *((name, 'actionformer') for name in BACKBONES), ('gmg', 'cltdr'), ('sgp', 'trident'),
    ('conv', 'asl_clff')])
def test_any_encoder_and_head(backbone, head):
    """The width flows on; every parameter learns, the front's too; segments come out."""
    model = make_model(backbone, head, clips_at_once=2, with_cp=True)
    assert model.backbone.in_channels == model.front.out_channels == 24
    total(step(model)).backward()
    for name, param in model.named_parameters():
        if param.requires_grad:
            assert param.grad is not None and param.grad.isfinite().all(), name
    assert model.front.backbone.patch_embed.projection.weight.grad.abs().max() > 0
    inputs, samples = make_batch(VIDEOS)
    with torch.no_grad():
        found = model.eval()(inputs, samples, mode='predict')
    for sample in found:
        segments = sample.pred_instances.segments
        assert len(segments) and 0 <= segments.min() and segments.max() <= sample.duration


@pytest.mark.parametrize('front', [VIT, RESNET], ids=['vit', 'resnet'])
def test_a_video_depends_on_itself_only(front):
    """Raw outputs alone and in a batch; gradients of the front alone and summed."""
    model = make_model('gmg', 'cltdr', front).eval()
    inputs, _ = make_batch(VIDEOS)
    with torch.no_grad():
        together = model(inputs, mode='tensor')
        for row, frames in enumerate(inputs):
            for name, levels in model([frames], mode='tensor').items():
                for got, want in zip(together[name], levels):
                    assert torch.allclose(got[row, ..., :want.shape[-1]], want[0], atol=1e-4), name

    def gradient(videos):
        model.zero_grad()
        sum(x.sum() for table in model.extract_feat(videos) for x in table.rows).backward()
        return model.front.backbone.state_dict(keep_vars=True)['conv1.conv.weight'].grad.clone() \
            if front is RESNET else model.front.backbone.patch_embed.projection.weight.grad.clone()

    apart = sum(gradient([frames]) for frames in inputs)
    assert (gradient(inputs) - apart).norm() < 1e-4 * apart.norm()


def test_rows_in_the_place_of_frames():
    """A front's rows, once computed, give the same."""
    model = make_model().eval()
    inputs, samples = make_batch(VIDEOS)
    with torch.no_grad():
        rows = model.front(inputs, [steps for steps, _, _ in VIDEOS])
        packed = model.data_preprocessor.pack([x.t() for x in rows])
        for x, y in zip(*(model(i, copy.deepcopy(samples), 'predict') for i in (inputs, packed))):
            assert torch.equal(x.pred_instances.scores, y.pred_instances.scores)


def test_parameter_groups():
    """The front at a rate of its own; a frozen one in no group, by one key."""
    for tuning in ('full', 'frozen'):
        model = make_model(tuning=tuning)
        wrapper = OPTIM_WRAPPER_CONSTRUCTORS.build(dict(
            type='TALOptimWrapperConstructor',
            paramwise_cfg=dict(custom_keys={'front.backbone': dict(lr_mult=.1)}),
            optim_wrapper_cfg=dict(type='OptimWrapper', optimizer=dict(
                type='AdamW', lr=1e-4, weight_decay=.05))))(model)
        groups = wrapper.optimizer.param_groups
        assert sorted((group['lr'], group['weight_decay']) for group in groups) == (
            [(1e-5, 0.), (1e-5, .05)] if tuning == 'full' else []) + [(1e-4, 0.), (1e-4, .05)]
        front = {param for group in groups if group['lr'] < 5e-5 for param in group['params']}
        assert front == {param for param in model.front.parameters() if param.requires_grad}


def test_mixed_precision():
    """Rows reach the detector as float32, gradients are finite."""
    model = make_model(with_cp=True)
    with torch.autocast('cpu', torch.bfloat16):
        losses = step(model)
    total(losses).backward()
    for name, param in model.named_parameters():
        assert not param.requires_grad or param.grad.isfinite().all(), name


def test_bad_frames():
    model = make_model()
    inputs, samples = make_batch(VIDEOS)
    for bad, error, message in [
            (inputs[1].float(), TypeError, "'video_13': frames must be a uint8 tensor, got t"),
            (inputs[1][:2], ValueError, r"'video_13': frames must be \(3, frames, height, width\)"),
            (inputs[1][:, :0], ValueError, "'video_13': frames must be")]:
        with pytest.raises(error, match=message):
            model.data_preprocessor(dict(inputs=[inputs[0], bad], data_samples=samples[:2]))
    with pytest.raises(ValueError, match="video 'video_13': 24 frames for 13 steps, where front"):
        model([inputs[0], make_frames(24)], samples[:2], mode='loss')
    with pytest.raises(ValueError, match='1 videos, but 2 data samples'):
        model.data_preprocessor(dict(inputs=inputs[:1], data_samples=samples[:2]))


def test_a_width_that_does_not_fit():
    with pytest.raises(ValueError, match='in_channels=99 is written, but the parts before it give'):
        MODELS.build(dict(
            type='EndToEndLocalizer', front=dict(type='ClipFront', backbone=VIT),
            backbone=dict(type='ActionFormer', in_channels=99, embed_dims=16, arch=(1, 1, 2)),
            head=dict(type='ActionFormerHead', num_classes=CLASSES, regression_ranges=RANGES)))
