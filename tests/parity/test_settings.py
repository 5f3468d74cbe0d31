"""Published settings that no parity file covers, against the slow reference in float64.

Every parameter is random: gates and residual factors that start at zero would hide errors.
"""
import numpy as np
import pytest
import torch
from comparison import VIDEOS, Parity, load
from records import published_settings, reference_record
from reference_training import ReferenceTraining
from test_fixtures import FILES

import cltdr_mm  # noqa: F401

#: What is not said is as in `published_settings`; `coarse` is CLTDR-GMG's coarse loss.
SETTINGS = {
    'cltdr-focal': ('cltdr', dict()),
    'cltdr-varifocal': ('cltdr', dict(coarse='varifocal')),
    'cltdr-smooth': ('cltdr', dict(label_smoothing=0.1, iou_weight_power=1)),
    'cltdr-smooth-varifocal': ('cltdr', dict(label_smoothing=0.2, coarse='varifocal')),
    'cltdr-wide': ('cltdr', dict(embd_dim=32, fpn_dim=32, head_dim=24, sgp_mlp_dim=40)),
    'cltdr-kernels': ('cltdr', dict(head_kernel_size=5, boudary_kernel_size=1, n_sgp_win_size=5,
                                    embd_kernel_size=5)),
    'cltdr-refine-kernel': ('cltdr', dict(head_kernel_size=5, refine_kernel=3)),
    'cltdr-windows': ('cltdr', dict(n_sgp_win_size=[1, 3, 15], use_abs_pe=True)),
    'cltdr-5-levels': ('cltdr', dict(levels=5, max_seq_len=64, num_bins=16)),
    'cltdr-1-level': ('cltdr', dict(levels=1, num_bins=12)),
    'cltdr-1-class': ('cltdr', dict(num_classes=1, multiclass_nms=False, voting_thresh=0.9,
                                    label_smoothing=0.1, use_abs_pe=True)),
    'cltdr-agnostic': ('cltdr', dict(multiclass_nms=False, nms_sigma=0.75, duration_thresh=1.)),
    'cltdr-loss-weight': ('cltdr', dict(loss_weight=2., init_loss_norm=250, iou_weight_power=1)),
    'cltdr-bare': ('cltdr', dict(embd_with_ln=False, fpn_with_ln=False, head_num_layers=2)),
    'tridet': ('tridet', dict()),
    'tridet-smooth': ('tridet', dict(label_smoothing=0.1, iou_weight_power=1, num_classes=5)),
    'tridet-kernels': ('tridet', dict(n_sgp_win_size=15, k=1.3, head_kernel_size=5,
                                      boudary_kernel_size=1, num_bins=12)),
    'tridet-windows': ('tridet', dict(n_sgp_win_size=[1, 5, 3], k=4, use_abs_pe=True)),
    'tridet-1-class': ('tridet', dict(num_classes=1, multiclass_nms=False, voting_thresh=0.95)),
    'tridet-balanced': ('tridet', dict(loss_weight=-1., iou_weight_power=0.2)),
    'tridet-everywhere': ('tridet', dict(center_sample='none', regression_range=[
        [0, 4], [2, 8], [4, 10000]])),
    'actionformer': ('actionformer', dict()),
    'actionformer-windows': ('actionformer', dict(n_mha_win_size=[7, 7, -1], use_abs_pe=True,
                                                  num_classes=1, label_smoothing=0.1,
                                                  loss_weight=2., multiclass_nms=False)),
    'actionformer-9': ('actionformer', dict(n_mha_win_size=9, n_head=2, embd_dim=24, fpn_dim=24,
                                            head_dim=40, label_smoothing=0.1)),
    'actionformer-global': ('actionformer', dict(n_mha_win_size=-1, levels=4, max_seq_len=40)),
    'temporalmaxer': ('tmaxer', dict()),
    'temporalmaxer-layernorm': ('tmaxer', dict(fpn_norm='layernorm', backbone_arch=[3, 2],
                                               num_classes=5)),
    'temporalmaxer-wide': ('tmaxer', dict(fpn_norm='groupnorm', embd_dim=48, fpn_dim=48,
                                          label_smoothing=0.1)),
    'temporalmaxer-costs': ('tmaxer', dict(assigner=dict(
        iou_weight=0.1, cls_weight=3., center_radius=1.0, keep_percent=1.0, confuse_weight=0.0))),
}


def parity_of(name: str) -> Parity:
    """The reference's record of one of these settings, and our model."""
    family, changes = SETTINGS[name]
    changes = dict(changes)
    coarse = changes.pop('coarse', 'focal')
    record = reference_record(family, published_settings(family, **changes), 3, coarse)
    return Parity(record, dtype=torch.float64)


@pytest.mark.parametrize('name', SETTINGS)
def test_equals_reference(name):
    """Outputs in float64; losses, gradients and detections, which we compute in float32."""
    parity = parity_of(name)
    # the position table is kept in float32, as published
    tolerance = 1e-7 if parity.settings['model'].get('use_abs_pe') else 1e-9
    assert parity.check_outputs(tolerance, tolerance) >= 2 * 3 * parity.levels
    assert parity.check_training() > 20
    assert parity.check_detections() > 5


@pytest.mark.parametrize('family', ['cltdr', 'tridet', 'actionformer'])
def test_trained_residual_factors(family):
    """Checkpoints of a training with stochastic depth carry a factor for each residual branch."""
    settings = published_settings(family, droppath=0.1)
    parity = Parity(reference_record(family, settings, 4), dtype=torch.float64)
    assert any('drop_path' in key for key in parity.state)
    parity.check_outputs(1e-9, 1e-9)
    parity.check_detections()


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.stem)
def test_reference_equals_published(path):
    """What the reference is worth: it computes the measured numbers as well."""
    record = load(path)
    parity = Parity(record, path.stem)
    videos = [(torch.from_numpy(record[f'{v}/feats']).double(),
               record[f'{v}/segments'].tolist(), record[f'{v}/labels'].tolist()) for v in VIDEOS]
    errors = []
    for coarse in parity.coarse_losses:
        state = {key: value.double().requires_grad_() for key, value in parity.state.items()}
        reference = ReferenceTraining(parity.meta['name'], parity.meta['model'], state, coarse)
        losses = reference.losses(videos)
        losses['final_loss'].backward()
        errors.append(max(abs(float(record[f'loss/{key}']) - float(value.detach()))
                          for key, value in ((k, torch.as_tensor(v)) for k, v in losses.items())))
        if errors[-1] > 1e-5:
            continue
        for key, value in state.items():
            expected = float(record.get(f'gradnorm/{key}', 0))
            norm = 0. if value.grad is None else value.grad.norm().item()
            assert norm == pytest.approx(expected, rel=1e-4, abs=1e-6), key
    assert min(errors) <= 1e-5
    with torch.no_grad():
        outs = reference.outputs(videos[1][0])
    for level in range(parity.levels):
        assert np.allclose(outs['cls_logits'][level].T, record[f'short/cls_logits/{level}'],
                           rtol=0, atol=1e-5)
