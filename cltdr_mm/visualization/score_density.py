"""Scores of candidates over the tIoU that they have, a panel a model.

After figure 5 of CLTDR-GMG (AAAI 2025, supplement E.5). What is compared is the evaluation room's
business (:mod:`cltdr_mm.evaluation.functional.score_tiou`); here it becomes a picture.
"""
from collections.abc import Mapping
from typing import Optional

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from . import style

BINS = 50  # fields along a side of a panel
MAX_STARS = 500
_SIDE, _LEFT, _GAP, _RIGHT, _BELOW = 3.2, 0.65, 0.35, 0.95, 0.55  # inches
_HEAD, _LINE = 0.79, 0.185
_WORDS = style.SMALL_SIZE - 0.5
_STEPS = np.linspace(0, 1, 11)  # scores between which a mean tIoU is drawn
_FEWEST = 20  # candidates that a mean is drawn of


def draw_score_tiou(models: Mapping[str, Mapping], title: str = '', seed: int = 0) -> Figure:
    """Draw how the score of candidates goes with the tIoU that they have.

    Every candidate counts in the shading, however many there are. Stars are instances, at score
    and tIoU of the strongest candidate of each, where there is one; of more than
    :data:`MAX_STARS` a random part is drawn, which the picture says.

    Args:
        models (Mapping[str, Mapping]): By name ``scores`` (D,) and ``tious`` (D,) of candidates,
            ``instance_scores`` (G,) and ``instance_tious`` (G,), all from 0 to 1, and ``numbers``,
            see :func:`.score_tiou_numbers`.
        title (str): Defaults to ``''``.
        seed (int): Of the part of the stars that is drawn. Defaults to 0.

    Returns:
        Figure: An axes a model, labelled with its name: an image with gid ``density``, a line with
        gid ``mean`` (mean tIoU by tenths of the score, of 20 candidates or more) and one with gid
        ``stars``.

    Raises:
        ValueError: If there is no model, or a score or a tIoU is not from 0 to 1.
    """
    if not models:
        raise ValueError('no model to draw')
    counts = {name: _counts(name, one) for name, one in models.items()}
    rng = np.random.default_rng(seed)
    stars, words = {}, {}
    for name, one in models.items():
        stars[name] = np.stack([one['instance_scores'], one['instance_tious']])
        stars[name] = stars[name][:, stars[name][1] > 0]
        words[name] = _words(one['numbers'])
        number = stars[name].shape[1]
        if number > MAX_STARS:
            stars[name] = stars[name][:, rng.choice(number, MAX_STARS, replace=False)]
            words[name].append(f'stars shown: {MAX_STARS:,} of {number:,}, seed {seed}')
    lines = 1 + max(map(len, words.values()))
    width = _LEFT + len(models) * (_SIDE + _GAP) - _GAP + _RIGHT
    height = _BELOW + _SIDE + _HEAD + _LINE * lines
    figure = style.new_figure(width, height)
    scale = LogNorm(1, max(2, *(int(count.max()) for count in counts.values())))
    for i, name in enumerate(models):
        left = _LEFT + i * (_SIDE + _GAP)
        axes = figure.add_axes([left / width, _BELOW / height, _SIDE / width, _SIDE / height],
                               label=name)
        axes.imshow(np.ma.masked_equal(counts[name].T, 0), extent=(0, 1, 0, 1), origin='lower',
                    cmap=style.SCORE_CMAP, norm=scale, interpolation='nearest', gid='density')
        axes.plot([0, 1], [0, 1], color=style.FAINT, linewidth=0.9, linestyle='--')
        axes.plot(*stars[name], linestyle='none', marker='*', markersize=6.5,
                  color=style.GROUND_TRUTH, markeredgecolor='white', markeredgewidth=0.4,
                  clip_on=False, gid='stars')
        axes.plot(*_means(models[name]), color=style.INK, linewidth=1.5, marker='o',
                  markersize=3.5, gid='mean')
        _finish(axes, first=i == 0)
        for line, text in enumerate([name, *words[name]]):
            size, weight, color = ((_WORDS, 'normal', style.FAINT) if line else
                                   (style.LABEL_SIZE, 'bold', style.INK))
            y = _BELOW + _SIDE + 0.075 + _LINE * (lines - line)
            figure.text(left / width, y / height,
                        style.shorten(figure, text, size, _SIDE + _GAP - 0.05, weight),
                        fontsize=size, fontweight=weight, color=color, va='center')
    _head(figure, title, scale)
    return figure


