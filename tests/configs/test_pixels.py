"""Generated videos: which part of a front learns, and whose weights it begins with."""
import config_models
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.registry import init_default_scope

FOLDER = config_models.CONFIGS / 'pixels'
NAMES = sorted(path.stem for path in FOLDER.glob('*.py'))
FRONTS = [name for name in NAMES if not name.startswith('recognizer')]


def load(name):
    return config_models.load(f'pixels/{name}')


@pytest.mark.parametrize('name', FRONTS)
def test_what_learns(name):
    model = config_models.build(load(name))
    learning = {key for key, value in model.front.named_parameters() if value.requires_grad}
    if 'frozen' in name:
        assert not learning
    elif 'adapters' in name:
        assert learning and all('.adapter.' in key for key in learning)
    else:
        unused = {'backbone.fc_norm.weight', 'backbone.fc_norm.bias'}
        assert learning == {key for key, _ in model.front.named_parameters()} - unused
    assert all(value.requires_grad for part in (model.backbone, model.head)
               for value in part.parameters())


@pytest.mark.parametrize('name', FRONTS)
def test_all_that_is_not_of_the_front_is_the_same(name):
    first, cfg = load(FRONTS[0]), load(name)
    for key in ('train_dataloader', 'test_dataloader', 'test_evaluator', 'optim_wrapper',
                'train_cfg', 'param_scheduler'):
        assert cfg[key] == first[key]
    assert {key: value for key, value in cfg.model.items() if key != 'front'} == {
        key: value for key, value in first.model.items() if key != 'front'}


@pytest.mark.parametrize('name', [name for name in FRONTS if 'random' not in name])
def test_a_front_begins_with_the_recognizers_weights(name, tmp_path):
    init_default_scope('mmaction')
    kind = name.partition('_')[0]
    clips, cfg = load(f'recognizer_{kind}'), load(name)
    assert cfg.pretrained == (
        f'work_dirs/recognizer_{kind}/epoch_{clips.train_cfg.max_epochs}.pth')
    recognizer = MODELS.build(clips.model)
    for value in recognizer.parameters():
        torch.nn.init.normal_(value)
    path = str(tmp_path / 'clips.pth')
    torch.save(dict(state_dict=recognizer.state_dict()), path)
    part = cfg.model.front if kind == 'resnet' else cfg.model.front.backbone
    part.init_cfg.checkpoint = path
    front = MODELS.build(cfg.model.front)
    front.init_weights()
    found, wanted = front.backbone.state_dict(), recognizer.backbone.state_dict()
    for key in wanted:
        if not key.startswith('fc_norm'):  # of a classifier
            assert torch.equal(found[key], wanted[key]), key
    # and both see the same: a clip, normalised alike
    normal = clips.model.data_preprocessor
    assert list(cfg.model.front.mean) == normal.mean and list(cfg.model.front.std) == normal.std
    assert cfg.model.front.clip_len == clips.train_pipeline[1].clip_len
