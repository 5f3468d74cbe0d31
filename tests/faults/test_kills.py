"""A training that is killed and resumed ends where one ends that was not."""
import re
import signal
import time

import numpy as np
import pytest
import torch
from tool_runs import load, logged

from cltdr_mm.engine.checkpoint_io import is_whole

#: Moments of the full set, each in epochs 1 to 3 where there is such a moment.
MOMENTS = ('training', 'half a checkpoint', 'a whole checkpoint', 'validation',
           'after validation', 'half a best checkpoint', 'between epochs')
FEW = [('training', 2), ('half a checkpoint', 2), ('a whole checkpoint', 2), ('validation', 3),
       ('half a best checkpoint', 1)]
# only the first validation is the best so far whatever the numbers are
NEVER = [('between epochs', 3), ('half a best checkpoint', 2), ('half a best checkpoint', 3)]
ALL = [(kind, epoch) for kind in MOMENTS for epoch in (1, 2, 3)
       if (kind, epoch) not in [*NEVER, *FEW]]


def assert_same(trainings, straight, name, exact=True):
    """The same files, weights, best score and last metrics as without a kill.

    Of three ranks or more only to rounding: what they add up, they add in an order that depends
    on which step of its process it is.
    """
    folder = trainings.folder / name
    names = {path.name for path in straight.glob('*.pth')}
    assert {path.name for path in folder.glob('*.pth')} == names
    for file in names:
        expected, got = load(straight / file), load(folder / file)
        for part in ('state_dict', 'ema_state_dict', 'optimizer'):
            same(expected.get(part), got.get(part), f'{file}: {part}', exact)
        for key in ('best_score', 'keep_ckpt_ids'):
            infos = [c['message_hub']['runtime_info'].get(key) for c in (expected, got)]
            assert infos[0] == (infos[1] if exact else pytest.approx(infos[1], abs=1e-3)), key
    metrics = [[line for line in logged(path) if 'average_mAP' in line][-1]
               for path in (straight, folder)]
    assert metrics[0]['average_mAP'] == pytest.approx(metrics[1]['average_mAP'],
                                                      abs=0 if exact else 1e-3)


def same(a, b, where, exact):
    if isinstance(a, torch.Tensor):
        assert torch.equal(a, b) if exact else torch.allclose(a, b, atol=1e-6), where
    elif isinstance(a, dict):
        assert a.keys() == b.keys(), where
        for key in a:
            same(a[key], b[key], f'{where}.{key}', exact)
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b), where
        for i, (x, y) in enumerate(zip(a, b)):
            same(x, y, f'{where}[{i}]', exact)
    else:
        assert a == b, where


def killed_and_resumed(trainings, straight, kind, epoch):
    name = f'{kind} {epoch}'.replace(' ', '_')
    out = trainings.killed(name, fault=dict(kind=kind, epoch=epoch))
    assert f'epoch {max(epoch - 1, 1)}/3, step' in out
    assert all(is_whole(path) for path in (trainings.folder / name).glob('[!.]*.pth'))
    trainings.run(name, '--resume')
    assert_same(trainings, straight, name)


@pytest.mark.parametrize('kind, epoch', FEW)
def test_a_kill_changes_nothing(trainings, straight, kind, epoch):
    killed_and_resumed(trainings, straight, kind, epoch)


@pytest.mark.full_faults
@pytest.mark.parametrize('kind, epoch', ALL)
def test_no_kill_changes_anything(trainings, straight, kind, epoch):
    killed_and_resumed(trainings, straight, kind, epoch)


@pytest.mark.full_faults
@pytest.mark.parametrize('seed', range(5))
def test_kills_at_any_time_change_nothing(trainings, straight, seed):
    """Again and again after a random time, until it gets through."""
    rng, name = np.random.default_rng(seed), f'random_{seed}'
    for _ in range(20):
        with trainings.start(name, '--resume') as process:
            try:
                process.communicate(timeout=float(rng.uniform(4, 14)))
            except Exception:  # still at work
                process.kill()
                process.communicate()
        assert all(is_whole(path) for path in (trainings.folder / name).glob('[!.]*.pth'))
        if process.returncode == 0:
            break
    assert process.returncode == 0
    assert_same(trainings, straight, name)


