"""Timelines: what happens in a video, and what a model says happens, on one axis of seconds.

Every class that occurs has a row. Its upper lanes hold the ground truth, the lanes below the
detections, coloured by score; instances that overlap lie in lanes of their own, the strongest
detections in the uppermost. The last row is what remains: background.
"""
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

import numpy as np
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from . import style
from .header import HEADER, draw_header
from .layout import (
    NO_CLASS,
    Instances,
    assign_lanes,
    choose_classes,
    envelope,
    strongest,
    uncovered,
)

TRUTH_LANE, PREDICTION_LANE, SCORE_LANE = 0.15, 0.115, 0.24  # inches
_ROW_GAP, _SMALLEST_ROW, _SMALLEST_BAR = 0.12, 0.36, 0.0125  # inches; a bar of two pixels
_FOOTER, _SIGNAL, _SIGNAL_GAP = 0.52, 0.8, 0.14


@dataclass
class Track:
    """A signal drawn below the rows, such as an accelerometer's norm.

    Args:
        times (np.ndarray): (T,) rising, seconds.
        values (np.ndarray): (T,).
        name (str): What it is, with its unit. Defaults to ``'signal'``.
    """

    times: np.ndarray
    values: np.ndarray
    name: str = 'signal'

    def __post_init__(self):
        self.times = np.asarray(self.times, dtype=np.float64).reshape(-1)
        self.values = np.asarray(self.values, dtype=np.float64).reshape(-1)
        if len(self.times) != len(self.values):
            raise ValueError(f'{self.name}: {len(self.times)} times, {len(self.values)} values')


@dataclass
class _Row:
    """One class with everything that its row shows."""

    name: str
    truth: Instances
    truth_lanes: np.ndarray
    predictions: Instances
    prediction_lanes: np.ndarray
    steps: Optional[np.ndarray] = None
    is_background: bool = False

    @property
    def height(self) -> float:
        """Inches, without the gap to the next row."""
        lanes = ((self.truth_lanes.max(initial=-1) + 1) * TRUTH_LANE
                 + (self.prediction_lanes.max(initial=-1) + 1) * PREDICTION_LANE
                 + (0 if self.steps is None else SCORE_LANE))
        return max(lanes + _ROW_GAP, _SMALLEST_ROW)


def draw_timeline(ground_truth: Optional[Instances] = None,
                  predictions: Optional[Instances] = None,
                  classes: Sequence[str] = (),
                  title: str = '',
                  duration: Optional[float] = None,
                  score_thr: Optional[float] = None,
                  top_k: Optional[int] = None,
                  time_range: Optional[tuple] = None,
                  max_classes: int = 16,
                  max_lanes: int = 4,
                  signal: Optional[Track] = None,
                  step_scores: Optional[tuple] = None,
                  width: float = 10.0) -> Figure:
    """Draw one video.

    Args:
        ground_truth (Instances, optional): Annotated instances. Defaults to None.
        predictions (Instances, optional): Detections, with scores. Defaults to None.
        classes (Sequence[str]): Names by class index; a class beyond them is shown by its
            number, instances without one in a row 'proposal'. Defaults to ().
        title (str): The video's name. Defaults to ''.
        duration (float, optional): Length of the video, seconds. Defaults to None: the last
            end of any instance.
        score_thr (float, optional): Smallest score shown. Defaults to None.
        top_k (int, optional): Number of detections shown, the strongest. Defaults to None: no
            limit beside ``score_thr`` if that is given, otherwise half as many again as there
            are annotated instances, at least 20.
        time_range (tuple[float, float], optional): Stretch of the video to show, seconds.
            Defaults to None, the whole video.
        max_classes (int): Rows before the rarest classes share one. Defaults to 16.
        max_lanes (int): Lanes of detections in a row; weaker ones that find no room are counted
            below the title, not drawn. Defaults to 4.
        signal (Track, optional): A signal drawn below. Defaults to None.
        step_scores (tuple[np.ndarray, np.ndarray], optional): Times (T,) in seconds and scores
            (T, K) in 0..1 of every class at every step, drawn as a curve in the class's row.
            Defaults to None.
        width (float): Inches; at 160 dots per inch. Defaults to 10.

    Returns:
        Figure: Bars carry gids ``truth:<class>``, ``prediction:<class>``,
        ``truth:background`` and ``prediction:background``.

    Raises:
        ValueError: If there is nothing to place (no duration and no instance), detections have
            no scores, or ``time_range`` is empty.
    """
    has_truth, has_predictions = ground_truth is not None, predictions is not None
    truth = ground_truth if has_truth else Instances(np.empty((0, 2)), [])
    detected = predictions if has_predictions else Instances(np.empty((0, 2)), [], [])
    if detected.scores is None:
        raise ValueError(f'{title or "timeline"}: the detections have no scores')
    start, end = _time_range(title, duration, time_range, truth, detected)
    truth, detected = truth.within(start, end), detected.within(start, end)
    if top_k is None and score_thr is None:
        top_k = max(20, int(1.5 * len(truth)))
    shown = strongest(detected, score_thr, top_k)

    rows, hidden = _make_rows(truth, shown, classes, (start, end), max_classes, max_lanes,
                              step_scores, has_truth, has_predictions)
    height = (HEADER + sum(row.height for row in rows) + _FOOTER
              + (_SIGNAL + _SIGNAL_GAP if signal is not None else 0))
    figure = style.new_figure(width, height)
    room = 0.27 * width
    names = [style.wrap(figure, row.name, style.LABEL_SIZE, room) for row in rows]
    left = max([style.text_width(figure, name, style.LABEL_SIZE) for name in names] + [0.6]) + 0.25
    box_width = width - left - 0.25
    below = _FOOTER + (_SIGNAL + _SIGNAL_GAP if signal is not None else 0)
    axes = figure.add_axes([left / width, below / height, box_width / width,
                            (height - HEADER - below) / height], label='rows')
    top = max([1e-12] + [float(shown.scores.max(initial=0))])
    scale = Normalize(0.0, _round_up(top))
    _draw_rows(axes, rows, names, scale, (start, end), box_width, step_scores)
    style.set_time_axis(axes, start, end, box_width, label=signal is None)
    if signal is not None:
        axes.tick_params(axis='x', labelbottom=False)
        _draw_signal(figure, signal, (start, end), left, box_width, width, height)
    counts = _counts(has_truth, has_predictions, truth, len(shown) - hidden, len(detected),
                     score_thr)
    draw_header(figure, title, counts, has_truth, scale if has_predictions else None)
    return figure


