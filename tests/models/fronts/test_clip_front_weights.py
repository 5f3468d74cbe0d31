"""Where a front's weights come from, and what is said if they do not fit."""
import pytest
import torch
from front_models import RESNET, VIT, make_front
from mmaction.registry import MODELS
from mmengine.registry import init_default_scope
from test_clip_front import tuned

from cltdr_mm.utils import TALDataError


def save(path, state):
    torch.save(dict(state_dict=dict(state)), path)
    return str(path)


def pretrained(path, backbone=VIT, **options):
    return MODELS.build(dict(type='ClipFront', backbone=dict(
        backbone, init_cfg=dict(type='Pretrained', checkpoint=path, **options))))


def test_weights_of_a_recognizer(tmp_path):
    """Under its prefix; with a classifier, and without what the front does not compute with."""
    source = make_front()
    state = dict(source.backbone.state_dict())
    for name in ('pos_embed', 'fc_norm.weight', 'fc_norm.bias'):
        del state[name]
    weights = {'backbone.' + name: value for name, value in state.items()}
    path = save(tmp_path / 'recognizer.pth', {**weights, 'cls_head.fc_cls.bias': torch.ones(3)})
    whole = MODELS.build(dict(type='ClipFront', backbone=VIT, init_cfg=dict(
        type='Pretrained', checkpoint=path)))
    for front in (whole, pretrained(path, prefix='backbone.')):
        front.init_weights()
        for name, value in state.items():
            assert torch.equal(front.backbone.state_dict()[name], value), name


def test_weights_of_a_recognizer_whose_backbone_loads_in_another_way(tmp_path):
    init_default_scope('mmaction')
    recognizer = MODELS.build(dict(
        type='Recognizer3D', backbone=RESNET,
        cls_head=dict(type='I3DHead', in_channels=32, num_classes=3)))
    path = save(tmp_path / 'recognizer.pth', recognizer.state_dict())
    front = MODELS.build(dict(type='ClipFront', backbone=RESNET, init_cfg=dict(
        type='Pretrained', checkpoint=path)))
    front.init_weights()
    assert torch.equal(front.backbone.layer4[1].conv2.conv.weight,
                       recognizer.backbone.layer4[1].conv2.conv.weight)
    other = MODELS.build(dict(type='ClipFront', backbone=dict(RESNET, base_channels=8),
                              init_cfg=dict(type='Pretrained', checkpoint=path)))
    with pytest.raises(TALDataError, match=(
            r'Only: of another shape: conv1.conv.weight is \(4, 3, 1, 7, 7\), not \(8, 3, 1, 7, 7\)'
            r', .* more; it has [^(]*$')):
        other.init_weights()
    # an answer that was taken is not given again
    other = MODELS.build(dict(type='ClipFront', backbone=VIT, init_cfg=dict(
        type='Pretrained', checkpoint=path)))
    with pytest.raises(TALDataError, match=r'VisionTransformer: missing: [^(]*; it has [^(]*$'):
        other.init_weights()


def test_weights_by_pretrained(tmp_path):
    source = make_front(RESNET)
    path = save(tmp_path / 'backbone.pth', source.backbone.state_dict())
    front = MODELS.build(dict(type='ClipFront', backbone=dict(
        RESNET, pretrained=path, pretrained2d=False)))
    front.init_weights()
    assert torch.equal(front.backbone.conv1.conv.weight, source.backbone.conv1.conv.weight)


@pytest.mark.parametrize('change, words', [
    (lambda state: {'backbone.' + name: value for name, value in state.items()},
     ['patch_embed.projection.weight', ' more; it has backbone.', 'front.init_cfg=dict(type=']),
    (lambda state: {name: value for name, value in state.items() if 'blocks.1.norm1' not in name},
     ['VisionTransformer: missing: blocks.1.norm1.weight, blocks.1.norm1.bias; it has']),
    (lambda state: {**state, 'blocks.0.attn.q_bias': torch.zeros(7)},
     ['VisionTransformer: of another shape: blocks.0.attn.q_bias is (7,), not (24,); it'])])
def test_what_does_not_fit_is_named(tmp_path, change, words):
    path = save(tmp_path / 'weights.pth', change(make_front().backbone.state_dict()))
    with pytest.raises(TALDataError) as error:
        pretrained(path).init_weights()
    assert '\n' not in str(error.value)
    for word in [path, 'state_dict', 'VisionTransformer', *words]:
        assert word in str(error.value)


@pytest.mark.parametrize('field, options', [
    ('init_cfg.checkpoint', dict(init_cfg=dict(type='Pretrained', checkpoint='no/w.pth'))),
    ('backbone.init_cfg.checkpoint', dict(backbone=dict(
        VIT, init_cfg=dict(type='PretrainedViT', checkpoint='no/w.pth')))),
    ('backbone.pretrained', dict(backbone=dict(
        RESNET, pretrained2d=False, pretrained='no/w.pth')))])
def test_a_file_that_is_not_there(field, options, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    front = MODELS.build(dict(dict(type='ClipFront', backbone=VIT), **options))
    with pytest.raises(FileNotFoundError) as error:
        front.init_weights()
    assert str(error.value) == (f'model.front.{field}: there is no checkpoint no/w.pth, looked for '
                                f'from {tmp_path}')


def test_averages_of_batch_norm_are_needed(tmp_path):
    state = make_front(RESNET).backbone.state_dict()
    del state['conv1.bn.running_var'], state['conv1.bn.num_batches_tracked']
    front = MODELS.build(dict(type='ClipFront', backbone=dict(
        RESNET, pretrained2d=False, pretrained=save(tmp_path / 'weights.pth', state))))
    with pytest.raises(TALDataError, match='missing: conv1.bn.running_var;'):
        front.init_weights()


def test_backbones_that_load_in_another_way(tmp_path):
    """Of MMAction2's some know `pretrained` only: random weights would pass for those asked for."""
    path = save(tmp_path / 'weights.pth', make_front(RESNET).backbone.state_dict())
    with pytest.raises(ValueError, match='ResNet3dSlowOnly takes no notice of init_cfg: write pre'):
        pretrained(path, RESNET).init_weights()


def test_initialising_is_for_init_weights_only():
    """Afterwards any state loads, as a checkpoint of a training does, adapters included."""
    front = tuned('adapter')
    front.init_weights()
    front.load_state_dict(tuned('adapter').state_dict())
    assert not front.backbone.load_state_dict({}, strict=False).unexpected_keys


def test_a_frozen_backbone_that_nothing_loads_is_remarked():
    for tuning in ('adapter', 'frozen'):
        assert tuned(tuning).remark().startswith(
            f"model.front: tuning='{tuning}' keeps VisionTransformer as it is, and nothing loads")
    named = dict(type='Pretrained', checkpoint='w.pth')
    loaded = (dict(init_cfg=named), dict(backbone=dict(VIT, init_cfg=named)),
              dict(backbone=dict(RESNET, pretrained='w.pth')))
    for options in (dict(tuning='full'), *loaded):
        front = dict(dict(type='ClipFront', tuning='frozen', backbone=VIT), **options)
        assert MODELS.build(front).remark() == ''
