"""Curves: mAP over tIoU, and loss, learning rate and validation scores over a training run."""
import json
import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Union

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from ..utils import TALDataError, read_json
from ..utils.json_files import number_problem, shown
from . import style

_MARKERS = ('o', 's', '^', 'D', 'v', 'P', 'X')
_WIDTH = 8.0  # inches
_DASHES = ('-', '--', ':', '-.')
_TITLES = dict(lr='learning rate', average_mAP='average mAP')
# what evaluators log: fractions, once an epoch
_JUDGED = re.compile(r'((average_)?m?A[PR]|recall|precision|f1)\b')


def draw_map_curves(results: Mapping[str, Mapping[float, float]], title: str = '') -> Figure:
    """Draw mAP over the tIoU threshold, one line per model.

    Args:
        results (Mapping[str, Mapping[float, float]]): For each name tIoU -> mAP, both fractions.
        title (str): Defaults to ``''``.

    Returns:
        Figure: One line per model with the name as its label, mAP in percent.

    Raises:
        ValueError: If there is no curve or one has no point.
    """
    if not results or not all(results.values()):
        raise ValueError('no curve to draw: a result without mAP at any tIoU')
    figure = style.new_figure(_WIDTH, _header(title) + 4.2)
    axes = _frame(figure, title, 'mAP (%)')
    for i, (name, curve) in enumerate(results.items()):
        tious = sorted(curve)
        axes.plot(tious, [100 * curve[t] for t in tious], color=_color(i), linewidth=2,
                  linestyle=_dash(i), marker=_MARKERS[i % len(_MARKERS)], markersize=5.5,
                  label=f'{style.plain(name)} (average '
                        f'{100 * float(np.mean(list(curve.values()))):.1f})')
    tious = sorted({t for curve in results.values() for t in curve})
    axes.set_xticks(tious if len(tious) <= 10 else tious[::2])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f'{x:.2f}'.rstrip('0')))
    values = [100 * value for curve in results.values() for value in curve.values()]
    highest = max(*values, 1e-3)
    axes.set_ylim(0, 1.06 * highest)  # a marker has room
    axes.set_xlabel('tIoU threshold', fontsize=style.SMALL_SIZE, color=style.FAINT)
    # below all curves if that is empty, else where they have fallen
    empty = min(values) > (0.1 + 0.08 * len(results)) * highest
    axes.legend(frameon=False, fontsize=style.SMALL_SIZE,
                loc='lower left' if empty else 'upper right')
    return figure


def load_metrics(path: Union[str, Path]) -> dict:
    """Read the mAP of a metrics file, as ``tools/evaluate_results.py`` writes it.

    Returns:
        dict[float, float]: tIoU -> mAP, fractions.

    Raises:
        TALDataError: If the file cannot be read or has no such table; names the file.
    """
    bad = partial(TALDataError.of, 'metrics', path, 'mAP')
    table = read_json(path, 'metrics').get('mAP')
    if not isinstance(table, dict):
        raise bad(f'must be an object with tIoU: value, got {shown(table)}')
    curve = {}
    for tiou, value in table.items():
        try:
            why = number_problem(float(tiou)) or number_problem(value)
        except ValueError:
            why = 'the threshold is no number'
        if why is not None:
            raise bad(f'at tIoU {shown(tiou)}: {why}')
        curve[float(tiou)] = float(value)
    return curve


def load_scalars(path: Union[str, Path]) -> dict:
    """Read what MMEngine logged of a run.

    Args:
        path (str | Path): ``vis_data/scalars.json``, one JSON object per line, or a folder
            somewhere above it, of which the newest run counts.

    Returns:
        dict[str, tuple[np.ndarray, np.ndarray]]: For every name the steps at which it was logged
        and its values. Training names are by iteration, validation names by epoch (or by
        iteration under an iteration-based loop). Values are as they were logged, NaN included.

    Raises:
        FileNotFoundError: If there is no such file.
        TALDataError: If a line is no JSON object or its step no number; names file and line.
    """
    path = Path(path)
    if path.is_dir():
        runs = sorted(path.rglob('vis_data/scalars.json'), key=lambda f: f.stat().st_mtime)
        if not runs:
            raise FileNotFoundError(f'{path}: no vis_data/scalars.json below this folder')
        path = runs[-1]
    scalars = {}
    for number, line in enumerate(path.read_bytes().split(b'\n'), 1):
        if not line.strip():
            continue
        bad = partial(TALDataError.of, 'scalars', path, f'line {number}')
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise bad('is no JSON object') from error
        if not isinstance(entry, dict):
            raise bad('is no JSON object')
        step = entry.pop('step', number)
        why = number_problem(step)
        if why is None and abs(step) >= 2**53:
            why = f'is too large: {shown(step)}'
        if why is not None:
            raise bad(f'step {why}')
        for name, value in entry.items():
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                if isinstance(value, int) and number_problem(value) is not None:
                    raise bad(f'{name} {number_problem(value)}')
                scalars.setdefault(name, ([], []))
                scalars[name][0].append(step)
                scalars[name][1].append(value)
    return {name: (np.asarray(s), np.asarray(v, dtype=np.float64))
            for name, (s, v) in scalars.items()}


