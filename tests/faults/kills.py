"""Ends or harms a training at a chosen moment; imported by the config of a run that a test starts.

What to do stands in the environment, as JSON: ``CLTDR_TEST_FAULT``, with ``kind``, ``epoch``
(counted from 1) and ``rank``.
"""
import json
import os
import signal
from pathlib import Path

import numpy as np
from mmaction.registry import HOOKS
from mmengine.dist import get_rank
from mmengine.hooks import Hook

from cltdr_mm.engine.checkpoint_io import WholeFileBackend


def kill() -> None:
    """End this process as a machine that loses its power would."""
    os.kill(os.getpid(), signal.SIGKILL)


@HOOKS.register_module()
class FaultHook(Hook):
    """Does what the environment says, at the moment it says."""

    priority = 'HIGHEST'

    def __init__(self):
        fault = json.loads(os.environ.get('CLTDR_TEST_FAULT', '{}'))
        self.kind, self.epoch = fault.get('kind'), fault.get('epoch')
        self.mine = get_rank() == fault.get('rank', 0)
        if self.kind in ('half a checkpoint', 'half a best checkpoint', 'a whole checkpoint'):
            self._spoil_writing()

    def _spoil_writing(self) -> None:
        """Kill while a checkpoint is written, or when it stands but nothing says so yet."""
        put, name = WholeFileBackend.put, f'epoch_{self.epoch}.pth'
        best, kind = 'best' in self.kind, self.kind

        def spoiled(backend, data, filepath):
            if not (Path(filepath).name.endswith(name)
                    and Path(filepath).name.startswith('best') == best):
                return put(backend, data, filepath)
            if kind == 'a whole checkpoint':
                put(backend, data, filepath)
                kill()

            def half(path, content):
                with open(path, 'wb') as file:
                    file.write(content[:len(content) // 2])
                    file.flush()
                    os.fsync(file.fileno())
                kill()

            Path.write_bytes = half
            return put(backend, data, filepath)

        WholeFileBackend.put = spoiled

    def _reached(self, kind: str, epoch: int) -> bool:
        return self.mine and self.kind == kind and self.epoch == epoch

    def before_train_iter(self, runner, batch_idx: int, data_batch=None) -> None:
        if batch_idx < len(runner.train_dataloader) - 1:
            return
        if self._reached('training', runner.epoch + 1):
            kill()
        if self._reached('NaN', runner.epoch + 1):
            for rows in data_batch['inputs']:
                rows.rows.fill_(np.nan)

    def before_val_iter(self, runner, batch_idx: int, data_batch=None) -> None:
        if batch_idx > 0 and self._reached('validation', runner.epoch):
            kill()

    def after_val_epoch(self, runner, metrics=None) -> None:
        if self._reached('after validation', runner.epoch):
            kill()

    def before_train_epoch(self, runner) -> None:
        if self._reached('between epochs', runner.epoch):
            kill()
