"""Draws what runs at a moment on the frame of a video."""
from collections.abc import Sequence

import numpy as np
from matplotlib.font_manager import findfont
from PIL import Image, ImageDraw, ImageFont

from .style import OKABE_ITO


class FrameLabels:
    """Draws labels with their scores at the lower left of frames.

    Args:
        classes (Sequence[str]): Class names; the colour of a label is that of its place.
    """

    def __init__(self, classes: Sequence[str]):
        self.colors = {name: OKABE_ITO[i % len(OKABE_ITO)] for i, name in enumerate(classes)}
        self._last: tuple = ()  # size and rows of the last frame, and what was drawn for them

    def draw(self, frame: np.ndarray, rows: Sequence[tuple]) -> np.ndarray:
        """Draw on one frame.

        Args:
            frame (np.ndarray): (H, W, 3) uint8, RGB.
            rows (Sequence[tuple[str, float]]): Labels and scores, the strongest first.

        Returns:
            np.ndarray: (H, W, 3) uint8, RGB: the frame itself where there are no rows.
        """
        if not rows:
            return frame
        key = (frame.shape, tuple(rows))
        if not self._last or self._last[0] != key:
            self._last = (key, self._panel(frame.shape[0], frame.shape[1], rows))
        panel = self._last[1].astype(np.float32)  # (h, w, 4), RGB and opacity
        height, width = panel.shape[:2]
        drawn = frame.copy()
        below = drawn[-height:, :width]
        opacity = panel[..., 3:] / 255
        below[:] = (opacity * panel[..., :3] + (1 - opacity) * below + 0.5).astype(np.uint8)
        return drawn

    def _panel(self, height: int, width: int, rows: Sequence[tuple]) -> np.ndarray:
        """(h, w, 4) uint8, a line for each label: its colour, its name, its score as a bar."""
        size = max(8, round(height / 22))
        font = ImageFont.truetype(findfont('DejaVu Sans'), size)
        line, pad = round(1.6 * size), max(2, size // 3)
        # no more lines than the lower half of the frame has room for
        rows = list(rows)[:max(1, (height // 2) // line)]
        texts = [f'{" ".join(label.split())}  {score:.2f}' for label, score in rows]
        wide = min(width, round(max(font.getlength(text) for text in texts)) + size + 4 * pad)
        image = Image.new('RGBA', (wide, min(height, line * len(rows) + pad)), (0, 0, 0, 0))
        pen = ImageDraw.Draw(image)
        for i, (text, (label, score)) in enumerate(zip(texts, rows)):
            top = i * line
            pen.rectangle((0, top, wide, top + line - pad // 2), fill=(20, 20, 20, 190))
            color = self.colors.get(label, OKABE_ITO[0])
            pen.rectangle((pad, top + pad, pad + size, top + pad + size), fill=color,
                          outline='white')
            pen.text((2 * pad + size, top + pad - 1), text, font=font, fill='white')
            share = min(max(score, 0.), 1.)
            pen.rectangle((0, top + line - pad, round(share * wide), top + line - pad // 2),
                          fill=color)
        return np.asarray(image)
