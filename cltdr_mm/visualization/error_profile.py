"""Error profiles in the manner of DETAD (Alwassel et al., ECCV 2018): arrays in, figures out.

What is counted is the evaluation room's business
(:mod:`cltdr_mm.evaluation.functional.diagnosis`); here it becomes bars.
"""
from collections.abc import Mapping, Sequence
from typing import Optional

import numpy as np
from matplotlib.figure import Figure

from . import style
from .size_curves import draw_size_curves

# One colour per kind, in the order in which DETAD lists them; correct detections are blue.
_KIND_COLORS = ('#0072B2', '#E69F00', '#CC79A7', '#56B4E9', '#D55E00', '#8C8C8C', '#000000')
_SENSITIVITY_HEIGHT = 4.0  # inches
_NAMES = dict(coverage='part of the video', length='length', instances='number in the video')


def draw_diagnosis(report: Mapping, title: str = '') -> dict[str, Figure]:
    """Draw all of a diagnosis.

    Args:
        report (Mapping): What ``cltdr diagnose --out`` writes: ``tiou``; at it ``profile``, shares
            by kind for each rank, and ``impact``, of which ``mAP``; ``average_impact``, gains by
            kind, over ``averaged_tious``; ``sensitivity``, by characteristic and size ``range``,
            ``instances``, ``mAP_N`` and ``missed`` by tIoU, ``average_mAP_N`` and
            ``average_missed``. Fractions.
        title (str): To which thresholds are added. Defaults to ``''``.

    Returns:
        dict[str, Figure]: ``false_positives``; of the averages ``sensitivity`` and ``missed``;
        over the tIoU ``sensitivity_tiou`` and ``missed_tiou``.
    """
    tious = report['averaged_tious']
    average = f'{title}, average over tIoU {", ".join(f"{t:g}" for t in tious)}'
    if len(tious) > 6:
        average = f'{title}, average over {len(tious)} tIoU from {tious[0]:g} to {tious[-1]:g}'
    gains = {kind: gain for kind, gain in report['average_impact'].items() if kind != 'mAP'}
    table = {_NAMES[name]: sizes for name, sizes in report['sensitivity'].items() if name != 'all'}
    whole = report['sensitivity']['all']['all']
    # for each size the range that it stands for, and the share of instances that have it
    notes = {name: {size: (b['range'].replace('<=', '≤'),
                           f"{100 * b['instances'] / whole['instances']:.0f} %")
                    for size, b in sizes.items()} for name, sizes in table.items()}
    legend = {name: {size: f'{span} ({share})' for size, (span, share) in sizes.items()}
              for name, sizes in notes.items()}

    def of_sizes(key: str) -> dict:
        return {name: {size: bucket[key] for size, bucket in sizes.items()}
                for name, sizes in table.items()}

    figures = dict(false_positives=draw_false_positive_profile(
        np.array([list(row.values()) for row in report['profile']]), list(report['profile'][0]),
        gains, f'{title}, tIoU {report["tiou"]:g}, mAP {100 * report["impact"]["mAP"]:.1f}',
        'average mAP gained without these'))
    for name, key, words in (('sensitivity', 'mAP_N', 'normalised mAP (%)'),
                             ('missed', 'missed', 'instances missed (%)')):
        figures[name] = draw_sensitivity(
            of_sizes(f'average_{key}'), whole[f'average_{key}'], notes, average, words,
            ('size', 'range', 'share'))
        figures[f'{name}_tiou'] = draw_size_curves(
            of_sizes(key), whole[key], legend, f'{title}, by tIoU',
            f'{words}; in brackets the share of instances')
    return figures


