"""What all pictures share: colours, sizes, the time axis, and files that are whole or absent.

Figures are made without pyplot on the Agg canvas: no display is needed, nothing global changes,
and a figure that nobody keeps is garbage like any other object. Colours are Okabe and Ito's
(2008), which readers with any of the common colour vision deficiencies can tell apart.
"""
import math
from pathlib import Path
from typing import Union

import numpy as np
from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, MultipleLocator

from ..utils import atomic_path

OKABE_ITO = ('#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#000000')
GROUND_TRUTH = '#D55E00'
BACKGROUND = '#8C8C8C'
INK = '#222222'
FAINT = '#6B6B6B'
GRID = '#E3E3E3'
# From pale green over turquoise to dark blue: hue and lightness change together, so that scores a
# fifth apart are told apart anywhere on the scale; without its yellow end, which white swallows.
SCORE_CMAP = LinearSegmentedColormap.from_list(
    'tal_score', colormaps['YlGnBu'](np.linspace(0.25, 1, 16)))

DPI = 160
TITLE_SIZE = 12.5
LABEL_SIZE = 10.5
SMALL_SIZE = 9.5
_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)


def new_figure(width: float, height: float) -> Figure:
    """Make an empty white figure on the Agg canvas, its sides in inches."""
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor='white')
    FigureCanvasAgg(figure)
    return figure


def figure_to_rgb(figure: Figure) -> np.ndarray:
    """Render a figure.

    Returns:
        np.ndarray: (H, W, 3) uint8, RGB.
    """
    canvas = figure.canvas
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def save_figure(figure: Figure, path: Union[str, Path]) -> Path:
    """Write a figure so that the file is either complete or not there.

    It is written beside its place under another name and moved when complete; folders that are
    missing are made.

    Args:
        figure (Figure): The picture.
        path (str | Path): File to write; its suffix says the format (``.png``, ``.pdf``, ...).

    Returns:
        Path: ``path``.

    Raises:
        ValueError: If the suffix is missing or is no format that matplotlib writes.
    """
    path = Path(path)
    kind = path.suffix[1:].lower()
    if kind not in figure.canvas.get_supported_filetypes():
        raise ValueError(f'{path}: no picture format is called {path.suffix or "(no suffix)"!r}, '
                         f'use .png or .pdf')
    with atomic_path(path) as part:
        figure.savefig(part, format=kind, dpi=figure.dpi)
    return path


def plain(text: object) -> str:
    """Text that matplotlib shows as it is: a dollar sign starts no formula, no line breaks."""
    return ' '.join(str(text).split()).replace('$', r'\$')


def text_width(figure: Figure, text: str, size: float, weight: str = 'normal') -> float:
    """Width of a line of text in inches, as it would be drawn."""
    probe = Text(0, 0, text, fontsize=size, fontweight=weight, figure=figure)
    return probe.get_window_extent(figure.canvas.get_renderer()).width / figure.dpi


def shorten(figure: Figure, text: object, size: float, width: float,
            weight: str = 'normal') -> str:
    """Cut the middle out of a text that is wider than there is room.

    Names of videos and classes differ at either end more often than in the middle.

    Args:
        figure (Figure): Where the text will stand.
        text (object): The text, before :func:`plain`.
        size (float): Font size, points.
        width (float): Room, inches.
        weight (str): Font weight. Defaults to ``'normal'``.

    Returns:
        str: The text, ready to be drawn.
    """
    whole = ' '.join(str(text).split())
    keep = len(whole)
    shown = plain(whole)
    while keep > 2 and text_width(figure, shown, size, weight) > width:
        keep -= 1
        tail = keep // 3
        shown = plain(f'{whole[:keep - tail].rstrip()}…{whole[len(whole) - tail:].lstrip()}')
    return shown


def wrap(figure: Figure, text: object, size: float, width: float) -> str:
    """Break a text that is wider than there is room into two lines, cut where that is not enough.

    Args:
        figure (Figure): Where the text will stand.
        text (object): The text, before :func:`plain`.
        size (float): Font size, points.
        width (float): Room, inches.

    Returns:
        str: The text, ready to be drawn.
    """
    words = str(text).split()
    for cut in range(len(words), 0, -1):
        first = ' '.join(words[:cut])
        if text_width(figure, plain(first), size) <= width:
            rest = ' '.join(words[cut:])
            return plain(first) + (f'\n{shorten(figure, rest, size, width)}' if rest else '')
    return shorten(figure, text, size, width)


def clock(seconds: float, step: float, span: float) -> str:
    """A moment as a reader says it.

    Args:
        seconds (float): The moment.
        step (float): Distance between two labels, seconds; below 1 shows a decimal.
        span (float): Last moment of the axis: up to two minutes moments are plain seconds, up to
            two hours ``min:s``, beyond ``h:min`` (``h:min:s`` where ``step`` asks for it).
    """
    decimals = 1 if step < 1 else 0
    if span <= 120:
        return f'{seconds:.{decimals}f}'
    sign = '-' if seconds < 0 else ''
    whole, rest = divmod(abs(round(seconds, decimals)), 60)
    last = f'{rest:0{3 + decimals if decimals else 2}.{decimals}f}'
    if span <= 7200:
        return f'{sign}{int(whole)}:{last}'
    if step % 60 == 0:
        return f'{sign}{int(whole) // 60}:{int(whole) % 60:02d}'
    return f'{sign}{int(whole) // 60}:{int(whole) % 60:02d}:{last}'


def set_time_axis(axes, start: float, end: float, width: float, label: bool = True) -> None:
    """Give an axis of seconds limits, round ticks and labels that fit.

    Args:
        axes (Axes): Its x axis is changed.
        start (float): First moment shown, seconds.
        end (float): Last moment shown, seconds.
        width (float): Width of the axes in inches.
        label (bool): Whether to name the unit below the axis. Defaults to True.
    """
    room = max(2, int(width / 0.72))
    step = next((s for s in _STEPS if (end - start) / s <= room), None)
    if step is None:
        step = 3600 * math.ceil((end - start) / room / 3600)
    axes.set_xlim(start, end)
    axes.xaxis.set_major_locator(MultipleLocator(step))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: clock(x, step, end)))
    axes.tick_params(axis='x', labelsize=SMALL_SIZE, length=3, color=FAINT, labelcolor=INK)
    if label:
        unit = ('s' if end <= 120 else 'min:s' if end <= 7200 else
                'h:min:s' if step % 60 else 'h:min')
        axes.set_xlabel(f'time ({unit})', fontsize=SMALL_SIZE, color=FAINT)


def clean_axes(axes, left: bool = False) -> None:
    """Take the frame away but for the time axis (and, if asked, the left one)."""
    for side in ('top', 'right') + (() if left else ('left',)):
        axes.spines[side].set_visible(False)
    for spine in axes.spines.values():
        spine.set_color(FAINT)
        spine.set_linewidth(0.8)
