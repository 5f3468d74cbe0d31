"""What a data set holds, as a picture: classes, lengths, instances of a video, background."""
from collections.abc import Mapping, Sequence
from typing import Optional

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from ..datasets.statistics import SubsetStatistics
from . import style

MAX_CLASSES = 40  # rows; the rest is said in words
_WIDTH, _ROW, _LEFT, _GAP = 11.0, 0.3, 1.9, 1.15  # inches


def draw_statistics(subsets: Mapping[str, SubsetStatistics],
                    ranges: Optional[Sequence[tuple[float, float]]] = None,
                    title: str = '') -> Figure:
    """Draw instances of each class, lengths, instances of a video and background.

    Args:
        subsets (Mapping[str, SubsetStatistics]): By name; one at least, of the same classes.
        ranges (Sequence[tuple[float, float]], optional): Regression ranges of a pyramid; lines
            among the lengths show where a centre's distance to a boundary passes from level to
            level. Defaults to None.
        title (str): Defaults to ``''``.

    Returns:
        Figure: Axes ``classes`` (bars with gid ``<subset>:<class>``), ``lengths``, ``videos``
        and ``background``.

    Raises:
        ValueError: If there is no subset.
    """
    if not subsets:
        raise ValueError('no subset to draw')
    first = next(iter(subsets.values()))
    rows = min(len(first.classes), MAX_CLASSES)
    height = max(6.4, 1.6 + rows * _ROW)
    figure = style.new_figure(_WIDTH, height)
    figure.text(0.12 / _WIDTH, (height - 0.24) / height,
                style.shorten(figure, title, style.TITLE_SIZE, _WIDTH - 0.3, 'bold'),
                fontsize=style.TITLE_SIZE, fontweight='bold', color=style.INK, va='center')
    colors = dict(zip(subsets, style.OKABE_ITO))
    bottom, top, right = 0.6, height - 0.95, 6.5

    def axes(name: str, left: float, low: float, width: float, high: float):
        return figure.add_axes([left / _WIDTH, low / height, width / _WIDTH,
                                (high - low) / height], label=name)

    _draw_classes(axes('classes', _LEFT, bottom, right - _LEFT - _GAP, top), subsets, colors, rows)
    third = (top - bottom - 2 * 0.85) / 3
    width = _WIDTH - right - 0.25
    lows = [bottom + i * (third + 0.85) for i in (2, 1, 0)]
    _draw_lengths(axes('lengths', right, lows[0], width, lows[0] + third), subsets, colors, ranges)
    _draw_counts(axes('videos', right, lows[1], width, lows[1] + third), subsets, colors)
    _draw_background(axes('background', right, lows[2], width, lows[2] + third), subsets, colors)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc='center left', frameon=False, fontsize=style.SMALL_SIZE,
                  bbox_to_anchor=(_LEFT / _WIDTH - 0.01, (height - 0.55) / height),
                  ncols=len(subsets), handlelength=1.0, handletextpad=0.5, columnspacing=1.4)
    return figure


def _draw_classes(axes, subsets, colors, rows) -> None:
    first = next(iter(subsets.values()))
    order = np.argsort(-first.per_class, kind='stable')[:rows]
    thick = 0.8 / len(subsets)
    for i, (name, found) in enumerate(subsets.items()):
        places = np.arange(rows) - 0.4 + (i + 0.5) * thick
        bars = axes.barh(places, found.per_class[order], thick, color=colors[name],
                         label=style.plain(name))
        for bar, label in zip(bars, order):
            bar.set_gid(f'{name}:{first.classes[label]}')
    axes.set_yticks(range(rows), [
        style.shorten(axes.figure, first.classes[label], style.SMALL_SIZE, _LEFT - 0.25)
        for label in order])
    axes.set_ylim(rows - 0.4, -0.6)
    left = len(first.classes) - rows
    more = f', the {rows} most frequent of {len(first.classes)} classes' if left else ''
    _finish(axes, f'instances of each class{more}', 'x')
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))


def _draw_lengths(axes, subsets, colors, ranges) -> None:
    lengths = {name: np.log2(np.maximum(found.lengths, 0.25)) for name, found in subsets.items()
               if found.num_instances}
    low, high = (min(map(np.min, lengths.values())), max(map(np.max, lengths.values()))) \
        if lengths else (0., 1.)
    edges = np.arange(np.floor(2 * low), np.ceil(2 * high + 1e-6) + 1) / 2
    for name, values in lengths.items():
        share = 100 * np.histogram(values, edges)[0] / len(values)
        axes.stairs(share, edges, color=colors[name], linewidth=1.6)
    for _, bound in list(ranges or ())[:-1]:  # a centre is half a length from both boundaries
        at = np.log2(2 * bound)
        if edges[0] < at < edges[-1]:
            axes.axvline(at, color=style.FAINT, linestyle=':', linewidth=1.0)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f'{2.0**x:g}'))
    axes.set_xlabel('grid steps' + (', dotted: from level to level' if ranges else ''),
                    fontsize=style.SMALL_SIZE, color=style.FAINT)
    _finish(axes, 'lengths of instances (% of each subset)', 'y')
    axes.set_ylim(bottom=0)


def _draw_counts(axes, subsets, colors) -> None:
    most = max(int(found.per_video.max(initial=0)) for found in subsets.values())
    step = max(1, -(-(most + 1) // 30))
    edges = np.arange(0, most + 1 + step, step) - 0.5
    for name, found in subsets.items():
        if found.num_videos:
            share = 100 * np.histogram(found.per_video, edges)[0] / found.num_videos
            axes.stairs(share, edges, color=colors[name], linewidth=1.6)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.set_xlabel('instances', fontsize=style.SMALL_SIZE, color=style.FAINT)
    _finish(axes, 'instances of a video (% of the videos)', 'y')
    axes.set_ylim(bottom=0)


def _draw_background(axes, subsets, colors) -> None:
    for i, (name, found) in enumerate(subsets.items()):
        values = dict(background=100 * found.background, overlap=100 * found.overlap)
        for j, (what, value) in enumerate(values.items()):
            place = j + (i - (len(subsets) - 1) / 2) * 0.8 / len(subsets)
            axes.barh(place, value, 0.75 / len(subsets), color=colors[name], gid=f'{name}:{what}')
            axes.annotate(f'{value:.1f}', (value, place), (3, 0), textcoords='offset points',
                          va='center', fontsize=style.SMALL_SIZE - 1, color=style.INK)
    axes.set_yticks([0, 1], ['background', 'overlapping'])
    axes.invert_yaxis()
    axes.set_xlim(0, 112)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    _finish(axes, 'share of the time, and of the instances (%)', 'x')


def _finish(axes, name: str, grid: str) -> None:
    style.clean_axes(axes, left=True)
    axes.grid(axis=grid, color=style.GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=style.SMALL_SIZE, length=2, color=style.FAINT, labelcolor=style.INK)
    axes.set_title(name, loc='left', fontsize=style.LABEL_SIZE, color=style.INK)