def draw_false_positive_profile(shares: np.ndarray, kinds: Sequence[str],
                                gains: Optional[Mapping[str, float]] = None,
                                title: str = '',
                                gains_name: str = 'mAP gained without these') -> Figure:
    """Draw what the strongest detections are, and what each kind of error costs.

    Args:
        shares (np.ndarray): (G, len(kinds)) fractions: row g for the detections ranked from g
            times to g + 1 times the number of instances of their class. Rows sum to at most 1.
        kinds (Sequence[str]): What the columns are, true positives first.
        gains (Mapping[str, float], optional): Kind of error -> mAP won, a fraction, if the
            detections of that kind were left out. Defaults to None.
        title (str): Defaults to ``''``.
        gains_name (str): What the gains are. Defaults to ``'mAP gained without these'``.

    Returns:
        Figure: Bars with the kind as gid; axes ``profile`` and, with ``gains``, ``gains``.

    Raises:
        ValueError: If shapes do not fit or a row exceeds 1.
    """
    shares = np.asarray(shares, dtype=np.float64)
    if shares.ndim != 2 or shares.shape[1] != len(kinds) or not len(shares):
        raise ValueError(f'{len(kinds)} kinds of detections, but shares of shape {shares.shape}')
    if len(kinds) > len(_KIND_COLORS):
        raise ValueError(f'at most {len(_KIND_COLORS)} kinds can be told apart, got {len(kinds)}')
    if (shares < 0).any() or (shares.sum(1) > 1 + 1e-6).any():
        raise ValueError('shares must be fractions that sum to at most 1 per row')
    figure = style.new_figure(10.0, 4.4)
    _title(figure, title)
    colors = dict(zip(kinds, _KIND_COLORS))
    _draw_shares(figure, shares, colors, 0.56 if gains else 0.895)
    if gains:
        _draw_gains(figure, gains, colors, gains_name)
    return figure


def _draw_shares(figure, shares, colors, width) -> None:
    axes = figure.add_axes([0.075, 0.145, width, 0.62], label='profile')
    floor = np.zeros(len(shares))
    for (kind, color), share in zip(colors.items(), shares.T):
        bars = axes.bar(np.arange(1, len(share) + 1), 100 * share, 0.8, 100 * floor,
                        color=color, edgecolor='white', linewidth=0.6,
                        label=style.plain(kind))
        for bar in bars:
            bar.set_gid(kind)
        floor = floor + share
    axes.set_xticks(np.arange(1, len(shares) + 1), [f'{i}G' for i in range(1, len(shares) + 1)])
    axes.set_xlabel('strongest detections of each class, in multiples of its number of instances G',
                    fontsize=style.SMALL_SIZE, color=style.FAINT)
    axes.set_ylim(0, 100)
    _finish(axes, 'share (%)')
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc='center left', bbox_to_anchor=(0.068, 0.865),
                  ncols=len(colors), frameon=False, fontsize=style.SMALL_SIZE, handlelength=1.0,
                  handletextpad=0.5, columnspacing=1.4)


def _draw_gains(figure, gains, colors, name) -> None:
    axes = figure.add_axes([0.80, 0.145, 0.175, 0.62], label='gains')
    names = list(gains)
    values = [100 * gains[n] for n in names]
    for i, (kind, value) in enumerate(zip(names, values)):
        axes.barh(i, value, 0.62, color=colors.get(kind, style.BACKGROUND), gid=kind)
        axes.annotate(f'{value:+.1f}', (max(value, 0), i), (4, 0),
                      textcoords='offset points', va='center', fontsize=style.SMALL_SIZE,
                      color=style.INK)
    axes.set_yticks(range(len(names)), [style.shorten(figure, n, style.SMALL_SIZE, 1.25)
                                        for n in names])
    axes.invert_yaxis()
    axes.set_xlim(min(0, *values), max(max(values), 0.1) * 1.5)
    axes.set_xlabel('points', fontsize=style.SMALL_SIZE, color=style.FAINT)
    _finish(axes, '', grid='none')
    figure.text(0.675, 0.784, style.plain(name), fontsize=style.LABEL_SIZE,
                color=style.INK, va='baseline')


