"""Changes of a config from the command line, and keys that nothing reads."""
import argparse

import pytest
from mmengine.config import Config

from cltdr_mm.apis.config_options import ConfigOption, check_keys, check_options

CFG = dict(optim_wrapper=dict(optimizer=dict(lr=1e-3, betas=(0.9, 0.99))), data_root='data/',
           train_dataloader=dict(batch_size=2, shuffle=True,
                                 dataset=dict(pipeline=[dict(type='A', size=3)])))


def parse(*words):
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=ConfigOption)
    return parser.parse_args(['--cfg-options', *words]).cfg_options


def test_changes():
    assert parse('a=1', 'b.c=[1,x]', 'd=0.5', 'e=None') == {
        'a': 1, 'b.c': [1, 'x'], 'd': 0.5, 'e': None}


@pytest.mark.parametrize('words, message', [
    (('a', '=', '3'), "'a' is no change of a config: write key=value without blanks"),
    (('=3', ), "'=3' is no change"), (('a=[1,', '2]'), "'2]' is no change"),
    (('a=[1,(2]', ), 'Imbalanced brackets')])
def test_what_is_no_change_ends_with_a_message(words, message, capsys):
    with pytest.raises(SystemExit):
        parse(*words)
    assert message in capsys.readouterr().err


@pytest.mark.parametrize('options', [
    {'optim_wrapper.optimizer.lr': 1}, {'data_root': 'x'}, {'custom_hooks': []},
    {'optim_wrapper.optimizer.weight_decay': 'anything new'},
    {'train_dataloader.dataset.pipeline.0.size': None}])
def test_changes_that_go_somewhere(options):
    check_options(Config(CFG), options)


@pytest.mark.parametrize('options, message', [
    ({'optim_wraper.type': 'x'}, 'no key `optim_wraper`: did you mean `optim_wrapper`'),
    ({'zzz': 1}, 'no key `zzz`$'),
    ({'optim_wrapper.optimizer.lr': '1e-4x'}, "optimizer.lr: was 0.001, and '1e-4x' is no number"),
    ({'train_dataloader.dataset.pipeline.0.size': 'x'}, "size: was 3, and 'x' is no number"),
    ({'train_dataloader.shuffle': 'x'}, "shuffle: was True, and 'x' is neither True nor False"),
    ({'train_dataloader.dataset.pipeline.1.size': 1}, 'pipeline is a list of 1, which has no 1'),
    ({'train_dataloader.dataset.pipeline.-1.size': 1}, 'is a list of 1, which has no -1'),
    ({'train_dataloader.batch_size.x': 1}, 'train_dataloader.batch_size is 2, in which there is')])
def test_changes_that_would_go_nowhere(options, message):
    with pytest.raises(ValueError, match=f'--cfg-options .*{message}'):
        check_options(Config(CFG), options)


def test_a_top_level_key_that_nothing_reads():
    check_keys(Config(CFG), 'c.py')
    with pytest.raises(ValueError, match='c.py: `val_evaluators` is read by nothing: did you mean '
                                         '`val_evaluator`'):
        check_keys(Config(dict(CFG, val_evaluators=[])), 'c.py')


def test_no_config_of_the_project_is_refused(project_root):
    for path in project_root.glob('configs/**/*.py'):
        check_keys(Config.fromfile(path), str(path))