def _time_range(title, duration, time_range, truth, detected) -> tuple:
    if time_range is not None:
        start, end = map(float, time_range)
    else:
        ends = [duration] if duration else [*truth.segments[:, 1], *detected.segments[:, 1]]
        start, end = 0.0, float(max(ends, default=0.0))
    if duration and start >= duration:
        raise ValueError(f'{title or "timeline"}: no time to show from {start:g} s on: the video '
                         f'ends at {duration:g} s')
    if not end > start:
        raise ValueError(f'{title or "timeline"}: no time to show between {start:g} s and '
                         f'{end:g} s; give a duration or instances')
    return start, end


def _round_up(score: float) -> float:
    """The next of 0.1, 0.2, 0.5, 1, 2, 5 ... (any decade): a scale that ends on a round number."""
    decade = 10.0 ** np.floor(np.log10(score))
    return float(next(decade * m for m in (1, 2, 5, 10) if decade * m >= score * (1 - 1e-9)))


def _make_rows(truth, shown, classes, span, max_classes, max_lanes, step_scores, has_truth,
               has_predictions) -> tuple:
    start, end = span
    kept, rest = choose_classes(truth, shown, max_classes)
    groups = [([c], _class_name(c, classes)) for c in kept]
    if rest:
        groups.append((rest, f'{len(rest)} other classes' if len(rest) > 1 else '1 other class'))
    rows, hidden = [], 0
    for members, name in groups:
        mine = truth.take(np.isin(truth.labels, members))
        mine = mine.take(np.argsort(mine.segments[:, 0], kind='stable'))
        theirs = shown.take(np.isin(shown.labels, members))
        lanes = assign_lanes(theirs.segments, max_lanes)
        theirs, lanes, lost = theirs.take(lanes >= 0), lanes[lanes >= 0], int((lanes < 0).sum())
        hidden += lost
        steps = None
        if step_scores is not None and len(members) == 1:
            steps = np.asarray(step_scores[1])[:, members[0]]
        rows.append(_Row(name, mine, assign_lanes(mine.segments), theirs, lanes, steps))
    gaps = [uncovered(i.segments, start, end) if has else np.empty((0, 2))
            for i, has in ((truth, has_truth), (shown, has_predictions))]
    lanes = [np.zeros(len(g), dtype=np.int64) for g in gaps]
    rows.append(_Row('background', Instances(gaps[0], lanes[0]), lanes[0],
                     Instances(gaps[1], lanes[1], lanes[1]), lanes[1], is_background=True))
    return rows, hidden


def _class_name(index: int, classes: Sequence[str]) -> str:
    if index == NO_CLASS:
        return 'proposal'
    return classes[index] if 0 <= index < len(classes) else f'class {index}'


