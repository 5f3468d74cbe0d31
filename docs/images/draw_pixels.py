"""Draw frames of a generated video over its actions and what a model found: pixels.png.

After the commands of docs/methods/pixels.md::

    python docs/images/draw_pixels.py configs/pixels/resnet_full_pretrained.py \
        work_dirs/pixels/resnet_full_pretrained/*/epoch_30.pth data/pixels validation_000
"""
import argparse
import json
from pathlib import Path

import av
import numpy as np
from matplotlib.figure import Figure

from cltdr_mm.apis import TALInferencer
from cltdr_mm.visualization import save_figure
from cltdr_mm.visualization.style import OKABE_ITO

FRAMES, LEAST = 16, 0.3  # pictures; score


def draw(frames: np.ndarray, entry: dict, found: list[dict]) -> Figure:
    """Draw one video.

    Args:
        frames (np.ndarray): (F, H, W, 3) uint8, of all of it.
        entry (dict): Its entry in the annotation file.
        found (list[dict]): Detections, each with ``segment`` (s), ``label`` and ``score``.

    Returns:
        Figure: The picture.
    """
    kinds = sorted({one['label'] for one in (*entry['annotations'], *found)})
    height = 0.75 + 0.42 * len(kinds) + 0.75
    figure = Figure(figsize=(10, height), dpi=110, facecolor='white')
    left, width = 0.08, 0.905
    for number in range(FRAMES):
        middle = (number + 0.5) / FRAMES
        axes = figure.add_axes([left + width * number / FRAMES, 1 - 0.72 / height,
                                width / FRAMES * 0.96, 0.66 / height])
        axes.imshow(frames[int(middle * len(frames))])
        axes.axis('off')
    axes = figure.add_axes([left, 0.5 / height, width, 1 - 1.25 / height])
    for row, kind in enumerate(kinds):
        for one in entry['annotations']:
            if one['label'] == kind:
                start, end = one['segment']
                axes.barh(row - 0.18, end - start, 0.3, start, color='#444444')
        for one in sorted(found, key=lambda one: one['score']):
            if one['label'] == kind:
                start, end = one['segment']
                axes.barh(row + 0.18, end - start, 0.3, start, color=OKABE_ITO[0],
                          alpha=one['score'], edgecolor='white', linewidth=0.8)
                axes.text(end + 0.1, row + 0.18, f'{one["score"]:.2f}', va='center', fontsize=7)
    axes.set(xlim=(0, entry['duration']), ylim=(len(kinds) - 0.5, -0.5), yticks=range(len(kinds)),
             yticklabels=kinds, xlabel='seconds (grey: what happens; coloured: what was found)')
    axes.spines[['top', 'right']].set_visible(False)
    return figure


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__)
    for word in ('config', 'checkpoint', 'data', 'video'):
        parser.add_argument(word)
    parser.add_argument('--out', type=Path, default=Path(__file__).with_name('pixels.png'))
    args = parser.parse_args()
    known = json.loads(Path(args.data, 'annotations.json').read_text())['database'][args.video]
    film = Path(args.data, 'videos', f'{args.video}.mp4')
    found, = TALInferencer(args.config, args.checkpoint)(str(film))['predictions']
    with av.open(str(film)) as container:
        pictures = [frame.to_ndarray(format='rgb24') for frame in container.decode(video=0)]
    save_figure(draw(np.array(pictures), known, [
        one for one in found['detections'] if one['score'] >= LEAST]), args.out)