def draw_sensitivity(groups: Mapping[str, Mapping[str, float]], overall: float,
                     notes: Optional[Mapping[str, Mapping[str, Sequence[str]]]] = None,
                     title: str = '', name: str = 'normalised mAP (%)',
                     rows: Sequence[str] = ()) -> Figure:
    """Draw how a score depends on what instances are like.

    Args:
        groups (Mapping[str, Mapping[str, float]]): Characteristic (coverage, length, ...) ->
            bin -> score of its instances, a fraction; NaN where a bin has none.
        overall (float): Score of all instances; a dashed line.
        notes (Mapping[str, Mapping[str, Sequence[str]]], optional): Lines to write below the name
            of a bin, such as the range that it stands for. Defaults to None.
        title (str): Defaults to ``''``.
        name (str): What the score is. Defaults to ``'normalised mAP (%)'``.
        rows (Sequence[str]): What the lines below the bars are, names of bins first, written to
            the left of them. Defaults to ().

    Returns:
        Figure: Bars with gid ``<characteristic>:<bin>``, numbers with gid ``number``.

    Raises:
        ValueError: If there is no bin to draw.
    """
    if not groups or not all(groups.values()):
        raise ValueError('no bin to draw: a characteristic without bins')
    values = [100 * v for bins in groups.values() for v in bins.values() if not np.isnan(v)]
    highest = max([100 * overall, *values])
    top = 1.14 * highest if highest > 0 else 1.0
    figure = style.new_figure(10.0, _SENSITIVITY_HEIGHT)
    _title(figure, title)
    axes = figure.add_axes([0.075, 0.29, 0.90, 0.52], label='sensitivity')
    line_height = 0.15 * top / (0.52 * _SENSITIVITY_HEIGHT)  # what a number takes
    x, ticks, labels = 0.0, [], []
    many = sum(len(bins) for bins in groups.values()) > 20
    for group, bins in groups.items():
        begin = x
        for bin_name, value in bins.items():
            height = 0 if np.isnan(value) else 100 * value
            axes.bar(x, height, 0.78, color=style.OKABE_ITO[0], gid=f'{group}:{bin_name}')
            # a number that the dashed line would run through stands below the top of its bar, or,
            # where that is too low, above the line
            crossed = height <= 100 * overall < height + line_height
            inside = crossed and height > 1.5 * line_height
            axes.annotate('–' if np.isnan(value) else f'{height:.1f}',
                          (x, 100 * overall if crossed and not inside else height),
                          (0, -2.5 if inside else 2.5), textcoords='offset points', ha='center',
                          va='top' if inside else 'baseline', fontsize=style.SMALL_SIZE - 1.5,
                          color='white' if inside else style.INK, zorder=5, gid='number')
            lines = (notes or {}).get(group, {}).get(bin_name, ())
            ticks.append(x)
            labels.append('\n'.join(map(style.plain, (bin_name, *lines))))
            x += 1
        room = 0.9 * 10.0 * (x - begin + 0.5) / (1 + sum(len(b) + 0.8 for b in groups.values()))
        axes.annotate(style.wrap(figure, group, style.LABEL_SIZE, room),
                      (0.5 * (begin + x - 1), 0), (0, -53),
                      xycoords=('data', 'axes fraction'), textcoords='offset points', ha='center',
                      va='top', fontsize=style.LABEL_SIZE, color=style.INK)
        x += 0.8
    axes.axhline(100 * overall, color=style.INK, linestyle='--', linewidth=1.1, zorder=3,
                 gid='overall')
    axes.set_xlim(-0.7, x - 1.1)
    axes.set_xticks(ticks, labels)
    axes.set_ylim(0, top)
    _finish(axes, f'{name}, dashed: all instances, {100 * overall:.1f}', grid='y')
    size = style.SMALL_SIZE - (2 if many else 0.5)
    axes.tick_params(axis='x', labelsize=size, length=0)
    axes.annotate('\n'.join(rows), (0, 0), (-10, -3.5), xycoords='axes fraction',
                  textcoords='offset points', ha='right', va='top', fontsize=size,
                  color=style.FAINT)
    return figure


def _title(figure, title) -> None:
    width, height = figure.get_size_inches()
    figure.text(0.12 / width, (height - 0.24) / height,
                style.shorten(figure, title, style.TITLE_SIZE, width - 0.3, 'bold'),
                fontsize=style.TITLE_SIZE, fontweight='bold', color=style.INK, va='center')


def _finish(axes, name, grid='y') -> None:
    style.clean_axes(axes, left=True)
    if grid != 'none':
        axes.grid(axis=grid, color=style.GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=style.SMALL_SIZE, length=2, color=style.FAINT, labelcolor=style.INK)
    axes.set_title(name, loc='left', fontsize=style.LABEL_SIZE, color=style.INK)
