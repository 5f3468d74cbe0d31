"""What a person sees of a run: plain lines, and one line of progress.

MMEngine's own output (environment, config, hooks, numbers every few steps) is in the log file.
"""
import datetime
import io
import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Optional, Union

from mmengine.dist import master_only
from mmengine.logging import MMLogger
from mmengine.logging.logger import FilterDuplicateWarning
from mmengine.runner import Runner
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

#: What MMEngine warns itself of; nobody can do anything about it.
_OF_ITSELF = '"FileClient" will be deprecated', '"HardDiskBackend" is the alias'


class Screen:
    """Lines and a line of progress, on standard output.

    On a terminal the progress is a bar below the lines; elsewhere it is a line now and then.

    Args:
        console (Console, optional): Defaults to None: standard output.
        every (float): Seconds between lines of progress where there is no terminal.
            Defaults to 60.
    """

    def __init__(self, console: Optional[Console] = None, every: float = 60.):
        self.console = console or Console(file=sys.stdout)
        self.every = every
        self._progress: Optional[Progress] = None
        self._shown = time.monotonic()

    def say(self, text: str = '') -> None:
        """Write lines."""
        # as it is: names and messages may look like markup
        self.console.print(text, markup=False, highlight=False, emoji=False, soft_wrap=True)

    def progress(self, text: str, done: int, total: int, note: str = '',
                 last: bool = False) -> None:
        """Say how far the work is.

        Args:
            text (str): What is being done.
            done (int): Steps done.
            total (int): All steps, positive.
            note (str): What else is known. Defaults to none.
            last (bool): Whether this is worth a line wherever it is shown. Defaults to False.
        """
        now = time.monotonic()
        if not self.console.is_terminal:
            if last or now - self._shown >= self.every:
                self._shown = now
                self.say(f'{text}  {note}'.rstrip())
            return
        if self._progress is None:
            texts = [TextColumn(form, markup=False) for form in (
                '{task.description}', '{task.percentage:>3.0f}%', '{task.fields[note]}')]
            self._progress = Progress(texts[0], BarColumn(30), *texts[1:], console=self.console,
                                      transient=True)
            self._progress.start()
            self._progress.add_task('', note='')
        if last or now - self._shown >= 0.1:  # no oftener than can be seen
            self._shown = now
            self._progress.update(self._progress.task_ids[0], description=text, completed=done,
                                  total=total, note=note)

    def close(self) -> None:
        """Take the bar away; the next progress brings it back."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


class ScreenHandler(logging.Handler):
    """Shows what the log has of warnings and errors.

    Args:
        screen (Screen): Where.
        level (int): Lowest level shown.
    """

    def __init__(self, screen: Screen, level: int = logging.WARNING):
        super().__init__(level)
        self.screen = screen
        self.addFilter(FilterDuplicateWarning())
        self.addFilter(lambda record: not record.getMessage().startswith(_OF_ITSELF))

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record as a line; where that fails, as on a closed terminal, work goes on."""
        try:
            self.screen.say(f'{record.levelname.lower()}: {record.getMessage()}')
        except Exception:
            self.handleError(record)


class TALRunner(Runner):
    """The Runner of the command line.

    The config of a run that does not train is kept with its log, and not beside the checkpoints,
    where it would replace the training's.
    """

    @master_only
    def dump_config(self) -> None:
        """Keep the config for whoever goes on from here."""
        if self._train_loop is not None:
            super().dump_config()
        else:
            self.cfg.dump(str(Path(self.log_dir, Path(self.cfg.filename or 'config.py').name)))


class QuietRunner(TALRunner):
    """A Runner whose log goes to its file; only warnings and errors are also shown.

    Each rank has a :class:`Screen`; of those after the first only errors are heard, as ever.
    """

    def build_logger(self, *args, **kwargs) -> MMLogger:
        """Build the log as the base does, with another handler for the screen."""
        logger = super().build_logger(*args, **kwargs)
        self.screen = Screen()
        for index, handler in enumerate(logger.handlers):
            if type(handler) is logging.StreamHandler:
                level = max(handler.level, logging.WARNING)
                logger.handlers[index] = ScreenHandler(self.screen, level)
        return logger

    def load_checkpoint(self, *args, **kwargs) -> dict:
        """Load as the base does, which prints what its log does not get."""
        with redirect_stdout(io.StringIO()) as printed:
            checkpoint = super().load_checkpoint(*args, **kwargs)
        self.logger.info(printed.getvalue().strip())
        return checkpoint


@contextmanager
def quiet_log() -> Iterator[None]:
    """Keep from the screen what MMEngine's log says below a warning, as context or decorator."""
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


def seconds_text(seconds: float) -> str:
    """Write a duration, such as ``'1:02:03'``."""
    return str(datetime.timedelta(seconds=round(seconds)))


def short_path(path: Union[str, Path]) -> str:
    """Write a path below the current folder as it is seen from there; others as they are."""
    return str(path).removeprefix(os.path.join(os.getcwd(), ''))


def data_line(dataset) -> str:
    """Say what a data set holds.

    Args:
        dataset: One with ``get_data_info``, as MMEngine's have it; of another its length is said.

    Returns:
        str: Such as ``"40 videos, 312 instances, 5 classes (subset 'train')"``.
    """
    if not hasattr(dataset, 'get_data_info'):
        return f'{len(dataset):,} samples'
    infos = [dataset.get_data_info(index) for index in range(len(dataset))]
    videos = {info.get('video_name') for info in infos}
    parts = [f'{len(videos):,} videos']
    windows = any('window_index' in info for info in infos)
    if windows:
        parts.append(f'{len(infos):,} windows')
    elif len(videos) < len(infos):
        parts[0] = f'{len(infos):,} samples'
    number = sum(len(info.get('gt_labels', ())) for info in infos)
    # an instance that several windows see is one of each
    parts.append(f'{number:,} instances' + (' in windows' if windows else ''))
    classes = (getattr(dataset, 'metainfo', None) or {}).get('classes')
    if classes:
        parts.append(f'{len(classes)} classes')
    steps = [info.get('window_size', info.get('num_steps')) for info in infos]
    if steps and None not in steps:
        parts.append(f'{sum(steps):,} feature steps')
    subset = getattr(dataset, 'subset', None)
    return ', '.join(parts) + (f' (subset {subset!r})' if isinstance(subset, str) else '')


def model_line(model) -> str:
    """Say what a model is, such as ``'SingleStageLocalizer of GMG and CLTDRHead, 3.21 M ...'``."""
    parts = [type(getattr(model, name)).__name__ for name in ('backbone', 'head')
             if getattr(model, name, None) is not None]
    number = sum(parameter.numel() for parameter in model.parameters())
    device = next((str(parameter.device) for parameter in model.parameters()), 'cpu')
    of = f' of {" and ".join(parts)}' if parts else ''
    return f'{type(model).__name__}{of}, {number / 1e6:.2f} M parameters, on {device}'

