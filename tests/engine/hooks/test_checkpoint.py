"""Checkpoints of trainings that break off, move, diverge, and go on with other batches."""
import shutil
from pathlib import Path

import pytest
import torch
from mmaction.registry import HOOKS
from mmengine.hooks import Hook

from cltdr_mm.engine.checkpoint_io import WholeFileBackend, is_whole
from cltdr_mm.utils import TALDataError


def at(runner, moment, epoch, call):
    """Let a Runner call a function at one moment; `epoch` as the Runner counts it then."""
    class Moment(Hook):
        priority = 'HIGHEST'

    setattr(Moment, moment, lambda self, runner, *args, **kwargs:
            call(runner) if runner.epoch == epoch else None)
    runner.register_hook(Moment())
    return runner


def stop(runner):
    raise KeyboardInterrupt


def files(runner) -> set:
    return {path.name for path in Path(runner.work_dir).glob('*.pth')}


def saved(path) -> dict:
    return torch.load(path, weights_only=True)


def rates(runner, **more) -> list:
    """Learning rate of every step of a training."""
    found = []
    runner.register_hook(type('Rates', (Hook, ), dict(
        before_train_iter=lambda self, runner, **kwargs:
        found.append(runner.optim_wrapper.get_lr()['lr'][0])))())
    runner.train()
    return found


