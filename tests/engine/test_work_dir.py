"""Which checkpoint of a folder is loaded, and that one training at a time writes to it."""
import os
import shutil
import subprocess
import sys

import pytest
import torch

from cltdr_mm.engine import work_dir
from cltdr_mm.engine.work_dir import (
    find_checkpoint,
    folder_of_training,
    hold_work_dir,
    latest_checkpoint,
)


@pytest.fixture
def trained(tmp_path):
    """A work directory with two epochs, the second one the last."""
    folder = tmp_path / 'work'
    folder.mkdir()
    for number in (1, 2):
        torch.save(dict(epoch=number), folder / f'epoch_{number}.pth')
    torch.save(dict(epoch=2), folder / 'best_average_mAP_epoch_2.pth')
    (folder / 'last_checkpoint').write_text(str(folder / 'epoch_2.pth'))
    return folder


def test_a_folder_stands_for_its_latest_checkpoint(trained):
    assert find_checkpoint(str(trained)) == str(trained / 'epoch_2.pth')
    assert find_checkpoint(str(trained / 'epoch_1.pth')) == str(trained / 'epoch_1.pth')
    assert find_checkpoint('https://x/y.pth') == 'https://x/y.pth'
    for missing in ('epoch_9.pth', 'nothing'):
        with pytest.raises(FileNotFoundError, match='there is no checkpoint'):
            find_checkpoint(str(trained / missing))


def test_nothing_to_go_on_from(tmp_path):
    assert latest_checkpoint(tmp_path) is None
    assert latest_checkpoint(tmp_path / 'not yet') is None
    with pytest.raises(FileNotFoundError, match='holds no checkpoint that a training finished'):
        find_checkpoint(str(tmp_path))


def test_a_moved_or_copied_folder_has_its_own(trained, tmp_path):
    moved = trained.rename(tmp_path / 'moved')
    assert latest_checkpoint(moved) == str(moved / 'epoch_2.pth')
    copied = shutil.copytree(moved, tmp_path / 'copied')
    (copied / 'last_checkpoint').write_text(str(moved / 'epoch_2.pth'))
    assert latest_checkpoint(copied) == str(copied / 'epoch_2.pth'), 'not the original'


@pytest.mark.parametrize('content', [
    b'', b'\n', b'/gone/epoch_7.pth', b'\xff\xfe\x00', b'\0', b'/', b'..', b'x' * 300,
    b'~nobody_of_this_name/epoch_7.pth'])
def test_the_newest_whole_one_where_last_checkpoint_is_of_no_use(trained, content, mm_log):
    (trained / 'last_checkpoint').write_bytes(content)
    torch.save(dict(epoch=10), trained / 'epoch_10.pth')
    assert latest_checkpoint(trained) == str(trained / 'epoch_10.pth')
    assert 'the newest whole one is' in mm_log.text
    (trained / 'last_checkpoint').unlink()
    assert latest_checkpoint(trained) == str(trained / 'epoch_10.pth')


def test_the_newest_is_what_was_written_last(trained):
    """Of two trainings in one folder the later one may have come less far."""
    for number, time in ((3, '20260102_000000'), (8, '20260101_000000'), (4, '20260102_000001')):
        torch.save(dict(meta=dict(time=time)), trained / f'epoch_{number}.pth')
    (trained / 'last_checkpoint').write_text('')
    assert latest_checkpoint(trained) == str(trained / 'epoch_4.pth')


def test_damaged_checkpoints_are_passed_over(trained):
    whole = (trained / 'epoch_2.pth').read_bytes()
    (trained / 'epoch_2.pth').write_bytes(whole[:len(whole) // 2])
    assert latest_checkpoint(trained) == str(trained / 'epoch_1.pth')
    (trained / 'epoch_1.pth').write_bytes(b'')
    with pytest.raises(FileNotFoundError, match=r'epoch_2\.pth, epoch_1\.pth cannot be read'):
        latest_checkpoint(trained)  # not None, which would begin anew and write over them


def test_names_that_no_file_can_have(tmp_path):
    for name in ('y' * 9000, '~nobody_of_this_name/epoch_7.pth'):
        (tmp_path / 'last_checkpoint').write_text(name)
        with pytest.raises(FileNotFoundError, match='holds no checkpoint that a tr') as error:
            latest_checkpoint(tmp_path)
        assert len(str(error.value)) < 1000


def test_checkpoints_that_a_config_keeps_elsewhere(trained, tmp_path):
    """`out_dir` of the hook: the work directory has last_checkpoint and nothing else."""
    (tmp_path / 'logs').mkdir()
    shutil.move(trained / 'last_checkpoint', tmp_path / 'logs')
    assert latest_checkpoint(tmp_path / 'logs') == str(trained / 'epoch_2.pth')


def holder(folder):
    """Another process that holds a work directory."""
    code = ('import sys; from cltdr_mm.engine.work_dir import hold_work_dir\n'
            f'lock = hold_work_dir({str(folder)!r}); print("held", flush=True); sys.stdin.read()')
    process = subprocess.Popen([sys.executable, '-c', code], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == 'held\n'
    return process


def test_one_training_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(work_dir, 'PATIENCE', 0.1)
    with holder(tmp_path / 'a') as other:
        with pytest.raises(BlockingIOError, match=r'a: another training writes to this work'):
            hold_work_dir(tmp_path / 'a')
        hold_work_dir(tmp_path / 'b').release()
        other.kill()  # as `kill -9` does: the lock goes with the process
        other.wait()
    first = hold_work_dir(tmp_path / 'a')
    assert hold_work_dir(tmp_path / 'a') is first, 'one process may ask twice'
    for _ in range(2):
        first.release()
    with holder(tmp_path / 'a') as other:
        other.communicate('')


@pytest.mark.skipif(os.name == 'nt' or os.geteuid() == 0, reason='root may write anywhere')
def test_a_folder_that_cannot_be_written_to(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError):
        hold_work_dir(tmp_path)


def test_the_folder_of_a_checkpoint(tmp_path):
    path = str(tmp_path / 'epoch_1.pth')
    torch.save({}, path)
    assert folder_of_training(path) is None  # no training says that it wrote here
    (tmp_path / 'last_checkpoint').write_text('elsewhere/epoch_1.pth')
    assert folder_of_training(path) == str(tmp_path)
    assert folder_of_training('https://example.com/epoch_1.pth') is None


def test_looking_for_a_checkpoint_reads_no_weights(tmp_path, monkeypatch):
    """Whoever goes on from it reads them, once."""
    torch.save(dict(state_dict=dict(w=torch.ones(3))), tmp_path / 'epoch_1.pth')
    (tmp_path / 'last_checkpoint').write_text('epoch_1.pth')
    load, lazily = torch.load, []

    def spy(*args, mmap=None, **kwargs):
        lazily.append(mmap)
        return load(*args, mmap=mmap, **kwargs)

    monkeypatch.setattr(torch, 'load', spy)
    assert latest_checkpoint(tmp_path) == str(tmp_path / 'epoch_1.pth')
    assert lazily == [True]
    (tmp_path / 'last_checkpoint').unlink()
    assert latest_checkpoint(tmp_path) == str(tmp_path / 'epoch_1.pth')
    assert lazily == [True, True]