def _counts(name: str, one: Mapping) -> np.ndarray:
    """Candidates by score and tIoU: (BINS, BINS)."""
    for key in ('scores', 'tious', 'instance_scores', 'instance_tious'):
        values = np.asarray(one[key])
        if not ((values >= 0) & (values <= 1)).all():
            raise ValueError(f'{name}: {key} must be from 0 to 1, got '
                             f'{values.min():g} to {values.max():g}')
    return np.histogram2d(one['scores'], one['tious'], BINS, ((0, 1), (0, 1)))[0]


def _means(one: Mapping) -> tuple[np.ndarray, np.ndarray]:
    """Middles of the tenths of the score with enough candidates, and their mean tIoU."""
    tenth = np.minimum(np.searchsorted(_STEPS, one['scores'], 'right') - 1, len(_STEPS) - 2)
    number = np.bincount(tenth, minlength=len(_STEPS) - 1)
    total = np.bincount(tenth, one['tious'], minlength=len(_STEPS) - 1)
    enough = number >= _FEWEST
    return (0.5 * (_STEPS[1:] + _STEPS[:-1]))[enough], total[enough] / number[enough]


def _number(value: Optional[float]) -> str:
    return '–' if value is None else f'{value:.2f}'


def _words(numbers: Mapping) -> list[str]:
    """Lines above a panel."""
    lines = []
    for key, what in (('all', 'candidates'), ('overlapping', 'with tIoU > 0')):
        one = numbers[key]
        lines.append(f"{one['candidates']:,} {what}: Pearson {_number(one['pearson'])}, "
                     f"Spearman {_number(one['spearman'])}")
    strong, instances = numbers['strong'], numbers['instances']
    lines.append(f"{strong['candidates']:,} strongest: mean tIoU {_number(strong['mean_tiou'])}")
    lines.append(f"stars: mean tIoU {_number(instances['mean_tiou'])}; the best candidates' "
                 f"{_number(instances['best_mean_tiou'])}")
    alone = instances['count'] - instances['with_candidate']
    if alone:
        lines.append(f'no star: {alone:,} instances without own candidate, tIoU 0')
    return lines


def _finish(axes, first: bool) -> None:
    style.clean_axes(axes, left=True)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_xticks(_STEPS[::2])
    axes.set_yticks(_STEPS[::2])
    axes.set_axisbelow(True)
    axes.grid(color=style.GRID, linewidth=0.7)
    axes.tick_params(labelsize=style.SMALL_SIZE, length=3, color=style.FAINT,
                     labelcolor=style.INK, labelleft=first)
    axes.set_xlabel('score', fontsize=style.SMALL_SIZE, color=style.FAINT)
    if first:
        axes.set_ylabel('tIoU', fontsize=style.SMALL_SIZE, color=style.FAINT)


def _head(figure, title: str, scale: LogNorm) -> None:
    """Title, legend, and the scale of the shading to the right of the panels."""
    width, height = figure.get_size_inches()
    figure.text(0.12 / width, (height - 0.24) / height,
                style.shorten(figure, title, style.TITLE_SIZE, width - 0.3, 'bold'),
                fontsize=style.TITLE_SIZE, fontweight='bold', color=style.INK, va='center')
    handles = [
        Line2D([], [], linestyle='none', marker='*', markersize=8, color=style.GROUND_TRUTH,
               label='strongest candidate of an instance'),
        Line2D([], [], color=style.INK, linewidth=1.5, marker='o', markersize=3.5,
               label='mean tIoU')]
    figure.legend(handles=handles, loc='center left', ncols=2, frameon=False,
                  bbox_to_anchor=(0.05 / width, (height - 0.5) / height),
                  fontsize=style.SMALL_SIZE, handlelength=1.2, columnspacing=1.4)
    bar = figure.add_axes([(width - _RIGHT + 0.2) / width, _BELOW / height, 0.12 / width,
                           _SIDE / height], label='scale')
    figure.colorbar(ScalarMappable(scale, style.SCORE_CMAP), cax=bar,
                    format=FuncFormatter(lambda count, _: f'{count:,.0f}'))
    bar.tick_params(labelsize=style.SMALL_SIZE - 1, length=2, labelcolor=style.FAINT)
    bar.spines[:].set_visible(False)
    bar.set_title('candi-\ndates', fontsize=style.SMALL_SIZE - 1, color=style.FAINT, loc='left')
