"""Draws timelines while the Runner validates and tests."""
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

from mmaction.registry import HOOKS
from mmaction.structures import ActionDataSample
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, Runner

from ..utils import file_name


@HOOKS.register_module()
class TALVisualizationHook(Hook):
    """Hand data samples of validation and test to the Runner's :class:`TALVisualizer`.

    MMAction2's own ``VisualizationHook`` turns every input into video frames first and so cannot
    be used with features. Under several ranks the first one draws what it sees.

    Args:
        interval (int): Every how many samples one is drawn. Defaults to 50.
        max_samples (int, optional): Most samples drawn in one round. Defaults to 8.
        out_dir (str, optional): Folder for the pictures, ``<video>.png`` for test and
            ``<video>_<step>.png`` for validation, step being the number of epochs (iterations
            under an iteration-based loop) done. Defaults to None: the visualizer's back-ends.
        score_thr (float, optional): Smallest score drawn. Defaults to None, the visualizer's.
        top_k (int, optional): Detections drawn. Defaults to None, the visualizer's.

    Raises:
        ValueError: If ``interval`` is below 1.
    """

    priority = 'NORMAL'

    def __init__(self, interval: int = 50, max_samples: Optional[int] = 8,
                 out_dir: Optional[str] = None, score_thr: Optional[float] = None,
                 top_k: Optional[int] = None):
        if interval < 1:
            raise ValueError(f'TALVisualizationHook: interval must be at least 1, got {interval}')
        self.interval = interval
        self.max_samples = max_samples
        self.out_dir = out_dir
        self.draw_args = dict(score_thr=score_thr, top_k=top_k)
        self._seen = 0
        self._drawn = 0

    def before_val_epoch(self, runner: Runner) -> None:
        """Count anew."""
        self._seen = self._drawn = 0

    def before_test_epoch(self, runner: Runner) -> None:
        """Count anew."""
        self._seen = self._drawn = 0

    def after_val_iter(self, runner: Runner, batch_idx: int, data_batch: Optional[dict] = None,
                       outputs: Optional[Sequence[ActionDataSample]] = None) -> None:
        """Draw what falls on the interval."""
        by_epoch = isinstance(runner._train_loop, (dict, EpochBasedTrainLoop))
        step = runner.epoch if by_epoch else runner.iter
        self._draw(runner, outputs, step, f'_{step}')

    def after_test_iter(self, runner: Runner, batch_idx: int, data_batch: Optional[dict] = None,
                        outputs: Optional[Sequence[ActionDataSample]] = None) -> None:
        """Draw what falls on the interval."""
        self._draw(runner, outputs, 0, '')

    def _draw(self, runner, outputs, step, suffix) -> None:
        for sample in outputs or ():
            index, self._seen = self._seen, self._seen + 1
            full = self.max_samples is not None and self._drawn >= self.max_samples
            if index % self.interval or full:
                continue
            self._drawn += 1
            name, window = str(sample.get('video_name') or f'sample_{index}'), ''
            if (sample.get('num_windows') or 1) > 1:
                window = f'_window{sample.get("window_index", 0)}'
            out_file = None
            if self.out_dir is not None:
                out_file = str(Path(self.out_dir) / file_name(name, f'{window}{suffix}.png'))
            runner.visualizer.add_datasample(
                name + window, data_sample=sample, step=step, out_file=out_file, **self.draw_args)
