"""Published checkpoints become ours, or an error says what does not fit."""
import importlib.util
import os
import re
import sys
from pathlib import Path

import pytest
import torch
from mmaction.registry import MODELS

from cltdr_mm.engine.checkpoint_conversion import (
    FAMILIES,
    check_against,
    convert_checkpoint,
    convert_state_dict,
    unwrap,
)

sys.path.insert(0, str(Path(__file__).parents[1] / 'parity'))
from published_configs import published_model  # noqa: E402
from published_layout import Layout  # noqa: E402
from records import published_settings  # noqa: E402

NAMES = {'cltdr-gmg': 'cltdr', 'tridet': 'tridet', 'actionformer': 'actionformer',
         'temporalmaxer': 'tmaxer'}


def sections(name: str) -> dict:
    """Published settings as a file has them."""
    model = published_settings(name)
    return dict(train=model.pop('train_cfg'), test=model.pop('test_cfg'), model=model)


def build(family: str, **changes) -> torch.nn.Module:
    """Our model of small published settings."""
    settings = sections(NAMES[family])
    settings['model'].update(changes)
    return MODELS.build(published_model(family, settings))


def published_state(family: str, seed: int = 0) -> dict:
    """Random weights in the published layout, float32."""
    layout = Layout(NAMES[family], published_settings(NAMES[family]))
    return {key: value.float() for key, value in layout.random_state(seed).items()}


@pytest.fixture
def source(tmp_path):
    """Write a checkpoint and return its path."""

    def write(content, name='published.pth.tar') -> str:
        torch.save(content, tmp_path / name)
        return str(tmp_path / name)

    return write


@pytest.mark.parametrize('family', NAMES)
def test_every_parameter_arrives(family, source, tmp_path):
    state = published_state(family)
    model = build(family)
    target = str(tmp_path / 'ours.pth')
    written = convert_checkpoint(source(state), target, family, model)
    assert written['meta'] == dict(converted_from=family)
    loaded = torch.load(target, weights_only=True)
    model.load_state_dict(loaded['state_dict'], strict=True)
    # as multisets of numbers, nothing got lost but what is never used
    used = [value for key, value in state.items() if not key.startswith('refineHead.scale')]
    ours = [value for key, value in model.state_dict().items() if 'normalizer' not in key]
    assert len(used) == len(ours)
    assert sum(v.double().sum().item() for v in used) == pytest.approx(
        sum(v.double().sum().item() for v in ours), rel=1e-9)
    assert not [name for name in os.listdir(tmp_path) if '.part' in name]


def test_one_name_in_detail():
    key = 'refineHead.s_offset_head.conv.weight'
    value = torch.ones(3, 4, 7)
    assert convert_state_dict({key: value}, 'cltdr-gmg') == {
        'head.refine_head.start_out.conv.weight': value}
    assert convert_state_dict({'backbone.stem.0.w1': value}, 'cltdr-gmg') == {
        'backbone.stem.0.global_mixer.w1': value}
    assert convert_state_dict({'reg_head.offset_head.conv.bias': value}, 'actionformer') == {
        'head.reg_tower.out.conv.bias': value}
    assert convert_state_dict({'reg_head.offset_head.conv.bias': value}, 'tridet') == {
        'head.center_tower.out.conv.bias': value}


def test_training_checkpoint(source, tmp_path):
    """Averaged weights by default; epochs, optimizer and prefixes of parallel training ignored."""
    plain, average = published_state('tridet', 1), published_state('tridet', 2)
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(3))])
    checkpoint = dict(
        epoch=39, optimizer=optimizer.state_dict(), scheduler=dict(last_epoch=39, base_lrs=[1e-4]),
        state_dict={f'module.{key}': value for key, value in plain.items()},
        state_dict_ema={f'module.module.{key}': value for key, value in average.items()})
    path, target = source(checkpoint), str(tmp_path / 'ours.pth')
    key = 'backbone.stem.0.psi.weight'
    model = build('tridet')
    for ema, expected in ((True, average), (False, plain)):
        converted = convert_checkpoint(path, target, 'tridet', model, ema)['state_dict']
        assert torch.equal(converted[key], expected[key])
    del checkpoint['state_dict_ema']
    converted = convert_checkpoint(source(checkpoint), target, 'tridet', model)['state_dict']
    assert torch.equal(converted[key], plain[key])


def test_points_and_position_tables_are_no_leftovers():
    state = published_state('actionformer')
    state['point_generator.buffer_points'] = torch.zeros(4, 4)
    state['backbone.pos_embd'] = torch.zeros(1, 16, 32)
    check_against(convert_state_dict(state, 'actionformer'), build('actionformer'))