def broken(monkeypatch, name):
    """Lets the disk be full as soon as a file of this name is half written."""
    whole = WholeFileBackend.put

    def put(self, data, filepath):
        if Path(filepath).name.startswith(name):
            def half(path, data):
                Path.open(path, 'wb').write(data[:len(data) // 2])
                raise OSError(28, 'No space left on device', str(path))

            with monkeypatch.context() as patch:
                patch.setattr(Path, 'write_bytes', half)
                return whole(self, data, filepath)
        return whole(self, data, filepath)

    monkeypatch.setattr(WholeFileBackend, 'put', put)


def test_files_of_a_training(toy_runner):
    runner = toy_runner(epochs=4, default_hooks=dict(checkpoint=dict(max_keep_ckpts=2)))
    runner.train()
    work_dir = Path(runner.work_dir)
    best, = work_dir.glob('best_average_mAP_epoch_*.pth')
    assert files(runner) == {'epoch_3.pth', 'epoch_4.pth', best.name}
    assert (work_dir / 'last_checkpoint').read_text() == str(work_dir / 'epoch_4.pth')
    meta = saved(work_dir / 'epoch_4.pth')['meta']
    assert (meta['epoch_length'], meta['total_batch']) == (5, 2) and meta['cltdr_mm_version']
    assert not list(work_dir.glob('.*.part*'))


@pytest.mark.parametrize('name, kept', [
    ('epoch_2', {'epoch_1.pth', 'best_average_mAP_epoch_1.pth'}),
    ('best_average_mAP_epoch_2', {'epoch_2.pth', 'best_average_mAP_epoch_1.pth'})])
def test_a_full_disk_leaves_what_was_whole(toy_runner, monkeypatch, name, kept):
    broken(monkeypatch, name)
    runner = toy_runner(epochs=2, default_hooks=dict(checkpoint=dict(max_keep_ckpts=1)))
    with pytest.raises(OSError, match='No space left') as error:
        runner.train()
    assert Path(error.value.filename).name == f'{name}.pth'
    assert files(runner) == kept
    assert all(is_whole(Path(runner.work_dir, file)) for file in kept)
    assert not list(Path(runner.work_dir).glob('.*.part*'))
    last = Path(runner.work_dir, 'last_checkpoint').read_text()
    assert is_whole(last) and Path(last).name in kept


def test_two_best_checkpoints(toy_runner):
    """Several metrics, each with a best of its own: one is superseded, the other stays."""
    runner = toy_runner(epochs=3, default_hooks=dict(checkpoint=dict(
        save_best=['average_mAP', 'samples'], rule=['greater', 'greater'])))
    runner.train()
    best = sorted(path.name for path in Path(runner.work_dir).glob('best_*'))
    assert len(best) == 2 and best[1] == 'best_samples_epoch_1.pth'  # 10 samples each time
    hub = runner.message_hub
    assert Path(hub.get_info('best_ckpt_average_mAP')).name == best[0]
    assert Path(hub.get_info('best_ckpt_samples')).name == best[1]


@pytest.mark.parametrize('moment, epoch', [
    ('before_val_epoch', 2),  # before the validation
    ('after_val_epoch', 2),  # before its best checkpoint is written
    ('before_train_epoch', 2),  # when all is done
])
def test_a_validation_that_was_cut_off_is_repeated(toy_runner, moment, epoch):
    straight = toy_runner('straight', epochs=3)
    straight.train()
    with pytest.raises(KeyboardInterrupt):
        at(toy_runner('again', epochs=3), moment, epoch, stop).train()
    again = toy_runner('again', epochs=3, resume=True)
    again.train()
    assert files(again) == files(straight)
    for key in ('best_score', 'keep_ckpt_ids'):
        assert again.message_hub.get_info(key) == straight.message_hub.get_info(key)
    best = Path(straight.message_hub.get_info('best_ckpt')).name
    for name in (best, 'epoch_3.pth'):
        expected, got = (saved(Path(run.work_dir, name))['state_dict'] for run in (straight, again))
        assert all(torch.equal(got[key], value) for key, value in expected.items())


def test_the_last_validation_is_repeated_too(toy_runner):
    with pytest.raises(KeyboardInterrupt):
        at(toy_runner(epochs=2), 'before_val_epoch', 2, stop).train()
    again = toy_runner(epochs=2, resume=True)
    again.train()
    assert 'best_average_mAP_epoch_2.pth' in files(again)
    text = ''.join(path.read_text() for path in Path(again.work_dir).glob('*/*.log'))
    assert 'nothing is left to train' in text


def test_no_validation_is_repeated_where_none_was_due(toy_runner):
    def never(runner):
        raise AssertionError('validated')

    settings = dict(epochs=3, train_cfg=dict(val_interval=3))
    with pytest.raises(KeyboardInterrupt):
        at(toy_runner(**settings), 'before_train_epoch', 1, stop).train()
    at(toy_runner(**settings, resume=True), 'before_val_epoch', 1, never).train()


def test_a_moved_training_goes_on_in_its_folder(toy_runner, tmp_path):
    toy_runner('first', epochs=1).train()
    original = tmp_path / 'first'
    shutil.copytree(original, tmp_path / 'copied')
    before = {path.name: path.read_bytes() for path in original.glob('*.pth')}
    copied = toy_runner('copied', epochs=2, resume=True,
                        load_from=str(tmp_path / 'copied' / 'epoch_1.pth'))
    copied.train()
    assert files(copied) == {'epoch_1.pth', 'epoch_2.pth', 'best_average_mAP_epoch_2.pth'}
    assert {path.name: path.read_bytes() for path in original.glob('*.pth')} == before


def test_resuming_into_another_folder_leaves_the_first_alone(toy_runner, tmp_path):
    first = toy_runner('first', epochs=1)
    first.train()
    before = {path.name: path.read_bytes() for path in (tmp_path / 'first').glob('*.pth')}
    second = toy_runner('second', epochs=2, resume=True,
                        load_from=str(tmp_path / 'first' / 'epoch_1.pth'))
    second.train()
    assert {path.name: path.read_bytes() for path in (tmp_path / 'first').glob('*.pth')} == before
    best, = (tmp_path / 'second').glob('best_*')
    assert second.message_hub.get_info('best_ckpt') == str(best)


def explode(value):
    def call(runner):
        with torch.no_grad():
            runner.model.linear.weight[0, 0] = value
    return call


@pytest.mark.parametrize('value, word', [
    (1e30, 'linear.weight holds values up to 1e+30'), (float('nan'), 'linear.weight holds NaN'),
    (float('inf'), 'linear.weight holds values up to inf')])
def test_an_exploded_model_is_not_saved(toy_runner, value, word):
    # the loss was fine: the step after it did the damage
    runner = at(toy_runner(epochs=3), 'after_train_epoch', 1, explode(value))
    with pytest.raises(FloatingPointError, match=rf'^epoch 2, iteration 11: {word}.*not saved'
                       .replace('+', r'\+')):
        runner.train()
    assert files(runner) == {'epoch_1.pth', 'best_average_mAP_epoch_1.pth'}


def test_a_spoiled_optimizer_is_not_saved_and_infinite_buffers_are(toy_runner):
    def spoil(runner):
        state = next(iter(runner.optim_wrapper.optimizer.state.values()))
        state['exp_avg'].fill_(float('inf'))

    runner = at(toy_runner('spoiled', epochs=1), 'after_train_epoch', 0, spoil)
    with pytest.raises(FloatingPointError, match='the state of the optimizer is not finite'):
        runner.train()
    runner = at(toy_runner('masked', epochs=1), 'after_train_epoch', 0,
                lambda runner: runner.model.seen.fill_(float('inf')))
    runner.train()
    assert 'epoch_1.pth' in files(runner)


CURVES = dict(
    own=dict(type='WarmupCosineLR', warmup=1, by_epoch=True, convert_to_iter_based=True),
    chained=[dict(type='LinearLR', start_factor=0.1, end=1, convert_to_iter_based=True),
             dict(type='CosineAnnealingLR', begin=1, convert_to_iter_based=True)],
    by_epoch=[dict(type='MultiStepLR', milestones=[1, 3], gamma=0.5),
              dict(type='CosineAnnealingLR', begin=2, convert_to_iter_based=True)])


@pytest.mark.parametrize('curve', CURVES)
@pytest.mark.parametrize('batch', [1, 2, 5])
def test_the_rate_goes_by_the_share_of_the_training(toy_runner, curve, batch):
    settings = dict(epochs=4, curve=CURVES[curve])
    straight = rates(toy_runner('straight', **settings, train_dataloader=dict(batch_size=batch)))
    with pytest.raises(KeyboardInterrupt):
        at(toy_runner('other', **settings), 'before_train_epoch', 2, stop).train()
    got = rates(toy_runner('other', **settings, resume=True,
                           train_dataloader=dict(batch_size=batch)))
    assert len(straight) == 4 * 10 // batch
    assert got == pytest.approx(straight[len(straight) // 2:], abs=1e-15)
    if batch == 2:
        assert got == straight[len(straight) // 2:]


def test_a_longer_training_resumes_on_its_own_curve(toy_runner):
    toy_runner(epochs=2).train()
    got = rates(toy_runner(epochs=6, resume=True))
    assert got == rates(toy_runner('straight', epochs=6))[10:]


def test_another_batch_is_remarked(toy_runner):
    toy_runner(epochs=1).train()
    again = toy_runner(epochs=2, resume=True, train_dataloader=dict(batch_size=5))
    again.train()
    text = ''.join(path.read_text() for path in Path(again.work_dir).glob('*/*.log'))
    assert 'total batch of 5, the checkpoint was trained with 2' in text


@pytest.mark.parametrize('change, message', [
    (lambda c: c['state_dict'].pop('out.weight'), 'missing: out.weight'),
    (lambda c: c['state_dict'].update(more=torch.zeros(1)), 'left over: more'),
    (lambda c: c['state_dict'].update({'out.bias': torch.zeros(7)}), r'out.bias is \(7,\), not'),
    (lambda c: c.pop('optimizer'), 'weights alone cannot be resumed')])
def test_a_checkpoint_that_does_not_fit_is_not_resumed(toy_runner, tmp_path, change, message):
    toy_runner('first', epochs=1).train()
    path = tmp_path / 'changed.pth'
    checkpoint = saved(tmp_path / 'first' / 'epoch_1.pth')
    change(checkpoint)
    torch.save(checkpoint, path)
    with pytest.raises(TALDataError, match=rf'changed\.pth: .*{message}'):
        toy_runner('second', epochs=2, resume=True, load_from=str(path)).train()


def test_unknown_arguments_are_found_when_it_is_made():
    with pytest.raises(TypeError, match="unexpected keyword argument 'save_lasts'"):
        HOOKS.build(dict(type='TALCheckpointHook', save_lasts=True))
