"""Any backbone with any neck and any head: builds, learns a step, predicts."""
import pytest
import torch
from batteries import randomise
from head_batteries import awaken, total
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.structures import InstanceData

from cltdr_mm.structures import FeatureGrid

CHANNELS, WIDTH, CLASSES = 6, 16, 3
RANGES = [(0, 4), (4, 8), (8, 10000)]
SHARED = dict(num_classes=CLASSES, regression_ranges=RANGES)

BACKBONES = dict(
    gmg=dict(type='GMG', arch=(1, 1, 2), ffn_dims=24),
    sgp=dict(type='SGP', arch=(1, 1, 2), ffn_dims=24, window_size=3),
    actionformer_local=dict(type='ActionFormer', arch=(1, 1, 2), ffn_dims=24, window_size=5),
    actionformer_global=dict(type='ActionFormer', arch=(1, 1, 2), ffn_dims=24, window_size=-1),
    temporal_maxer=dict(type='TemporalMaxer', arch=(1, 0, 2)),
    logo=dict(type='LoGo', arch=(1, 0, 2), ffn_dims=24),
    conv=dict(type='ConvPyramid', arch=(1, 1, 2), ffn_dims=24),
    # a block that is dropped has no gradient: all of it is one branch
    actionmamba=dict(type='ActionMamba', arch=(1, 1, 2), num_states=4, drop_path=0.0),
    causaltad=dict(type='CausalTAD', arch=(1, 1, 2), num_states=4, drop_path=0.0))
NECKS = dict(
    none=None, identity=dict(type='IdentityNeck'), fpn=dict(type='FPN1D'))
HEADS = dict(
    cltdr=dict(type='CLTDRHead', num_bins=4, **SHARED),
    trident=dict(type='TridentHead', num_bins=4, **SHARED),
    actionformer=dict(type='ActionFormerHead', **SHARED),
    clff=dict(type='CLFFHead', num_bins=4, **SHARED))
HEADS.update(
    asl_actionformer=dict(type='ASLHead', head=HEADS['actionformer']),
    asl_cltdr=dict(type='ASLHead', head=HEADS['cltdr']),
    asl_trident=dict(type='ASLHead', head=HEADS['trident']),
    asl_clff=dict(type='ASLHead', head=HEADS['clff']))
# in grid steps: something for every level's points and every class, and a video without actions
VIDEOS = [(53, [(2.2, 6.1), (10., 20.4), (14.3, 19.2), (22., 49.), (30.6, 34.1)], [0, 1, 2, 0, 1]),
          (30, [(1.5, 13.2), (17.3, 22.8)], [2, 0]),
          (9, [], [])]


def build(backbone, neck, head, **kwargs):
    torch.manual_seed(0)
    model = MODELS.build(dict(
        type='SingleStageLocalizer',
        backbone=dict(in_channels=CHANNELS, embed_dims=WIDTH, **backbone),
        neck=neck,
        head=head,
        postprocessor=dict(type='TALPostProcessor', nms=dict(type='SoftNMS'), max_per_video=20),
        **kwargs))
    return awaken(randomise(model))


def make_batch(videos=VIDEOS):
    generator = torch.Generator().manual_seed(3)
    inputs, samples = [], []
    for index, (steps, segments, labels) in enumerate(videos):
        grid = FeatureGrid(fps=10., stride=5., window=10., num_steps=steps)
        sample = ActionDataSample(
            metainfo=dict(video_name=f'v{index}', duration=grid.extent, fps=10., grid=grid))
        sample.gt_instances = InstanceData(
            segments=torch.tensor(segments, dtype=torch.float32).reshape(-1, 2),
            labels=torch.tensor(labels, dtype=torch.int64))
        inputs.append(torch.randn(CHANNELS, steps, generator=generator))
        samples.append(sample)
    return inputs, samples


