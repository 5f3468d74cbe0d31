"""Draw four moments of each action of generated videos: docs/images/shapes.png."""
import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from cltdr_mm.datasets.converters.shape_motions import ACTIONS
from cltdr_mm.datasets.converters.shape_world import ShapeSpec, ShapeVideo
from cltdr_mm.visualization import save_figure

COLUMNS = 4
FIRST, STEP = 0.2, 0.1  # seconds after the start, from one moment to the next


def moments(kind: str) -> list[np.ndarray]:
    """Four frames (120, 160, 3) of the first action of a kind."""
    for index in range(12):
        film = ShapeVideo(ShapeSpec(noise=0), index)
        found = [event for event in film.actions if event.kind == kind]
        if found:
            # a slow motion is looked at over all of its time, a quick one frame by frame
            step = max(STEP, (found[0].end - found[0].start) / found[0].repeats / COLUMNS)
            times = found[0].start + FIRST * step + step * np.arange(COLUMNS)
            wanted = np.round(times * film.spec.fps).astype(int).tolist()
            return [frame for number, frame in enumerate(film.frames()) if number in wanted]
    raise ValueError(f'no {kind} in twelve videos')


def draw() -> Figure:
    """Draw the picture, two actions side by side."""
    figure = Figure(figsize=(10, 3.2), dpi=110, facecolor='white')
    for number, kind in enumerate(ACTIONS):
        row, column = divmod(number, 2)
        for step, frame in enumerate(moments(kind)):
            left = 0.065 + 0.5 * column + 0.107 * step
            axes = figure.add_axes([left, 0.675 - 0.33 * row, 0.104, 0.315])
            axes.imshow(frame)
            axes.axis('off')
        figure.text(0.06 + 0.5 * column, 0.83 - 0.33 * row, kind, ha='right', va='center',
                    fontsize=10.5)
    return figure


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out', type=Path, default=Path(__file__).with_name('shapes.png'))
    save_figure(draw(), parser.parse_args().out)
