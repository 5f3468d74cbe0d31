"""Checkpoints load and resume without giving up torch's check."""
import os
import pickle
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
import torch
import torch.distributed as dist
from mmengine.logging import HistoryBuffer
from mmengine.runner.checkpoint import _load_checkpoint

from cltdr_mm.engine.checkpoint_io import (
    history_buffer_method,
    is_whole,
    load_from_local,
)
from cltdr_mm.utils import TALDataError


def state_of(runner) -> dict:
    """All that a checkpoint of the run holds, flattened to numbers."""
    path = os.path.join(runner.work_dir, open(f'{runner.work_dir}/last_checkpoint').read())
    checkpoint = torch.load(path, weights_only=True)
    optimizer = checkpoint['optimizer']['state']
    return dict(
        state=checkpoint['state_dict'], ema=checkpoint['ema_state_dict'],
        moments={f'{k}.{n}': v for k, s in optimizer.items() for n, v in s.items()},
        lr=[g['lr'] for g in checkpoint['optimizer']['param_groups']],
        scheduler=[s['last_step'] for s in checkpoint['param_schedulers']])


def test_resume_is_bit_equal_to_the_straight_run(toy_runner):
    straight = toy_runner('straight', epochs=4)
    straight.train()
    expected = state_of(straight)

    first = toy_runner('broken', epochs=4, custom_hooks=[dict(type='BreakOffHook', epoch=2)])
    with pytest.raises(KeyboardInterrupt):
        first.train()
    assert not torch.equal(state_of(first)['state']['linear.weight'],
                           expected['state']['linear.weight'])

    second = toy_runner('broken', epochs=4, resume=True)
    second.train()
    assert second.epoch == 4
    got = state_of(second)
    assert got['lr'] == expected['lr'] and got['scheduler'] == expected['scheduler']
    for part in ('state', 'ema', 'moments'):
        assert got[part].keys() == expected[part].keys() and got[part]
        for key, value in expected[part].items():
            assert torch.equal(torch.as_tensor(got[part][key]), torch.as_tensor(value)), key


def test_checkpoint_keeps_both_weights_and_ema_is_what_is_loaded(toy_runner):
    runner = toy_runner(epochs=2)
    runner.train()
    path = os.path.join(runner.work_dir, 'epoch_2.pth')
    checkpoint = torch.load(path, weights_only=True)
    raw, ema = checkpoint['ema_state_dict'], checkpoint['state_dict']
    assert torch.equal(runner.model.state_dict()['out.weight'], raw['module.out.weight'])
    assert not torch.equal(raw['module.out.weight'], ema['out.weight'])

    val = runner.message_hub.get_scalar('val/average_mAP').current()
    tester = toy_runner('test', load_from=path)
    assert tester.test()['average_mAP'] == val
    assert os.path.exists(os.path.join(runner.work_dir, 'best_average_mAP_epoch_2.pth'))


class Evil:

    def __init__(self, function, *args):
        self.call = (function, args)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize('payload', [
    lambda mark: Evil(os.system, f'touch {mark}'),
    lambda mark: Evil(eval, f'open({str(mark)!r}, "w")'),
    lambda mark: Evil(getattr, np.ndarray, 'tofile'),
    lambda mark: Evil(getattr, HistoryBuffer, '__init__'),
    lambda mark: Evil(getattr, HistoryBuffer, 'data'),  # a property, not a method
])
def test_checkpoints_cannot_run_code(toy_runner, tmp_path, payload):
    mark, path = tmp_path / 'mark', tmp_path / 'evil.pth'
    torch.save(dict(state_dict={}, meta=payload(mark)), path)
    with pytest.raises(TALDataError, match=r'evil\.pth: file: .*might run code'):
        toy_runner(load_from=str(path)).test()
    assert not mark.exists()