def learn_and_predict(model):
    inputs, samples = make_batch()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    loss = total(model.train()(inputs, samples, 'loss'))
    loss.backward()
    for name, param in model.named_parameters():
        assert param.grad is not None, f'{name} takes no part'
        assert param.grad.isfinite().all(), f'{name} has a gradient that is not finite'
        assert param.grad.abs().max() > 0, f'{name} has a gradient of zero'
    optimizer.step()
    assert total(model(inputs, samples, 'loss')).isfinite()

    results = model.eval()(inputs, samples, 'predict')
    for sample in results:
        found = sample.pred_instances
        assert 0 < len(found.scores) <= 20
        assert found.segments.isfinite().all()
        assert (found.segments[:, 0] <= found.segments[:, 1]).all()
        assert found.segments.min() >= 0 and found.segments.max() <= sample.duration
        assert ((found.scores > 0) & (found.scores <= 1)).all()
        assert (found.scores.diff() <= 0).all()
        assert set(found.labels.tolist()) <= set(range(CLASSES))


@pytest.mark.parametrize('head', HEADS)
@pytest.mark.parametrize('neck', NECKS)
@pytest.mark.parametrize('backbone', BACKBONES)
def test_product(backbone, neck, head):
    learn_and_predict(build(BACKBONES[backbone], NECKS[neck], HEADS[head]))


@pytest.mark.parametrize('head', HEADS)
@pytest.mark.parametrize('topk', [None, 5])
def test_sim_ota(head, topk):
    assigner = dict(type='SimOTAAssigner1D', topk=topk)
    cfg = dict(HEADS[head])
    if 'head' in cfg:
        cfg['head'] = dict(cfg['head'], assigner=assigner)
    else:
        cfg['assigner'] = assigner
    learn_and_predict(build(BACKBONES['temporal_maxer'], NECKS['identity'], cfg))


@pytest.mark.parametrize('head', HEADS)
@pytest.mark.parametrize('neck', ['identity', 'fpn'])
@pytest.mark.parametrize('num_levels', [1, 3])
def test_a_batch_without_actions(head, neck, num_levels):
    """Every parameter takes part, as distributed training needs it, also of a single level."""
    model = build(BACKBONES['gmg'], NECKS[neck], HEADS[head], num_levels=num_levels).train()
    inputs, samples = make_batch([(20, [], []), (7, [], [])])
    losses = model(inputs, samples, 'loss')
    assert all(value.isfinite() for value in losses.values())
    assert losses['num_pos'] == 0 and losses['loss_reg'] == 0
    total(losses).backward()
    for name, param in model.named_parameters():
        assert param.grad is not None and param.grad.isfinite().all(), name


@pytest.mark.parametrize('head', HEADS)
@pytest.mark.parametrize('backbone', BACKBONES)
def test_a_video_is_alone_in_its_batch(backbone, head):
    """What a video yields depends not on its neighbours, even if those hold no numbers."""
    model = build(BACKBONES[backbone], NECKS['identity'], HEADS[head]).double().eval()
    inputs, _ = make_batch()
    inputs = [x.double() for x in inputs]
    bad = torch.full((CHANNELS, 11), float('inf')).double()
    mixed = torch.where(torch.rand(CHANNELS, 6) > 0.5, -1., 1.).double() / 0
    with torch.no_grad():
        together = model([bad, inputs[0], bad, inputs[1], mixed, inputs[2]], mode='tensor')
        assert not together['cls_logits'][0][0].isfinite().all()
        for row, x in enumerate(inputs):
            alone = model([x], mode='tensor')
            for name in set(alone) - {'masks'}:
                for level, expected in enumerate(alone[name]):
                    steps = expected.shape[-1]
                    got = together[name][level][2 * row + 1]
                    error = (got[:, :steps] - expected[0]).abs().max()
                    assert error < 1e-6 * max(1., float(expected.abs().max())), (name, level)
                    assert not got[:, steps:].any(), (name, level)
