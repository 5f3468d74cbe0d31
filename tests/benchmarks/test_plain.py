"""The plain model computes what ours computes with the settings of the release."""
import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.structures import InstanceData
from plain import PlainModel

from cltdr_mm.structures import FeatureGrid

CHANNELS, CLASSES, WIDTH, STEPS = 12, 5, 32, 64
SMALL = dict(
    data_preprocessor=dict(size_divisor=8, pad_to=STEPS, input_noise=0.),
    backbone=dict(in_channels=CHANNELS, embed_dims=WIDTH, arch=(2, 2, 3), ffn_dims=48,
                  max_len=STEPS),
    neck=dict(in_channels=WIDTH, num_levels=4),
    head=dict(num_classes=CLASSES, in_channels=WIDTH, feat_channels=WIDTH, num_bins=6,
              regression_ranges=[(0, 4), (4, 8), (8, 16), (16, 10000)]),
    postprocessor=dict(max_per_video=300))


@pytest.fixture
def models(project_root):
    """Ours and the plain one, with the same random weights."""
    cfg = Config.fromfile(project_root / 'configs/release/_base_/cltdr_gmg.py')
    cfg.merge_from_dict(dict(model=SMALL))
    torch.manual_seed(0)
    ours = MODELS.build(cfg.model)
    with torch.no_grad():
        for parameter in ours.parameters():  # depth-wise ones start at zero, factors at 1e-4
            parameter.add_(0.1 * torch.randn_like(parameter))
    plain = PlainModel(cfg.model)
    plain.load(ours.state_dict())
    for module in (*ours.modules(), *plain.modules()):
        if hasattr(module, 'drop_prob'):
            module.drop_prob = 0.
    return ours, plain


def make_batch(lengths) -> dict:
    g = torch.Generator().manual_seed(1)
    inputs, samples = [], []
    for steps in lengths:
        starts = torch.rand(5, generator=g) * 0.7 * steps
        widths = 2 + torch.rand(5, generator=g) * 0.3 * steps
        grid = FeatureGrid(fps=30., stride=4, window=16, num_steps=steps)
        sample = ActionDataSample(metainfo=dict(video_name=str(steps), grid=grid,
                                                duration=grid.extent))
        sample.gt_instances = InstanceData(
            segments=torch.stack([starts, starts + widths], dim=1),
            labels=torch.randint(CLASSES, (5, ), generator=g))
        inputs.append(torch.randn(CHANNELS, steps, generator=g))
        samples.append(sample)
    return dict(inputs=inputs, data_samples=samples)


def test_losses_and_gradients(models):
    ours, plain = models
    batch = make_batch((STEPS, 41))
    # the running mean stays where it is, however often a step moves it
    positives = plain.loss(batch['inputs'], batch['data_samples'])['num_pos']
    assert positives > 10
    ours.head.normalizer.value.fill_(float(positives))
    plain.criterion.running = float(positives)
    expected = plain.loss(batch['inputs'], batch['data_samples'])
    found = ours(**ours.data_preprocessor(batch, training=True), mode='loss')
    assert found['num_pos'] == positives
    for name in ('loss_cls', 'loss_reg'):
        torch.testing.assert_close(found[name], expected[name], rtol=1e-4, atol=0)
        assert expected[name] > 0.1
    # boundaries alone: whether the IoU factor of the classes learns is a setting
    found['loss_reg'].backward()
    expected['loss_reg'].backward()
    gradients = {name: p.grad for name, p in ours.named_parameters()}
    for name, parameter in plain.named_parameters():
        if parameter.grad is None:
            continue
        difference = (gradients[name] - parameter.grad).norm() / parameter.grad.norm()
        assert difference < 1e-3 or parameter.grad.norm() < 1e-6, name


@pytest.mark.parametrize('steps', [50, STEPS, 70])
def test_detections(models, steps):
    ours, plain = (model.eval() for model in models)
    batch = make_batch([steps])
    nms = ours.postprocessor.nms
    expected, = plain.predict(batch['inputs'], batch['data_samples'], nms)
    with torch.no_grad():
        found = ours(**ours.data_preprocessor(batch), mode='predict')[0].pred_instances
    assert len(found) == len(expected) > 100
    torch.testing.assert_close(found.scores, expected.scores, rtol=1e-4, atol=1e-7)
    assert (found.labels == expected.labels).float().mean() > 0.98  # ties may swap
    same = found.labels == expected.labels
    torch.testing.assert_close(found.segments[same], expected.segments[same], rtol=1e-4, atol=1e-3)


def test_refuses_settings_that_it_lacks(project_root):
    cfg = Config.fromfile(project_root / 'configs/release/_base_/cltdr_gmg.py').model
    cfg.head.label_smoothing = 0.1
    with pytest.raises(ValueError, match='label smoothing'):
        PlainModel(cfg)