def test_all_that_does_not_fit_is_listed(source, tmp_path):
    state = published_state('cltdr-gmg')
    state.pop('dereg.conv_l.bias')
    state['neck.fpn_norms.7.weight'] = torch.zeros(1, 16, 1)
    state['cls_head.cls_head.conv.weight'] = torch.zeros(20, 16, 3)
    path, target = source(state), tmp_path / 'ours.pth'
    with pytest.raises(ValueError) as error:
        convert_checkpoint(path, str(target), 'cltdr-gmg', build('cltdr-gmg'))
    message = str(error.value)
    assert path in message
    assert 'missing: head.drm.own.lower.bias' in message
    assert 'left over: neck.fpn_norms.7.weight' in message
    assert 'of another shape: head.cls_tower.out.conv.weight is (20, 16, 3), not (3, 16, 3)' \
        in message
    assert '\n' not in message
    assert not target.exists()


def test_unknown_names(source, tmp_path):
    path = source(published_state('cltdr-gmg'))
    with pytest.raises(ValueError, match=r'keys are unknown in checkpoints of tridet: .*decls'):
        convert_checkpoint(path, str(tmp_path / 'ours.pth'), 'tridet')
    with pytest.raises(ValueError, match="family must be one of .*, got 'bmn'"):
        convert_state_dict({}, 'bmn')


@pytest.mark.parametrize('content, message', [
    (dict(epoch=3), r"holds no state dict.*'epoch'"),
    ({}, 'holds no state dict'),
    (dict(state_dict=dict(weight='no tensor')), 'holds no state dict'),
    ([torch.zeros(2)], 'it holds a list, not a state dict'),
])
def test_no_state_dict(content, message, source, tmp_path):
    path = source(content)
    with pytest.raises(ValueError, match=message) as error:
        convert_checkpoint(path, str(tmp_path / 'ours.pth'), 'tridet')
    assert path in str(error.value)


def test_unwrap_without_average():
    state = dict(weight=torch.zeros(2))
    with pytest.raises(ValueError, match='holds no state dict'):
        unwrap(dict(state_dict_ema=state), ema=False)
    assert unwrap(dict(state_dict_ema=state)) == state


class Malicious:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, trace: str):
        self.trace = trace

    def __reduce__(self):
        return os.mkdir, (self.trace, )


def test_pickled_code_does_not_run(source, tmp_path):
    trace, target = tmp_path / 'it ran', tmp_path / 'ours.pth'
    state = dict(published_state('tridet'), extra=Malicious(str(trace)))
    path = source(dict(state_dict=state))
    with pytest.raises(ValueError, match='might run code') as error:
        convert_checkpoint(path, str(target), 'tridet')
    assert path in str(error.value)
    assert not trace.exists() and not target.exists()
    torch.load(path, weights_only=False)  # the file was as bad as it should be
    assert trace.exists()


def test_unreadable_files(tmp_path):
    with pytest.raises(FileNotFoundError):
        convert_checkpoint(str(tmp_path / 'none.pth'), str(tmp_path / 'ours.pth'), 'tridet')
    text = tmp_path / 'text.pth'
    text.write_text('not a checkpoint')
    with pytest.raises(ValueError, match='text.pth'):
        convert_checkpoint(str(text), str(tmp_path / 'ours.pth'), 'tridet')


def test_failed_write_leaves_no_checkpoint(source, tmp_path, monkeypatch):
    path, target = source(published_state('tridet')), tmp_path / 'ours.pth'

    def fail(content, file):
        Path(file).write_bytes(b'half of it')
        raise OSError('no space left')

    monkeypatch.setattr(torch, 'save', fail)
    with pytest.raises(OSError, match='no space'):
        convert_checkpoint(path, str(target), 'tridet')
    assert not target.exists()


# the command line


@pytest.fixture
def command(project_root, monkeypatch, capsys):
    """Run the converter's command line within this process."""
    spec = importlib.util.spec_from_file_location(
        'convert_checkpoint', project_root / 'tools/model_converters/convert_checkpoint.py')
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)

    def run(*args) -> str:
        monkeypatch.setattr(sys, 'argv', ['convert_checkpoint.py', *map(str, args)])
        tool.main()
        return capsys.readouterr().out

    return run


