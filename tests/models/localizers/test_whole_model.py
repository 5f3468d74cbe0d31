import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config

from cltdr_mm.models.localizers.whole_model import resized_ranges, with_levels, with_variant
from cltdr_mm.resources import config_path


def model_of(name, **options):
    cfg = Config.fromfile(config_path(name))
    cfg.merge_from_dict({f'model.{key}': value for key, value in options.items()})
    return MODELS.build(cfg.model)


@pytest.mark.parametrize('ranges, num_levels, expected', [
    ([(0, 4), (4, 8), (8, 10000)], 3, [(0, 4), (4, 8), (8, 10000)]),
    ([(0, 4), (4, 8), (8, 10000)], 1, [(0, 10000)]),
    ([(0, 4), (4, 8), (8, 10000)], 5, [(0, 4), (4, 8), (8, 16), (16, 32), (32, 10000)]),
    ([(0, 4), (2, 8), (4, 10000)], 4, [(0, 4), (2, 8), (4, 16), (8, 10000)]),
    ([(0, 10000)], 3, [(0, 4), (4, 8), (8, 10000)]),
    ([(0, 6), (3, 99)], 4, [(0, 6), (3, 12), (6, 24), (12, 99)]),
])
def test_ranges(ranges, num_levels, expected):
    assert resized_ranges(ranges, num_levels) == expected


@pytest.mark.parametrize('name', ['cltdr_hapt', 'asl_hapt', 'logo_hapt', 'temporalmaxer_hapt',
                                  'actionformer_hapt'])
@pytest.mark.parametrize('num_levels', [2, 5, 8])
def test_one_key_changes_the_levels_of_all_parts(name, num_levels):
    model = model_of(name, num_levels=num_levels)
    assert model.backbone.num_levels == model.head.num_levels == num_levels
    assert model.data_preprocessor.size_divisor == 2**(num_levels - 1)
    with torch.no_grad():
        outs = model.eval()([torch.randn(model.backbone.in_channels, 70)])
    assert len(outs['cls_logits']) == num_levels


def test_a_backbone_may_name_its_levels():
    class Mine:
        def __init__(self, num_levels):
            pass

    backbone, neck, _ = with_levels(4, dict(type=Mine, num_levels=2), None, {})
    assert backbone == dict(type=Mine, num_levels=4) and neck is None


def test_levels_that_cannot_be():
    with pytest.raises(ValueError, match='num_levels must be positive, got 0'):
        model_of('cltdr_hapt', num_levels=0)
    backbone = dict(type='ResNet', depth=18)
    with pytest.raises(ValueError, match='backbone ResNet has neither arch'):
        model_of('cltdr_hapt', num_levels=3, backbone=dict(backbone, _delete_=True))


@pytest.mark.parametrize('name', ['cltdr_hapt', 'asl_hapt', 'temporalmaxer_hapt'])
def test_one_key_changes_the_variant_of_all_parts(name):
    for variant in ('paper', 'release'):
        model = model_of(name, variant=variant)
        head = getattr(model.head, 'head', model.head)
        release = variant == 'release'
        assert model.backbone.release == model.neck.release == head.release == release


def test_parts_without_variants_stay():
    assert with_variant('release', None) is None
    neck = dict(type='FPN1D', in_channels=8)
    assert with_variant('release', neck) == neck
