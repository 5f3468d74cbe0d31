"""Published settings become configs; what cannot be built is an error, not another model."""
import copy
import json

import pytest
import torch
from mmaction.registry import MODELS, TASK_UTILS
from published_configs import published_model, published_postprocessor
from records import published_settings

import cltdr_mm  # noqa: F401

NAMES = {'cltdr-gmg': 'cltdr', 'tridet': 'tridet', 'actionformer': 'actionformer',
         'temporalmaxer': 'tmaxer'}


def model_of(family: str, **changes) -> dict:
    """Config for small settings, changed by published names."""
    model = published_settings(NAMES[family], **changes)
    return published_model(family, dict(train=model.pop('train_cfg'), test=model.pop('test_cfg'),
                                        model=model))


def test_every_published_setting_builds(shared_data):
    """All 26, with their backbones, heads and necks of one width and number of levels."""
    published = json.loads((shared_data / 'published_settings.json').read_text())
    count = 0
    for family, files in published.items():
        for settings in files.values():
            before = copy.deepcopy(settings)
            cfg = published_model(family, settings)
            assert settings == before, 'the settings are the caller\'s'
            with torch.device('meta'):
                model = MODELS.build(cfg)
            assert model.data_preprocessor.pad_to == settings['model']['max_seq_len']
            count += 1
    assert count == 26


@pytest.mark.parametrize('family, change, where', [
    ('cltdr-gmg', dict(use_trident_head=False), 'model.use_trident_head is False'),
    ('tridet', dict(downsample_type='avg'), "model.downsample_type is 'avg'"),
    ('actionformer', dict(use_rel_pe=True), 'model.use_rel_pe is True'),
    ('actionformer', dict(backbone_type='conv'), "model.backbone_type is 'conv'"),
    ('actionformer', dict(fpn_type='fpn'), "model.fpn_type is 'fpn'"),
    ('temporalmaxer', dict(scale_factor=3), 'model.scale_factor is 3'),
    ('tridet', dict(head_with_ln=False), 'model.head_with_ln is False'),
    ('temporalmaxer', dict(assigner=dict(center_radius=1.5, iou_weight=2, cls_weight=1,
                                         keep_percent=0.5)), 'model.assigner.keep_percent is 0.5'),
    ('tridet', dict(fpn_dim=32), 'model.fpn_dim is 32'),
])
def test_what_is_not_supported_is_an_error(family, change, where):
    with pytest.raises(ValueError, match=f'{family}: {where}'):
        model_of(family, **change)


def test_unknown_names():
    settings = dict(model={}, train={}, test={})
    with pytest.raises(ValueError, match="family must be one of .* got 'bmn'"):
        published_model('bmn', settings)
    with pytest.raises(ValueError, match="coarse_loss must be .* got 'bce'"):
        published_model('cltdr-gmg', settings, 'bce')


@pytest.mark.parametrize('family, window, divisor', [
    ('cltdr-gmg', 1, 4),
    ('cltdr-gmg', 15, 60),
    ('tridet', [1, 3, 5], 20),
    ('actionformer', 5, 16),
    ('actionformer', 9, 32),
    ('actionformer', [7, 7, -1], 12),
    ('actionformer', -1, 4),
    ('temporalmaxer', None, 4),
])
def test_length_beyond_the_maximum(family, window, divisor):
    """Published code pads to a multiple of the windows; attention's are of two halves."""
    name = 'n_mha_win_size' if family == 'actionformer' else 'n_sgp_win_size'
    cfg = model_of(family, **({} if window is None else {name: window}))
    pad = cfg['data_preprocessor']
    assert (pad['size_divisor'], pad['pad_to']) == (divisor, 32)
    model = MODELS.build(cfg)
    outs = model([torch.randn(6, 33)])
    length = -(-33 // divisor) * divisor
    assert [m.shape[1] for m in outs['masks']] == [length, length // 2, length // 4]


def test_coarse_loss():
    model = published_settings('cltdr')
    settings = dict(train=model.pop('train_cfg'), test=model.pop('test_cfg'), model=model)
    focal, varifocal = (MODELS.build(published_model('cltdr-gmg', settings, kind)).head
                        for kind in ('focal', 'varifocal'))
    assert type(focal.loss_coarse).__name__ == 'TALFocalLoss'
    assert type(varifocal.loss_coarse).__name__ == 'TALVarifocalLoss'
    assert varifocal.loss_coarse.alpha == varifocal.loss_cls.alpha == 0.25


@pytest.mark.parametrize('change, nms, voting', [
    (dict(), dict(type='SoftNMS', sigma=0.5, class_wise=True), None),
    (dict(multiclass_nms=False), dict(type='SoftNMS', sigma=0.5, class_wise=False), 0.7),
    (dict(multiclass_nms=False, voting_thresh=0),
     dict(type='SoftNMS', sigma=0.5, class_wise=False), None),
    (dict(nms_method='hard'), dict(type='HardNMS', iou_threshold=0.1, class_wise=True), None),
    (dict(nms_method='none', multiclass_nms=False), None, None),
])
def test_postprocessing(change, nms, voting):
    test = dict(published_settings('tridet')['test_cfg'], **change)
    cfg = published_postprocessor(test)
    assert cfg['nms'] == nms
    assert cfg.get('voting') == (voting and dict(
        type='SegmentVoting', iou_threshold=voting, class_wise=False))
    assert (cfg['max_per_video'], cfg['min_score']) == (40, 0.001)
    TASK_UTILS.build(cfg)


def test_no_prior_leaves_the_bias_at_zero():
    model = MODELS.build(model_of('tridet', cls_prior_prob=0.))
    assert (model.head.cls_tower.out.conv.bias == 0).all()
    model = MODELS.build(model_of('tridet'))
    assert model.head.cls_tower.out.conv.bias.detach().sigmoid().numpy() == pytest.approx(0.01)