def test_command_line(command, source, tmp_path):
    config, target = tmp_path / 'config.py', tmp_path / 'ours.pth'
    config.write_text(f'model = {published_model("tridet", sections("tridet"))!r}\n')
    path = source(dict(state_dict_ema=published_state('tridet', 1),
                       state_dict=published_state('tridet', 2)))
    assert 'tensors' in command(path, target, '--from', 'tridet', '--config', config)
    average = torch.load(target, weights_only=True)['state_dict']
    assert 'shapes are not' in command(path, target, '--from', 'tridet', '--no-ema')
    plain = torch.load(target, weights_only=True)['state_dict']
    assert average.keys() - plain.keys() == {'head.normalizer.value'}
    assert not torch.equal(average['backbone.embd.0.conv.weight'],
                           plain['backbone.embd.0.conv.weight'])


def test_command_line_refuses(command, source, tmp_path):
    path = source(published_state('tridet'))
    with pytest.raises(SystemExit, match='error: .*unknown in checkpoints of actionformer'):
        command(path, tmp_path / 'ours.pth', '--from', 'actionformer')
    with pytest.raises(SystemExit):
        command(tmp_path / 'none.pth', tmp_path / 'ours.pth', '--from', 'tridet')
    assert not (tmp_path / 'ours.pth').exists()


@pytest.mark.parametrize('weight', [
    {3: torch.ones(1)}, {'a': torch.ones(2).to_sparse()}, {'a': 1}])
def test_weights_that_are_no_tensors_by_name(weight, source, tmp_path):
    for content in (weight, dict(state_dict=weight)):
        path = source(content)
        with pytest.raises(ValueError, match='the checkpoint holds no state dict') as error:
            convert_checkpoint(path, str(tmp_path / 'ours.pth'), 'actionformer')
        assert path in str(error.value) and not (tmp_path / 'ours.pth').exists()


def state_space_state(family: str, model: torch.nn.Module) -> dict:
    """Random weights of a state space model in the layout of OpenTAD's or the official code."""
    theirs = [(r'^backbone\.embd\.(\d+)\.', r'projection.embed.\1.'),
              (r'^backbone\.embd_norm\.(\d+)\.', r'projection.embed.\1.norm.'),
              (r'^backbone\.', 'projection.'),
              (r'^head\.(cls|reg)_tower\.convs\.', r'rpn_head.\1_convs.'),
              (r'^head\.(cls|reg)_tower\.norms\.(\d+)\.', r'rpn_head.\1_convs.\2.norm.'),
              (r'^head\.(cls|reg)_tower\.out\.conv\.', r'rpn_head.\1_head.'),
              (r'^head\.scales\.', 'rpn_head.scale.')]
    if family == 'actionmamba':
        theirs = [(r'^head\.cls_tower\.out\.', 'cls_head.cls_head.'),
                  (r'^head\.reg_tower\.out\.', 'reg_head.offset_head.'),
                  (r'^head\.(cls|reg)_tower\.convs\.', r'\1_head.head.'),
                  (r'^head\.(cls|reg)_tower\.norms\.', r'\1_head.norm.'),
                  (r'^head\.scales\.', 'reg_head.scale.')]
    state = {}
    for key, value in model.state_dict().items():
        if 'normalizer' in key:
            continue
        # of the official code the blocks' norms alone are (D,)
        if re.search('norm', key) and (family != 'actionmamba' or re.search(
                r'(stem|branch)\.\d+\.norm', key)):
            value = value.flatten()
        for pattern, name in theirs:
            renamed, found = re.subn(pattern, name, key)
            if found:
                key = renamed
                break
        state[key] = torch.randn(value.shape)
    return state


@pytest.mark.parametrize('family, backbone', [
    ('actionmamba', 'ActionMamba'), ('actionmamba-opentad', 'ActionMamba'),
    ('causaltad', 'CausalTAD')])
def test_state_space_models(family, backbone, source, tmp_path):
    model = MODELS.build(dict(
        type='SingleStageLocalizer', neck=dict(type='IdentityNeck'),
        backbone=dict(type=backbone, in_channels=5, embed_dims=32, arch=(2, 1, 2)),
        head=dict(type='ActionFormerHead', num_classes=3)))
    state = state_space_state(family, model)
    assert len(state) == len(set(state)) == len(model.state_dict()) - 1
    target = str(tmp_path / 'ours.pth')
    convert_checkpoint(source(state), target, family, model)
    model.load_state_dict(torch.load(target, weights_only=True)['state_dict'], strict=True)
    ours = {key: value for key, value in model.state_dict().items() if 'normalizer' not in key}
    for theirs, value in zip(state.values(), ours.values()):
        assert torch.equal(theirs.flatten(), value.flatten())
    assert set(FAMILIES) == {*NAMES, 'actionmamba', 'actionmamba-opentad', 'causaltad'}
