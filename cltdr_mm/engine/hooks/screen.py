"""ScreenHook: tells a person how a run goes, through the lines of ``engine/screen.py``."""
import os
import time
from collections.abc import Sequence
from typing import Any, Optional

from mmengine.dist import get_world_size
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import EpochBasedTrainLoop

from ..screen import Screen, data_line, model_line, seconds_text, short_path


class ScreenHook(Hook):
    """Show data, progress with the time left, and results.

    The command line registers it, for the first rank. Metrics with ``short_text`` and ``text``, as
    :class:`.TALMetric`, are shown by these; of others all numbers are.

    Args:
        screen (Screen): Where to show it.
    """

    # after what is told is done, but before TALCheckpointHook (90) makes up for a validation
    priority = 85

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self._began = time.monotonic()
        self._best: Optional[str] = None

    def before_train(self, runner) -> None:
        """Say what is trained, on what."""
        loop, loader = runner.train_loop, runner.train_dataloader
        self._began = time.monotonic()
        self._best = runner.message_hub.runtime_info.get('best_ckpt')
        lines = [('training', data_line(loader.dataset))]
        if runner.val_loop is not None:
            lines.append(('validation', data_line(runner.val_dataloader.dataset)))
        lines.append(('model', model_line(_model(runner))))
        size = getattr(loader, 'batch_size', None)
        ranks = f' on each of {get_world_size()} ranks' if get_world_size() > 1 else ''
        batch = f', {size} samples a step{ranks}' if size else ''
        if isinstance(loop, EpochBasedTrainLoop):
            lines.append(('length', f'{loop.max_epochs} epochs of {len(loader)} steps{batch}'))
        else:
            lines.append(('length', f'{loop.max_iters} steps{batch}'))
        if loop.iter:
            lines.append(('resumed', f'after {_done(loop)}, from {short_path(runner._load_from)}'))
        elif runner._load_from:
            lines.append(('weights', short_path(runner._load_from)))
        self._table(runner, lines)

    def before_test(self, runner) -> None:
        """Say what is tested, on what."""
        self._began = time.monotonic()
        self._table(runner, [('test', data_line(runner.test_dataloader.dataset)),
                             ('model', model_line(_model(runner))),
                             ('weights', short_path(runner._load_from))])

    def _table(self, runner, lines: Sequence[tuple[str, str]]) -> None:
        log = os.path.relpath(runner.log_dir, runner.work_dir)
        lines = [*lines, ('folder', f'{short_path(runner.work_dir)} (log in {log}/)')]
        self.screen.say('\n'.join(f'{name:<12}{text}' for name, text in lines) + '\n')

    def after_train_iter(self, runner, batch_idx: int, data_batch: Any = None,
                         outputs: Optional[dict] = None) -> None:
        """Move on the line of progress."""
        hub, loop = runner.message_hub, runner.train_loop
        epochs = isinstance(loop, EpochBasedTrainLoop)
        text, last = f'step {loop.iter + 1}/{loop.max_iters}', loop.iter + 1 == loop.max_iters
        if epochs:
            length = len(runner.train_dataloader)
            text = f'epoch {loop.epoch + 1}/{loop.max_epochs}, step {batch_idx + 1}/{length}'
            last = batch_idx + 1 == length
        notes = []
        for name, form in (('loss', '.4f'), ('lr', '.2e')):
            if f'train/{name}' in hub.log_scalars:
                scalar = hub.get_scalar(f'train/{name}')
                value = scalar.mean(20) if name == 'loss' else scalar.current()
                notes.append(f'{name} {value:{form}}')
        if 'eta' in hub.runtime_info:
            notes.append(f'{seconds_text(hub.get_info("eta"))} left')
        self.screen.progress(text, loop.iter + 1, loop.max_iters, '  '.join(notes), last)

    def after_val_iter(self, runner, batch_idx: int, data_batch: Any = None,
                       outputs: Optional[Sequence] = None) -> None:
        """Move on the line of progress."""
        total = len(runner.val_dataloader)
        self.screen.progress(f'validating, {batch_idx + 1}/{total}', batch_idx + 1, total)

    def after_test_iter(self, runner, batch_idx: int, data_batch: Any = None,
                        outputs: Optional[Sequence] = None) -> None:
        """Move on the line of progress."""
        total, eta = len(runner.test_dataloader), runner.message_hub.runtime_info.get('eta')
        left = '' if eta is None else f'{seconds_text(eta)} left'
        self.screen.progress(f'testing, {batch_idx + 1}/{total}', batch_idx + 1, total, left)

    def after_val_epoch(self, runner, metrics: Optional[dict] = None) -> None:
        """Show what was measured."""
        text = _results(runner.val_loop, 'short_text', metrics)
        if text:
            lines = [f'validated after {_done(runner._train_loop)}', *text.splitlines()]
            self.screen.say('\n    '.join(lines))

    def after_val(self, runner) -> None:
        """Say whether it is the best so far; the checkpoint is written by now."""
        best = runner.message_hub.runtime_info.get('best_ckpt')
        if best and best != self._best:
            self._best = best
            self.screen.say(f'    the best so far: {os.path.basename(best)}')

    def after_test_epoch(self, runner, metrics: Optional[dict] = None) -> None:
        """Show all that was measured."""
        self.screen.close()
        text = _results(runner.test_loop, 'text', metrics)
        if text:
            self.screen.say(text)

    def after_run(self, runner) -> None:
        """Say how long it took."""
        self.screen.close()
        self.screen.say(f'\ndone in {seconds_text(time.monotonic() - self._began)}')


def _model(runner):
    return runner.model.module if is_model_wrapper(runner.model) else runner.model


def _done(loop: Any) -> str:
    if isinstance(loop, EpochBasedTrainLoop):
        return f'epoch {loop.epoch}'
    return f'step {getattr(loop, "iter", 0)}'


def _results(loop: Any, name: str, metrics: Optional[dict]) -> str:
    texts = [getattr(metric, name, '') for metric in loop.evaluator.metrics]
    texts = [text for text in texts if text]
    return '\n'.join(texts) or '  '.join(
        f'{key} {value:.4g}' for key, value in (metrics or {}).items()
        if isinstance(value, (int, float)))