def test_resuming_does_not_execute_a_config(toy_runner, tmp_path):
    """MMEngine takes meta['config'] for a Python file."""
    mark, first = tmp_path / 'mark', toy_runner('first', epochs=1)
    first.train()
    path = Path(first.work_dir, 'epoch_1.pth')
    checkpoint = torch.load(path, weights_only=True)
    checkpoint['meta']['config'] = f'open({str(mark)!r}, "w")'
    torch.save(checkpoint, path)
    second = toy_runner('second', epochs=2, load_from=str(path), resume=True)
    second.train()
    assert second.epoch == 2 and not mark.exists()


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Address of a folder, served by http; downloads go to a folder of the test."""
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path / 'hub'))
    (tmp_path / 'served').mkdir()
    with ThreadingHTTPServer(('127.0.0.1', 0), partial(Quiet, directory=tmp_path / 'served')) as s:
        Thread(target=s.serve_forever, daemon=True).start()
        yield f'http://127.0.0.1:{s.server_port}'
        s.shutdown()


def test_download_with_several_ranks(tmp_path, server, monkeypatch):
    torch.save(dict(weight=torch.ones(2)), tmp_path / 'served' / 'good.pth')
    dist.init_process_group('gloo', store=dist.HashStore(), rank=0, world_size=1)
    try:
        monkeypatch.setenv('LOCAL_RANK', '1')
        with pytest.raises(FileNotFoundError):  # the first rank of a machine downloads
            _load_checkpoint(f'{server}/good.pth')
        monkeypatch.setenv('LOCAL_RANK', '0')
        assert _load_checkpoint(f'{server}/good.pth')['weight'].tolist() == [1, 1]
    finally:
        dist.destroy_process_group()


def test_downloaded_checkpoints_load_but_cannot_run_code(tmp_path, server):
    mark = tmp_path / 'mark'
    torch.save(dict(weight=torch.ones(2)), tmp_path / 'served' / 'good.pth')
    torch.save(dict(meta=Evil(os.system, f'touch {mark}')), tmp_path / 'served' / 'evil.pth')
    for _ in range(2):  # the second time from where it was kept
        found = _load_checkpoint(f'{server}/good.pth?v=1', map_location='cpu')
        assert found['weight'].tolist() == [1, 1]
    with pytest.raises(TALDataError, match=r'evil\.pth: file: .*might run code'):
        _load_checkpoint(f'{server}/evil.pth')
    assert not mark.exists()


def test_the_stand_in_for_getattr_gives_methods_of_history_buffer_only():
    assert history_buffer_method(HistoryBuffer, 'min') is HistoryBuffer.min
    for obj, name in ((HistoryBuffer(), 'min'), (np, 'load'), (HistoryBuffer, '__getstate__'),
                      (HistoryBuffer, 'nothing'), (HistoryBuffer, 3)):
        with pytest.raises(pickle.UnpicklingError, match='HistoryBuffer'):
            history_buffer_method(obj, name)


def test_a_log_written_under_the_other_numpy_loads(tmp_path):
    path = tmp_path / 'log.pth'
    torch.save(dict(log=HistoryBuffer([1., 2.], [1, 1]), best=np.float64(3)), path)
    old, new = b'numpy.core.multiarray', b'numpy._core.multiarray'
    renamed = tmp_path / 'renamed.pth'
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(renamed, 'w') as target:
        for item in source.infolist():
            data = source.read(item)
            if item.filename.endswith('data.pkl'):
                present, other = (new, old) if new in data else (old, new)
                assert present in data
                data = data.replace(present, other)
            target.writestr(item.filename, data)
    for file in (path, renamed):
        loaded = torch.load(file, weights_only=True)
        assert loaded['best'] == 3 and loaded['log'].mean() == 1.5


@pytest.mark.parametrize('name', ['x' * 300, '~nobody_of_this_name/a.pth', 'a\0b'])
def test_names_that_no_file_can_have(name):
    assert not is_whole(name)
    with pytest.raises(FileNotFoundError, match='there is no checkpoint'):
        load_from_local(name)


def test_an_archive_whose_directory_says_what_is_impossible(tmp_path):
    path = tmp_path / 'a.pth'
    torch.save(dict(state_dict={'a': torch.ones(2)}), path)
    content = bytearray(path.read_bytes())
    locator = content.rindex(b'PK\x06\x07')  # of ZIP64
    content[locator + 16] = 9  # disks
    content[-22:] = b'not its end' * 2
    content += b'PK\x05\x06' + bytes(4) + b'\xff' * 12 + bytes(2)
    path.write_bytes(content)
    with pytest.raises(TALDataError, match=r'a\.pth: file: is '):
        load_from_local(str(path))
