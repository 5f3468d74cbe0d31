import pytest
from mmengine.config import Config

from cltdr_mm.engine.checkpoint_config import checkpoint_config
from cltdr_mm.resources import config_path


def stored(text, place='message_hub'):
    if place == 'message_hub':
        return dict(message_hub=dict(runtime_info=dict(cfg=text)))
    return dict(meta=dict(cfg=text))


@pytest.mark.parametrize('place', ['message_hub', 'meta'])
@pytest.mark.parametrize('name', ['cltdr_thumos', 'asl_hapt', 'cltdr_anet_tsp', 'cltdr_synthetic'])
def test_it_is_the_config(name, place):
    cfg = Config.fromfile(config_path(name))
    read = checkpoint_config(stored(cfg.pretty_text, place))
    assert read.to_dict() == cfg.to_dict()


@pytest.mark.parametrize('text, message', [
    ("__import__('os').system('touch hacked')", 'line 1 is no assignment'),
    ("model = dict(type=__import__('os').system('touch hacked'))", 'not made of literals'),
    ("model = dict(**open('hacked', 'w').__dict__)", 'not made of literals'),
    ("model = [x for x in (open('hacked', 'w'),)]", 'not made of literals'),
    ("import os", 'line 1 is no assignment'),
    ("model = dict(type='os.system', command='touch hacked')", "type='os.system'"),
    ("model = dict(a=[dict(type='mmaction.os.system')])", "type='mmaction.os.system'"),
    ("test_dataloader = dict(collate_fn='os.system')", "type='os.system'"),
    ("model = dict(type=", 'not made of literals'),
    ('model = ' + '[' * 100_000, 'not made of literals'),
    ("filename = 'x.py'", 'its config cannot be used .*filename is reserved'),
    (f"model = dict(type='{'x' * 9000} y')", "type='xxx"),
])
def test_nothing_is_executed(tmp_path, monkeypatch, text, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=f'^best.pth: .*{message}') as error:
        checkpoint_config(stored(text), 'best.pth')
    assert 'give the config file as well' in str(error.value)
    assert len(str(error.value)) < 1000
    assert not list(tmp_path.iterdir())


def test_names_of_a_scope_pass():
    text = "model = dict(type='mmaction.BMN')\nvalue = -1.5\npair = (1, None)"
    assert checkpoint_config(stored(text)).to_dict() == dict(
        model=dict(type='mmaction.BMN'), value=-1.5, pair=(1, None))


@pytest.mark.parametrize('checkpoint', [
    {}, dict(message_hub={}, meta=None), stored(3), [1], dict(message_hub='x', meta=[1]),
    dict(message_hub=dict(runtime_info=1.5)), dict(meta=dict(cfg=''))])
def test_no_config(checkpoint):
    with pytest.raises(ValueError, match='checkpoint: holds no config'):
        checkpoint_config(checkpoint)
