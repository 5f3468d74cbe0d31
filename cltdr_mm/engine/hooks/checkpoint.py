"""TALCheckpointHook: writes checkpoints that no kill, full disk or move of the folder can spoil."""
import os.path as osp
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Optional

from mmaction.registry import HOOKS
from mmengine.dist import is_main_process
from mmengine.fileio import LocalBackend
from mmengine.hooks import CheckpointHook
from mmengine.model import is_model_wrapper
from torch import Tensor

from ...utils import atomic_path, remove_parts
from ...version import __version__
from ..resuming import Schedule, batch_meta, fit_to_batches, validation_due
from ..score_threshold import THRESHOLD, threshold_of
from ..work_dir import hold_work_dir


@HOOKS.register_module()
class TALCheckpointHook(CheckpointHook):
    """MMEngine's CheckpointHook, for trainings that are killed, moved and resumed.

    - A file is written beside its place, flushed and renamed; what it replaces is removed after.
    - Weights that are not finite, or have exploded, are not saved: the training ends instead.
    - What a checkpoint says of other files is looked for in the work directory by name. Nothing
      outside is ever removed.
    - A resumed training repeats the validation that was due where it stopped, which may not have
      been finished, and goes on with the schedule of its config.
    - One training at a time writes to a work directory.
    - Checkpoints know the score of best F1 on the validation set, where a metric gives it
      (``f1_threshold`` of :class:`.TALMetric`), see :func:`.checkpoint_score_threshold`.

    Args:
        *args: As in :class:`mmengine.hooks.CheckpointHook`.
        weight_limit (float): Size of a parameter from which on it counts as exploded.
            Defaults to 1e6.
        **kwargs: As in the base.

    Raises:
        TypeError: If there is no such argument; the base would not notice before it saves.
    """

    def __init__(self, *args, weight_limit: float = 1e6, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        for name in self.args:  # what the base does not know it hands on to whoever saves
            raise TypeError(f'TALCheckpointHook got an unexpected keyword argument {name!r}')
        self.weight_limit = weight_limit
        self._schedule: Optional[Schedule] = None
        self._resumed = False
        self._before: dict[str, Optional[str]] = {}  # best checkpoints that may be superseded
        self._lock = None
        self._saved = 0  # how often a checkpoint of an epoch was written
        self._threshold: Optional[float] = None  # while the weights are those just validated

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Make what a checkpoint says of steps fit the batches of the training that goes on.

        Args:
            runner (Runner): The runner.
            checkpoint (dict): As loaded, before MMEngine takes anything from it.
        """
        if not runner._resume:
            return
        self._resumed = True
        fit_to_batches(runner, checkpoint['meta'])
        schedule = Schedule(runner)
        if schedule.replayable():
            self._schedule = schedule
            checkpoint.pop('param_schedulers', None)

    def before_train(self, runner) -> None:
        """Take the work directory; where the training is resumed, make up for what was cut off.

        Args:
            runner (Runner): The runner of the training process.

        Raises:
            BlockingIOError: If another training writes to the work directory.
        """
        if is_main_process():
            self._lock = hold_work_dir(runner.work_dir)
        super().before_train(runner)
        if isinstance(self.file_backend, LocalBackend) and self.backend_args is None:
            self.backend_args = dict(backend='whole_file')
            if is_main_process():
                remove_parts(self.out_dir)  # of a training that was killed
        if not self._resumed:
            return
        self._find_best(runner)
        if self._schedule is not None:
            self._schedule.replay(runner.train_loop)
        loop = runner.train_loop
        self.last_ckpt = self.file_backend.join_path(
            self.out_dir, self.filename_tmpl.format(loop.epoch if self.by_epoch else loop.iter))
        if validation_due(loop):
            runner.logger.info('the validation of the checkpoint is repeated: the training may '
                               'have ended before it was done')
            runner.val_loop.run()
        if loop.epoch >= loop.max_epochs or loop.iter >= loop.max_iters:
            runner.logger.warning('nothing is left to train: the checkpoint is of the end of this '
                                  'training (a longer one: train_cfg.max_epochs)')

    def after_val_epoch(self, runner, metrics: dict) -> None:
        """Save the best checkpoint, and that of the epoch again, which now knows its threshold.

        Args:
            runner (Runner): The runner of the training process.
            metrics (dict): What was measured.
        """
        self._threshold = threshold_of(metrics)
        before = self._saved
        super().after_val_epoch(runner, metrics)
        step = runner.epoch if self.by_epoch else runner.iter
        again = self._saved == before  # else the base has done it, to note the best one
        if self._threshold is not None and again and self.last_ckpt is not None \
                and osp.basename(self.last_ckpt) == self.filename_tmpl.format(step):
            self._save_checkpoint_with_step(runner, step,
                                            dict(epoch=runner.epoch, iter=runner.iter))
        self._threshold = None

    def after_train(self, runner) -> None:
        """Publish as the base does, and give the work directory back."""
        super().after_train(runner)
        if self._lock is not None:
            self._lock.release()

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Refuse to save a model that diverged; note version, batches and, if known, threshold.

        Args:
            runner (Runner): The runner of the training process.
            checkpoint (dict): What will be written.

        Raises:
            FloatingPointError: Naming what is not finite or has exploded.
        """
        checkpoint['meta'].update(cltdr_mm_version=__version__, **batch_meta(runner))
        if self._threshold is not None:
            checkpoint['meta'][THRESHOLD] = self._threshold
        found = self._diverged(runner, checkpoint)
        if found is not None:
            raise FloatingPointError(
                f'epoch {runner.epoch + 1}, iteration {runner.iter + 1}: {found}: training '
                'diverged, and this is not saved; a lower learning rate or a longer warm-up may '
                'help')

    def _diverged(self, runner, checkpoint: dict) -> Optional[str]:
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        parameters = {name for name, _ in model.named_parameters()}
        for part in ('state_dict', 'ema_state_dict'):
            for key, value in checkpoint.get(part, {}).items():
                name = key if part == 'state_dict' else key.removeprefix('module.')
                if not value.is_floating_point() or value.numel() == 0:
                    continue
                if value.isnan().any():
                    return f'{name} holds NaN'
                largest = float(value.abs().max())
                # a buffer may hold infinity, say as a mask
                if name in parameters and largest > self.weight_limit:
                    return f'{name} holds values up to {largest:.3g}'
        if not all(value.isfinite().all() for value in _tensors(checkpoint.get('optimizer'))):
            return 'the state of the optimizer is not finite'
        return None

    def _find_best(self, runner) -> None:
        """Look for the best checkpoints of the hub in the work directory; forget those not there.

        Whoever resumes into a new folder seeks the best one anew; what lies elsewhere stays there.
        """
        hub = runner.message_hub
        for name in [key for key in hub.runtime_info if key.split('_', 2)[:2] == ['best', 'ckpt']]:
            path = self.file_backend.join_path(self.out_dir, osp.basename(hub.get_info(name)))
            if self.file_backend.isfile(path) or self.file_backend.isdir(path):
                hub.update_info(name, path)
                continue
            runner.logger.info(f'{hub.get_info(name)}, the best checkpoint so far, does not lie '
                               f'in {self.out_dir}: the best is sought anew from here')
            hub.runtime_info.pop(name)
            hub.runtime_info.pop(name.replace('ckpt', 'score', 1), None)
        self._set_best_paths({key: hub.runtime_info.get(f'best_ckpt_{key}' if key else 'best_ckpt')
                              for key in self._best_paths()})

    def _save_checkpoint_with_step(self, runner, step: int, meta: dict) -> None:
        self._remove_superseded()
        keep = list(self.keep_ckpt_ids) if self.max_keep_ckpts > 0 else []
        if self.max_keep_ckpts > 0:
            keep += [step] if step not in keep[-1:] else []
            # one too many for now: whoever resumes from here removes it if this process cannot
            runner.message_hub.update_info('keep_ckpt_ids', keep)
        name = self.filename_tmpl.format(step)
        self.last_ckpt = self.file_backend.join_path(self.out_dir, name)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        runner.save_checkpoint(
            self.out_dir, name, self.file_client_args, save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler, meta=meta, by_epoch=self.by_epoch,
            backend_args=self.backend_args, **self.args)
        self._saved += 1
        if is_main_process():
            with atomic_path(Path(runner.work_dir, 'last_checkpoint')) as temporary:
                Path(temporary).write_text(str(self.last_ckpt), encoding='utf-8')
        if self.max_keep_ckpts > 0:
            self.keep_ckpt_ids = deque(keep[-self.max_keep_ckpts:], self.max_keep_ckpts)
            runner.message_hub.update_info('keep_ckpt_ids', list(self.keep_ckpt_ids))
            for old in keep[:-self.max_keep_ckpts]:
                self._remove(self.filename_tmpl.format(old))

    def _save_best_checkpoint(self, runner, metrics: dict) -> None:
        # The base removes a best checkpoint before the better one is written. Here it knows of
        # none, and the old ones go when the new ones are there.
        self._before = self._best_paths()
        self._set_best_paths(dict.fromkeys(self._before))
        super()._save_best_checkpoint(runner, metrics)
        self._remove_superseded()
        self._set_best_paths({key: path or self._before.get(key)
                              for key, path in self._best_paths().items()})
        self._before = {}

    def _remove_superseded(self) -> None:
        """Remove the best checkpoints in whose place better ones were written."""
        for key, path in self._best_paths().items():
            old = self._before.get(key)
            if old and path and osp.basename(old) != osp.basename(path):
                self._remove(osp.basename(old))

    def _best_paths(self) -> dict[str, Optional[str]]:
        """Path of the best checkpoint by each metric that ``save_best`` names."""
        if self.save_best is None:
            return {}
        if len(self.key_indicators) == 1:
            return {'': self.best_ckpt_path}
        return {key: self.best_ckpt_path_dict.get(key) for key in self.key_indicators}

    def _set_best_paths(self, paths: dict[str, Optional[str]]) -> None:
        if '' in paths:
            self.best_ckpt_path = paths['']
        elif paths:
            self.best_ckpt_path_dict = dict(paths)

    def _remove(self, name: str) -> None:
        """Remove a file of the work directory; a checkpoint of DeepSpeed is a folder."""
        path = self.file_backend.join_path(self.out_dir, name)
        if not is_main_process():
            return
        if self.file_backend.isfile(path):
            self.file_backend.remove(path)
        elif self.file_backend.isdir(path):
            self.file_backend.rmtree(path)


def _tensors(value: Any) -> Iterator[Tensor]:
    """All tensors of numbers in nested containers."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (dict, list, tuple)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _tensors(item)