def test_ctrl_c_says_where_it_goes_on(trainings):
    # whoever started the tests may have told them to ignore it
    heard = dict(preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    with trainings.start('interrupted', '--cfg-options', 'train_cfg.max_epochs=90',
                         **heard) as process:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith('epoch 3/90'):
                process.send_signal(signal.SIGINT)
                break
        rest, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert 'Traceback' not in rest
    last = rest.strip().splitlines()[-1]
    assert last.startswith('stopped; ') and '--resume' in last
    assert re.search(r'epoch_[23]\.pth is whole', last)


def test_a_full_disk_says_what_is_left(trainings, straight):
    resource = pytest.importorskip('resource')  # not on Windows
    size = (straight / 'epoch_3.pth').stat().st_size

    def limited():
        resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, size // 2))

    trainings.killed('full', fault=dict(kind='training', epoch=2))
    out = trainings.run('full', '--resume', status=1, preexec_fn=limited)
    assert 'Traceback' not in out
    last = out.strip().splitlines()[-1]
    assert last.startswith('error: ') and 'File too large' in last
    assert 'epoch_1.pth is whole' in last and '--resume' in last
    trainings.run('full', '--resume')
    assert_same(trainings, straight, 'full')


def test_a_second_training_is_refused(trainings):
    with trainings.start('shared', '--cfg-options', 'train_cfg.max_epochs=90') as first:
        for line in first.stdout:
            if line.startswith('epoch 1/90'):
                break
        before = sorted(path.name for path in (trainings.folder / 'shared').iterdir())
        out = trainings.run('shared', status=1)
        assert out.strip().splitlines()[-1].startswith('error: ')
        assert 'another training writes to this work directory' in out and 'Traceback' not in out
        new = {path.name for path in (trainings.folder / 'shared').iterdir()} - set(before)
        assert all('.pth' in name or name == 'last_checkpoint' for name in new), new
        first.kill()
        first.communicate()
    time.sleep(0.1)
    trainings.run('shared', '--resume', '--cfg-options', 'train_cfg.max_epochs=2')


@pytest.mark.parametrize('ranks', [2, pytest.param(4, marks=pytest.mark.full_faults)])
def test_a_rank_that_dies_ends_the_training(trainings, ranks):
    """The others do not wait for it, and what comes after is what would have come."""
    name = f'ranks_{ranks}'
    trainings.run(f'{name}_straight', ranks=ranks)
    out = trainings.run(name, ranks=ranks, status=1,
                        fault=dict(kind='training', epoch=2, rank=ranks - 1))
    assert 'Signal 9' in out or 'SIGKILL' in out
    assert (trainings.folder / name / 'epoch_1.pth').exists()
    trainings.run(name, '--resume', ranks=ranks)
    assert_same(trainings, trainings.folder / f'{name}_straight', name, exact=ranks == 2)


def test_a_rank_that_sees_nan_ends_the_training(trainings):
    out = trainings.run('nan', ranks=2, status=1, fault=dict(kind='NaN', epoch=2, rank=1))
    assert 'error: the loss of iteration' in out
    assert {path.name for path in (trainings.folder / 'nan').glob('*.pth')} == {
        'epoch_1.pth', 'best_average_mAP_epoch_1.pth'}


def test_the_rate_goes_on_with_other_ranks(trainings, straight):
    """A training resumed on two ranks begins with the rate of its epoch."""
    trainings.killed('other_ranks', fault=dict(kind='training', epoch=2))
    out = trainings.run('other_ranks', '--resume', ranks=2)
    assert 'a total batch of 4, the checkpoint was trained with 2' in out

    def first_rate(folder, epoch):
        return next(line['base_lr'] for line in logged(folder) if line.get('epoch') == epoch
                    and 'loss' in line)

    two = trainings.folder / 'other_ranks'
    for epoch in (2, 3):
        assert first_rate(two, epoch) == pytest.approx(first_rate(straight, epoch), rel=1e-6)
