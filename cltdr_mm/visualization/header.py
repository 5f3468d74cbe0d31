"""The head of a timeline: its title, and the legend."""
from typing import Optional

from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from . import style

HEADER, MARGIN = 0.66, 0.12  # inches


def draw_header(figure: Figure, title: str, counts: str, has_truth: bool,
                scale: Optional[Normalize]) -> None:
    """Write the title and a line below it on the left, what the colours mean on the right.

    Args:
        figure (Figure): Its uppermost ``HEADER`` inches are written on.
        title (str): Cut in the middle where the legend leaves no room for it.
        counts (str): The line below.
        has_truth (bool): Whether to explain the colour of ground truth.
        scale (Normalize, optional): Scale of the scores; None where there are no detections.
    """
    width, height = figure.get_size_inches()
    line = height - 0.25
    x = width - 0.25
    if scale is not None:
        bar = figure.add_axes([(x - 1.35) / width, (line - 0.05) / height, 1.35 / width,
                               0.11 / height], label='scores')
        figure.colorbar(ScalarMappable(scale, style.SCORE_CMAP), cax=bar, orientation='horizontal',
                        ticks=[0, scale.vmax / 2, scale.vmax])
        bar.set_xticklabels(['0', f'{scale.vmax / 2:g}', f'{scale.vmax:g}'])
        bar.tick_params(labelsize=style.SMALL_SIZE - 1, length=0, pad=2, labelcolor=style.FAINT)
        bar.spines[:].set_visible(False)
        x -= 1.35 + 0.1
        x = _note(figure, x, line, 'detection score') - 0.25
    if has_truth:
        x = _note(figure, x, line, 'ground truth') - 0.08
        swatch = figure.add_axes([(x - 0.28) / width, (line - 0.05) / height, 0.28 / width,
                                  0.11 / height], label='truth', facecolor=style.GROUND_TRUTH)
        swatch.set_xticks([])
        swatch.set_yticks([])
        swatch.spines[:].set_visible(False)
        x -= 0.28 + 0.25
    figure.text(MARGIN / width, line / height,
                style.shorten(figure, title, style.TITLE_SIZE, x - MARGIN, 'bold'),
                fontsize=style.TITLE_SIZE, fontweight='bold', color=style.INK, va='center')
    figure.text(MARGIN / width, (line - 0.24) / height, counts, fontsize=style.SMALL_SIZE,
                color=style.FAINT, va='center')


def _note(figure, right: float, line: float, text: str) -> float:
    """Write a word of the legend that ends at ``right`` inches; returns where it begins."""
    width, height = figure.get_size_inches()
    figure.text(right / width, line / height, text, fontsize=style.SMALL_SIZE, color=style.INK,
                ha='right', va='center')
    return right - style.text_width(figure, text, style.SMALL_SIZE)