def _bars(axes, segments, lanes, top, lane_height, colors, min_width, gid) -> None:
    """Draw bars: lane 0 uppermost, ``top`` the upper edge of lane 0, heights in inches."""
    for lane in np.unique(lanes):
        mine = lanes == lane
        widths = np.maximum(segments[mine, 1] - segments[mine, 0], min_width)
        upper = top + lane * lane_height
        # The white edge parts neighbours that touch; it would swallow a bar of a few pixels.
        axes.broken_barh(
            list(zip(segments[mine, 0], widths)), (upper, 0.8 * lane_height),
            facecolors=colors if isinstance(colors, str) else colors[mine],
            edgecolors='white', linewidth=np.where(widths > 4 * min_width, 0.35, 0.0), gid=gid,
            zorder=3)


def _draw_rows(axes, rows, names, scale, span, box_width, step_scores) -> None:
    min_width = _SMALLEST_BAR * (span[1] - span[0]) / box_width
    total, middles = 0.0, []
    for i, row in enumerate(rows):
        if i % 2 == 0:
            axes.axhspan(total, total + row.height, color='#F6F6F6', zorder=0, linewidth=0)
        lanes = (row.height - _ROW_GAP if row.height > _SMALLEST_ROW else
                 (row.truth_lanes.max(initial=-1) + 1) * TRUTH_LANE
                 + (row.prediction_lanes.max(initial=-1) + 1) * PREDICTION_LANE
                 + (0 if row.steps is None else SCORE_LANE))
        y = total + 0.5 * (row.height - lanes) + 0.01
        key = 'background' if row.is_background else row.name
        _bars(axes, row.truth.segments, row.truth_lanes, y, TRUTH_LANE,
              style.BACKGROUND if row.is_background else style.GROUND_TRUTH, min_width,
              f'truth:{key}')
        y += (row.truth_lanes.max(initial=-1) + 1) * TRUTH_LANE
        _bars(axes, row.predictions.segments, row.prediction_lanes, y, PREDICTION_LANE,
              '#BDBDBD' if row.is_background else style.SCORE_CMAP(scale(row.predictions.scores)),
              min_width, f'prediction:{key}')
        y += (row.prediction_lanes.max(initial=-1) + 1) * PREDICTION_LANE
        if row.steps is not None:
            times, _, high = envelope(np.asarray(step_scores[0], dtype=np.float64), row.steps,
                                      int(box_width * style.DPI / 2))
            floor = y + SCORE_LANE * 0.92
            axes.fill_between(times, floor, floor - 0.84 * SCORE_LANE * np.clip(high, 0, 1),
                              color=style.OKABE_ITO[2], alpha=0.55, linewidth=0, zorder=2,
                              gid=f'steps:{key}')
        middles.append(total + 0.5 * row.height)
        total += row.height
    axes.set_ylim(total, 0.0)
    axes.set_yticks(middles)
    axes.set_yticklabels(names, fontsize=style.LABEL_SIZE, color=style.INK)
    axes.get_yticklabels()[-1].set_color(style.FAINT)
    axes.get_yticklabels()[-1].set_style('italic')
    axes.tick_params(axis='y', length=0, pad=6)
    axes.grid(axis='x', color=style.GRID, linewidth=0.7, zorder=1)
    axes.set_axisbelow(True)
    style.clean_axes(axes)


def _draw_signal(figure, signal, span, left, box_width, width, height) -> None:
    axes = figure.add_axes([left / width, _FOOTER / height, box_width / width, _SIGNAL / height],
                           label='signal')
    inside = (signal.times >= span[0]) & (signal.times <= span[1])
    times, low, high = envelope(signal.times[inside], signal.values[inside],
                                int(box_width * style.DPI / 2))
    if len(times):
        axes.fill_between(times, low, high, color='#4D4D4D', linewidth=0.5, edgecolor='#4D4D4D')
        reach = np.percentile(np.r_[low, high], [0.5, 99.5])
        slack = 0.12 * max(reach[1] - reach[0], 1e-9)
        axes.set_ylim(reach[0] - slack, reach[1] + slack)  # one knock must not flatten the rest
    style.set_time_axis(axes, *span, box_width)
    style.clean_axes(axes)
    axes.grid(axis='x', color=style.GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.locator_params(axis='y', nbins=3)
    axes.tick_params(axis='y', labelsize=style.SMALL_SIZE - 1, length=0, labelcolor=style.FAINT)
    axes.text(-0.52 / box_width, 0.5,
              style.shorten(figure, signal.name, style.LABEL_SIZE, left - 0.6),
              transform=axes.transAxes, ha='right', va='center', fontsize=style.LABEL_SIZE,
              color=style.INK)


def _counts(has_truth, has_predictions, truth, drawn, detected, score_thr) -> str:
    parts = []
    if has_truth:
        parts.append(f'{len(truth)} annotated instance{"s" if len(truth) != 1 else ""}')
    if has_predictions:
        limit = '' if score_thr is None else f' (score ≥ {score_thr:g})'
        parts.append(f'{drawn:,} of {detected:,} detections shown{limit}')
    return ', '.join(parts)
