"""A score over the tIoU threshold, a line for each size of instances."""
from collections.abc import Mapping
from typing import Optional

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from . import style

_COLORS = dict(zip(('XS', 'S', 'M', 'L', 'XL'), style.OKABE_ITO))
_MARKERS = dict(zip(_COLORS, 'os^Dv'))
_LEFT, _RIGHT, _GAP, _PANEL, _HEIGHT = 0.6, 0.2, 0.3, 2.85, 2.6  # inches
_BELOW, _ABOVE = 1.35, 0.95


def draw_size_curves(groups: Mapping[str, Mapping[str, Mapping[str, float]]],
                     overall: Mapping[str, float],
                     notes: Optional[Mapping[str, Mapping[str, str]]] = None,
                     title: str = '', name: str = 'normalised mAP (%)') -> Figure:
    """Draw how a score depends on the tIoU threshold, for instances of each size.

    Args:
        groups (Mapping[str, Mapping[str, Mapping[str, float]]]): Characteristic (coverage,
            length, ...) -> size, one of XS, S, M, L and XL -> tIoU -> score, a fraction.
        overall (Mapping[str, float]): tIoU -> score of all instances; a dashed line.
        notes (Mapping[str, Mapping[str, str]], optional): What to say of a size in the legend,
            such as the range that it stands for. Defaults to None.
        title (str): Defaults to ``''``.
        name (str): What the score is. Defaults to ``'normalised mAP (%)'``.

    Returns:
        Figure: An axes a characteristic, with lines of gid ``<characteristic>:<size>`` and
        ``overall``, in percent.

    Raises:
        ValueError: If there is no curve to draw, or a size is none of those five.
    """
    if not groups or not all(groups.values()):
        raise ValueError('no curve to draw: a characteristic without sizes')
    strange = {size for sizes in groups.values() for size in sizes} - set(_COLORS)
    if strange:
        raise ValueError(f'unknown sizes {sorted(strange)}, there are {list(_COLORS)}')
    width = _LEFT + len(groups) * (_PANEL + _GAP) - _GAP + _RIGHT
    height = _BELOW + _HEIGHT + _ABOVE
    figure = style.new_figure(width, height)
    figure.text(0.12 / width, (height - 0.24) / height,
                style.shorten(figure, title, style.TITLE_SIZE, width - 0.3, 'bold'),
                fontsize=style.TITLE_SIZE, fontweight='bold', color=style.INK, va='center')
    figure.text(0.12 / width, (height - 0.55) / height, style.plain(name), va='center',
                fontsize=style.LABEL_SIZE, color=style.INK)
    values = [100 * v for sizes in groups.values() for curve in sizes.values()
              for v in curve.values()] + [100 * v for v in overall.values()]
    top = max(*values, 1e-3)
    for i, (group, sizes) in enumerate(groups.items()):
        left = _LEFT + i * (_PANEL + _GAP)
        axes = figure.add_axes([left / width, _BELOW / height, _PANEL / width, _HEIGHT / height],
                               label=group)
        axes.plot(*_points(overall), color=style.INK, linestyle='--', linewidth=1.3,
                  label='all instances', gid='overall')
        for size, curve in sizes.items():
            said = (notes or {}).get(group, {}).get(size, '')
            axes.plot(*_points(curve), color=_COLORS[size], linewidth=1.8, marker=_MARKERS[size],
                      markersize=4.5, label=style.plain(f'{size}: {said}' if said else size),
                      gid=f'{group}:{size}')
        _finish(axes, group, overall, first=i == 0)
        axes.set_ylim(-0.02 * top, 1.04 * top)
    return figure


def _points(curve: Mapping[str, float]) -> tuple[list[float], np.ndarray]:
    """Thresholds, ascending, and the score in percent."""
    names = sorted(curve, key=float)
    return [float(t) for t in names], 100 * np.array([curve[t] for t in names])


def _finish(axes, group: str, overall: Mapping[str, float], first: bool) -> None:
    style.clean_axes(axes, left=True)
    axes.grid(color=style.GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=style.SMALL_SIZE, length=3, color=style.FAINT,
                     labelcolor=style.INK, labelleft=first)
    tious = sorted(map(float, overall))
    axes.set_xticks(tious if len(tious) <= 6 else tious[::2])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f'{x:.2f}'.rstrip('0')))
    axes.set_title(style.plain(group), loc='left', fontsize=style.LABEL_SIZE, color=style.INK)
    axes.set_xlabel('tIoU threshold', fontsize=style.SMALL_SIZE, color=style.FAINT)
    axes.legend(loc='upper left', bbox_to_anchor=(-0.04, -0.2), ncols=2, frameon=False,
                fontsize=style.SMALL_SIZE - 1.5, handlelength=1.5, columnspacing=0.8,
                handletextpad=0.5, labelspacing=0.35)
