"""Changes of a config from the command line, and keys that nothing reads."""
import argparse

import pytest
from mmengine.config import Config

from cltdr_mm.apis.running.config_options import ConfigOption, change_config, check_keys

CFG = dict(optim_wrapper=dict(optimizer=dict(lr=1e-3, betas=(0.9, 0.99))), data_root='data/',
           size=3,
           train_dataloader=dict(batch_size=2, shuffle=True,
                                 dataset=dict(pipeline=[dict(type='A', size=3)])))


def parse(*words):
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=ConfigOption)
    return parser.parse_args(['--cfg-options', *words]).cfg_options


def test_changes():
    assert parse('a=1', 'b.c=[1,x]', 'd=0.5 ', 'e=None') == {
        'a': 1, 'b.c': [1, 'x'], 'd': 0.5, 'e': None}


@pytest.mark.parametrize('words, message', [
    (('a', '=', '3'), "'a' is no change of a config: write key=value without blanks"),
    (('=3', ), "'=3' is no change"), (('a=[1,', '2]'), "'2]' is no change"),
    (('a=[1,(2]', ), 'Imbalanced brackets'), (('a=(1,2))', ), 'brackets'),
    (('x' * 9000, ), 'is no change of a config')])
def test_what_is_no_change_ends_with_a_message(words, message, capsys):
    with pytest.raises(SystemExit):
        parse(*words)
    line = capsys.readouterr().err.splitlines()[-1]
    assert message in line and len(line) < 1000


@pytest.mark.parametrize('options', [
    {'optim_wrapper.optimizer.lr': 1}, {'data_root': 'x'}, {'custom_hooks': []},
    {'size': 4},  # what else is 3 may be so by chance
    {'optim_wrapper.optimizer.weight_decay': 'anything new'},
    {'train_dataloader.dataset.pipeline.0.size': None}])
def test_changes_that_go_somewhere(options):
    cfg = Config(CFG)
    change_config(cfg, options)
    for key, value in options.items():
        found = cfg
        for part in key.split('.'):
            found = found[int(part) if part.isdigit() else part]
        assert found == value


@pytest.mark.parametrize('options, message', [
    ({'optim_wraper.type': 'x'}, 'no key `optim_wraper`: did you mean `optim_wrapper`'),
    ({'zzz': 1}, 'no key `zzz`$'),
    ({'optim_wrapper.optimizer.lr': '1e-4x'}, "optimizer.lr: was 0.001, and '1e-4x' is no number"),
    ({'train_dataloader.dataset.pipeline.0.size': 'x'}, "size: was 3, and 'x' is no number"),
    ({'optim_wrapper.optimizer.lr': float('nan')}, 'lr: was 0.001, and nan is no number'),
    ({'optim_wrapper.optimizer.betas.0': 1}, r'one element .*, only the whole list \(0.9, 0.99\)'),
    ({'data_root': 'x', 'data_root.a': 1}, 'data_root.a: is a part of data_root'),
    ({'data_root.a.b': 1}, 'data_root.a.b: '),
    ({'train_dataloader.dataset.pipeline.3.size': 1}, 'pipeline is a list of 1, which has no 3'),
    ({'d\udcf2ta': 1}, r'd\\udcf2ta: the config has no key'),
    ({'train_dataloader.shuffle': 'x'}, "shuffle: was True, and 'x' is neither True nor False"),
    ({'train_dataloader.dataset.pipeline.1.size': 1}, 'pipeline is a list of 1, which has no 1'),
    ({'train_dataloader.dataset.pipeline.-1.size': 1}, 'is a list of 1, which has no -1'),
    ({'train_dataloader.batch_size.x': 1}, 'train_dataloader.batch_size is 2, in which there is')])
def test_changes_that_would_go_nowhere(options, message):
    with pytest.raises(ValueError, match=f'--cfg-options .*{message}') as error:
        change_config(Config(CFG), options)
    assert str(error.value).isprintable()


@pytest.mark.parametrize('key', ['root', 'features', 'features.ann_file'])
def test_variables_of_which_something_was_made(key):
    features = dict(ann_file='data/mine/ann.json')
    cfg = Config(dict(root='data/mine/', features=features, train_dataloader=dict(
        batch_size=2, dataset=dict(type='A', parts=[features]))))
    part = {'root': '.ann_file'}.get(key, '')
    with pytest.raises(ValueError, match=f'--cfg-options {key}: `{key[:8].partition(".")[0]}` is a '
                       f'variable .* such as train_dataloader.dataset.parts.0{part}$'):
        change_config(cfg, {key: 'x'})


def test_a_top_level_key_that_nothing_reads():
    check_keys(Config(CFG), 'c.py')
    with pytest.raises(ValueError, match='c.py: `val_evaluators` is read by nothing: did you mean '
                                         '`val_evaluator`'):
        check_keys(Config(dict(CFG, val_evaluators=[])), 'c.py')


def test_no_config_of_the_project_is_refused(project_root):
    for path in project_root.glob('configs/**/*.py'):
        check_keys(Config.fromfile(path), str(path))
