"""The threshold that a checkpoint knows is that of its own weights."""
from pathlib import Path

import pytest
import torch
from mmengine.hooks import Hook

from cltdr_mm.engine.score_threshold import checkpoint_score_threshold
from cltdr_mm.utils import TALDataError


def measured(runner, name='f1_threshold', stop=None):
    """Let every validation measure a threshold, a sum of the weights that it was given."""
    class Measure(Hook):
        priority = 'HIGHEST'

        def after_val_epoch(self, runner, metrics=None):
            metrics[name] = float(sum(p.detach().sum() for p in runner.model.parameters()))
            if runner.epoch == stop:
                raise KeyboardInterrupt

    runner.register_hook(Measure())
    return runner


def own(path) -> float:
    weights = torch.load(path, weights_only=True)['state_dict']
    return float(sum(value.sum() for name, value in weights.items() if name != 'seen'))


@pytest.mark.parametrize('name', ['f1_threshold', 'mine/f1_threshold'])
@pytest.mark.parametrize('rule', ['greater', 'less'])
def test_every_validated_checkpoint_knows_its_own(toy_runner, name, rule):
    """Best or not, of averaged weights, which are those that were validated."""
    runner = measured(toy_runner(epochs=3, default_hooks=dict(checkpoint=dict(rule=rule))), name)
    runner.train()
    paths = sorted(Path(runner.work_dir).glob('*.pth'))
    assert len(paths) == 4
    found = {path.name: checkpoint_score_threshold(path) for path in paths}
    assert len(set(found.values())) == 3  # the best is one of the epochs
    for path in paths:
        assert found[path.name] == pytest.approx(own(path), abs=1e-5)


def test_resumed_trainings_know_it_too(toy_runner):
    measured(toy_runner('straight', epochs=3)).train()
    with pytest.raises(KeyboardInterrupt):
        measured(toy_runner('again', epochs=3), stop=2).train()
    again = toy_runner('again', epochs=3, resume=True)
    folder = Path(again.work_dir)
    with pytest.raises(ValueError, match=r'epoch_2\.pth: was never validated'):
        checkpoint_score_threshold(folder / 'epoch_2.pth')
    measured(again).train()
    for path in folder.glob('*.pth'):
        assert checkpoint_score_threshold(path) == checkpoint_score_threshold(
            folder.parent / 'straight' / path.name)


def test_epochs_that_are_not_validated_have_none(toy_runner):
    runner = measured(toy_runner(epochs=3, train_cfg=dict(val_interval=2)))
    runner.train()
    folder = Path(runner.work_dir)
    with pytest.raises(ValueError) as error:
        checkpoint_score_threshold(folder / 'epoch_1.pth')
    assert str(error.value).startswith(f'{folder}/epoch_1.pth: was never validated')
    assert '\n' not in str(error.value)
    for name in ('epoch_2', 'epoch_3'):
        assert checkpoint_score_threshold(folder / f'{name}.pth') == pytest.approx(
            own(folder / f'{name}.pth'), abs=1e-5)


def test_validated_between_two_checkpoints(toy_runner):
    """No checkpoint is written that was not due, apart from what MMEngine writes with the best."""
    runner = measured(toy_runner(epochs=3, default_hooks=dict(checkpoint=dict(
        interval=2, save_best=None))))
    runner.train()
    names = {path.name for path in Path(runner.work_dir).glob('*.pth')}
    assert names == {'epoch_2.pth', 'epoch_3.pth'}


@pytest.mark.parametrize('content', [
    dict(state_dict={}), dict(meta=None), [1], dict(meta=dict(score_threshold='high')),
    dict(meta=dict(score_threshold=float('nan'))), dict(meta=dict(score_threshold=True))])
def test_checkpoints_of_others(tmp_path, content):
    path = tmp_path / 'other.pth'
    torch.save(content, path)
    with pytest.raises(ValueError, match=r'other\.pth: was never validated'):
        checkpoint_score_threshold(path)


def test_no_checkpoint(tmp_path):
    with pytest.raises(FileNotFoundError):
        checkpoint_score_threshold(tmp_path / 'none.pth')
    (tmp_path / 'text.pth').write_text('no')
    with pytest.raises(TALDataError, match=r'text\.pth'):
        checkpoint_score_threshold(tmp_path / 'text.pth')