def draw_training_curves(runs: Mapping[str, Mapping[str, tuple]],
                         names: Sequence[str] = ('loss', 'lr', 'average_mAP'),
                         title: str = '') -> Figure:
    """Draw scalars of one or several runs, one panel per scalar.

    Losses have a logarithmic axis if they span more than a decade, and where they are noisy a
    running mean over a fiftieth of the run is drawn over the pale raw curve. What evaluators
    measure is drawn in percent.

    Args:
        runs (Mapping[str, Mapping[str, tuple]]): For every run what :func:`load_scalars` gives.
        names (Sequence[str]): Scalars to draw; those that no run has are left out.
            Defaults to ``('loss', 'lr', 'average_mAP')``.
        title (str): Defaults to ``''``.

    Returns:
        Figure: One axes per scalar, labelled with its name.

    Raises:
        ValueError: If no run has any of the names; lists those there are.
    """
    shown = [n for n in names if any(n in scalars for scalars in runs.values())]
    if not shown:
        known = sorted({n for scalars in runs.values() for n in scalars})
        raise ValueError(f'none of {list(names)} was logged; there are {known}')
    figure = style.new_figure(_WIDTH, _header(title) + 0.1 + len(shown) * 2.3)
    for row, name in enumerate(shown):
        leaf = name.rpartition('/')[2]  # without the group that back-ends show it in
        judged = any(map(_JUDGED.match, (leaf, name)))  # AP/<class> is of a class
        axes = _frame(figure, title, _TITLES.get(leaf, name) + (' (%)' if judged else ''), row,
                      len(shown), name)
        for i, (run, scalars) in enumerate(runs.items()):
            if name not in scalars:
                continue
            steps, values = scalars[name]
            values = 100 * values if judged else values
            window = len(values) // 50
            noisy = leaf not in ('lr', 'base_lr') and window > 1
            if noisy:
                axes.plot(steps, values, color=_color(i), alpha=0.25, linewidth=0.8)
                smooth = np.convolve(values, np.ones(window) / window, 'valid')
                steps, values = steps[window - 1:], smooth
            axes.plot(steps, values, color=_color(i), linestyle=_dash(i), linewidth=1.8,
                      marker='o' if len(values) < 30 else None, markersize=4,
                      label=style.plain(run))
        everything = np.concatenate([s[name][1] for s in runs.values() if name in s])
        positive = everything[np.isfinite(everything) & (everything > 0)]
        if 'loss' in leaf and len(positive) == len(everything) \
                and positive.max() > 10 * positive.min():
            axes.set_yscale('log')
            axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f'{y:.3g}'))
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.set_xlabel('epoch' if judged else 'iteration', fontsize=style.SMALL_SIZE,
                        color=style.FAINT)
        if row == 0 and len(runs) > 1:
            axes.legend(frameon=False, fontsize=style.SMALL_SIZE, loc='best')
    return figure


def _color(i: int) -> str:
    return style.OKABE_ITO[i % len(style.OKABE_ITO)]


def _dash(i: int) -> str:
    return _DASHES[i % len(_DASHES)]  # where curves coincide the gaps show the one below


def _header(title: str) -> float:
    """Inches that the title takes."""
    return 0.4 if title else 0.0


def _frame(figure, title, name, row=0, rows=1, label=None):
    """Axes of one panel, with grid and its unit above; the title stands above the first."""
    width, height = figure.get_size_inches()
    left, right, below, above, header = 0.75, 0.25, 0.55, 0.35, _header(title)
    panel = (height - header) / rows
    bottom = height - header - (row + 1) * panel + below
    axes = figure.add_axes([left / width, bottom / height, (width - left - right) / width,
                            (panel - below - above) / height], label=label or name)
    if title and row == 0:
        figure.text(0.12 / width, (height - 0.22) / height,
                    style.shorten(figure, title, style.TITLE_SIZE, width - 0.3, 'bold'),
                    fontsize=style.TITLE_SIZE, fontweight='bold', color=style.INK, va='center')
    style.clean_axes(axes, left=True)
    axes.grid(color=style.GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=style.SMALL_SIZE, length=3, color=style.FAINT,
                     labelcolor=style.INK)
    axes.set_title(style.plain(name), loc='left', fontsize=style.LABEL_SIZE, color=style.INK)
    axes.margins(x=0.02)
    return axes
