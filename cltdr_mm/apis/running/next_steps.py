"""What a run left behind, and the commands that go on from there."""
import os
import shlex
from pathlib import Path
from typing import Any, Optional

from mmaction.registry import MODELS

from ...engine.runtime import RESULT_WRITERS, metrics_of
from ...engine.score_threshold import checkpoint_score_threshold
from ...engine.screen import short_path


def after_training(runner: Any) -> str:
    """Say which checkpoints a training left, and what can be done with them.

    Args:
        runner (Runner): Of a training that is done.

    Returns:
        str: Several lines.
    """
    folder, info = Path(runner.work_dir), runner.message_hub.runtime_info
    best, last = info.get('best_ckpt'), info.get('last_ckpt')
    config = folder / os.path.basename(runner.cfg.filename or f'{runner.timestamp}.py')
    files = []
    for path, what in ((best, 'the best'), (last, 'the last')):
        if path and os.path.isfile(path):
            files.append((path, f'{what} checkpoint{_score(path)}'))
    files.append((config, 'the config as it was run'))
    files.append((runner.log_dir, 'log, numbers of every step'))
    checkpoint = files[0][0]
    if not os.path.isfile(checkpoint) or checkpoint == config:
        return _lines(files, [])
    infer = ['infer', config, checkpoint, 'INPUT', '--out-dir', folder / 'inferred']
    infer += [] if _threshold(checkpoint) is None else ['--min-score', 'auto']
    steps = []
    if runner.cfg.get('test_dataloader'):
        writes = any(metric.get('type') in RESULT_WRITERS
                     for metric in metrics_of(runner.cfg, 'test_evaluator'))
        steps.append(['test', config, checkpoint, *(['--out', folder] if writes else [])])
    kind = MODELS.get(runner.cfg['model']['type'])
    if not getattr(kind, '__module__', '').startswith('mmaction.'):  # which takes its own samples
        steps.append(infer)
    return _lines(files, steps)


def after_test(runner: Any) -> str:
    """Say what a test wrote, and what can be done with it.

    Args:
        runner (Runner): Of a test that is done.

    Returns:
        str: Several lines.
    """
    writer = next((metric for metric in runner.test_loop.evaluator.metrics
                   if type(metric).__name__ in RESULT_WRITERS), None)
    out, files = getattr(writer, 'out_dir', None), []
    names = [('detections.json', 'what was found'), ('metrics.json', 'how it is judged')]
    if type(writer).__name__ == 'EPICActionMetric':
        names.append(('test.json', 'what the challenge takes'))
    for name, what in names:
        if out is not None and Path(out, name).is_file():
            files.append((Path(out, name), what))
    files.append((runner.log_dir, 'log'))
    if len(files) == 1 or type(writer).__name__ != 'TALMetric':
        return _lines(files, [])
    result, truth = files[0][0], writer.ann_file
    steps = [['report', result, '--annotations', truth, '--out', Path(out, 'report.html')],
             ['draw', 'timelines', result, truth, '--out-dir', Path(out, 'timelines')]]
    if len(files) > 2:  # it was judged: there is something to compare it with
        subset = writer.subset
        other = isinstance(subset, str) and subset not in writer.protocol.subsets
        steps.append(['diagnose', result, truth, '--protocol', writer.protocol.name,
                      *(['--subset', subset] if other else [])])
    return _lines(files, steps)


def _threshold(path: str) -> Optional[float]:
    try:
        return checkpoint_score_threshold(path)
    except ValueError:  # never validated, or by a metric without one
        return None


def _score(path: str) -> str:
    threshold = _threshold(path)
    return '' if threshold is None else f'; best F1 with scores from {threshold:.3g}'


def _lines(files: list[tuple], commands: list[list]) -> str:
    lines = ['', 'written:', *(f'  {short_path(path)}  ({what})' for path, what in files)]
    if commands:
        lines += ['next:', *(f'  cltdr {shlex.join(map(short_path, words))}' for words in commands)]
    return '\n'.join(lines)
