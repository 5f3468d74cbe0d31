"""What the command lines of training and testing make of a config; tests/e2e runs them."""
import pytest
import torch

from cltdr_mm.cli import test, train


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / 'work' / 'epoch_1.pth'
    path.parent.mkdir()
    torch.save({}, path)
    (path.parent / 'last_checkpoint').write_text(str(path))
    return path


def config_of(verb, *words):
    return verb.load_config(verb.parse_args(['cltdr_synthetic', *map(str, words)]))


def test_a_test_logs_beside_its_checkpoint(checkpoint, tmp_path):
    for named in (checkpoint, checkpoint.parent):
        cfg = config_of(test, named)
        assert (cfg.work_dir, cfg.load_from) == (str(checkpoint.parent), str(checkpoint))
    assert config_of(test, checkpoint, '--work-dir', tmp_path / 'a').work_dir == str(
        tmp_path / 'a')
    (checkpoint.parent / 'last_checkpoint').unlink()  # no folder of a training
    assert config_of(test, checkpoint).work_dir == 'work_dirs/cltdr_synthetic'


def test_nothing_to_be_tested_on(checkpoint, tmp_path):
    path = tmp_path / 'own.py'
    path.write_text("_base_ = 'cltdr_mm::cltdr_synthetic.py'\n"
                    'test_cfg = test_dataloader = test_evaluator = None\n')
    with pytest.raises(ValueError, match='own.py: there is no test_dataloader'):
        test.load_config(test.parse_args([str(path), str(checkpoint)]))


def test_a_test_trains_nothing(checkpoint):
    cfg = config_of(test, checkpoint)
    assert cfg.train_dataloader is cfg.optim_wrapper is cfg.train_cfg is None
    assert cfg.test_dataloader and cfg.test_evaluator


def test_what_is_watched():
    cfg = config_of(train)
    assert [backend.type for backend in cfg.visualizer.vis_backends] == ['LocalVisBackend']
    assert 'visualization' not in cfg.default_hooks
    pytest.importorskip('tensorboard')
    cfg = config_of(train, '--tensorboard', '--timelines')
    assert [backend.type for backend in cfg.visualizer.vis_backends] == [
        'LocalVisBackend', 'TALTensorboardVisBackend']
    assert cfg.default_hooks.visualization.type == 'TALVisualizationHook'


@pytest.mark.parametrize('verb, more', [(train, []), (test, ['{}'])])
def test_who_speaks(monkeypatch, checkpoint, verb, more):
    said = []
    monkeypatch.setattr(verb, 'run', lambda cfg, task, launcher, verbose: said.append(verbose))
    words = ['cltdr_synthetic', *(word.format(checkpoint) for word in more)]
    verb.main(words)
    verb.main([*words, '--verbose'])
    assert said == [False, True]
