"""MMAction2's localizers as they are, with cltdr_mm imported."""
import copy

import torch
from encoded_models import LOCALIZERS, SOFT_NMS, STEPS, WIDTH, total
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.structures import InstanceData


def test_mmaction_localizers_still_work():
    inputs = [torch.rand(WIDTH, STEPS) for _ in range(2)]
    meta = dict(video_name='v_test', duration_second=100, duration_frame=1000,
                annotations=[dict(segment=[30., 60.], label='x')], feature_frame=900)
    box = torch.tensor([[0.1, 0.3], [0.375, 0.625]])
    proposals = torch.tensor([[0.1, 0.35, 0.9], [0.3, 0.6, 0.8]])
    samples = []
    for _ in inputs:
        sample = ActionDataSample(metainfo=meta)
        sample.gt_instances = InstanceData(gt_bbox=box)
        sample.proposals = InstanceData(proposals=proposals)
        samples.append(sample)
    for kind, cfg in LOCALIZERS.items():
        model = MODELS.build(copy.deepcopy(cfg)).train()
        total(model(inputs, samples, mode='loss')).backward()
        assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())
        with torch.no_grad():
            results = model.eval()(inputs[:1], samples[:1], mode='predict')
        if kind == 'TEM':
            assert results[0][0] == 'v_test' and results[0][1].shape == (STEPS, 5)
        else:
            assert results[0]['video_name'] == 'v_test'
            assert all(0 <= p['segment'][0] <= 100 for p in results[0]['proposal_list'])


def test_mmaction_pem_still_works():
    model = MODELS.build(dict(
        type='PEM', pem_feat_dim=8, pem_hidden_dim=8, pem_u_ratio_m=1, pem_u_ratio_l=2,
        pem_high_temporal_iou_threshold=0.6, pem_low_temporal_iou_threshold=0.2, **SOFT_NMS))
    sample = ActionDataSample(metainfo=dict(
        video_name='v_test', duration_second=100, duration_frame=960, feature_frame=960))
    sample.gt_instances = InstanceData(
        bsp_feature=torch.rand(6, 8), reference_temporal_iou=torch.tensor([.9, .7, .5, .3, .1, 0]),
        tmin=torch.linspace(0, .5, 6), tmax=torch.linspace(.5, 1, 6),
        tmin_score=torch.rand(6), tmax_score=torch.rand(6))
    inputs = [torch.tensor(0.)]
    loss = model(inputs, [sample], mode='loss')['temporal_iou_loss']
    loss.backward()
    assert loss.isfinite()
    with torch.no_grad():
        result, = model(inputs, [sample], mode='predict')
    assert result['video_name'] == 'v_test' and len(result['proposal_list']) == 6
