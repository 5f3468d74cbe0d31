"""What the drawn pictures of these pages share: colours, SVG elements, and the command line.

Needs nothing but Python.
"""
import argparse
from collections.abc import Callable
from html import escape
from pathlib import Path

WIDTH = 1200
INK, FAINT, PAPER, BAND, LINE = '#1f2430', '#5b6270', '#ffffff', '#f3f5f9', '#c9cfda'
VIDEOS = ('#3b73b9', '#d9822b')


class Drawing:
    """Collects SVG elements."""

    def __init__(self, height, label):
        self.height, self.label = height, label
        self.parts = []
        self.rect(0, 0, WIDTH, height, PAPER)

    def rect(self, x, y, width, height, fill, stroke='none', radius=0, opacity=1):
        """A box."""
        self.parts.append(
            f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="{radius}" fill="{fill}" '
            f'stroke="{stroke}" fill-opacity="{opacity}"/>')

    def text(self, x, y, words, size=16, color=INK, anchor='start', bold=False, code=False):
        """One line of words."""
        font = 'monospace' if code else 'Helvetica, Arial, sans-serif'
        weight = ' font-weight="bold"' if bold else ''
        self.parts.append(
            f'<text x="{x}" y="{y}" font-family="{font}" font-size="{size}" fill="{color}" '
            f'text-anchor="{anchor}"{weight}>{escape(words)}</text>')

    def lines(self, x, y, lines, size=16, step=20, **kwargs):
        """Lines of words, `step` pixels apart."""
        for index, words in enumerate(lines):
            self.text(x, y + step * index, words, size, **kwargs)

    def line(self, x1, y1, x2, y2, color=INK, width=2, head=True):
        """A line, with an arrow's head at its end."""
        marker = ' marker-end="url(#head)"' if head else ''
        self.parts.append(f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{color}" '
                          f'stroke-width="{width}"{marker}/>')

    def arrow(self, x1, y1, x2, y2, words=()):
        """An arrow, with words above its middle."""
        self.line(x1, y1, x2, y2)
        for index, part in enumerate(reversed(words)):
            self.text((x1 + x2) / 2, y1 - 10 - 18 * index, part, 15, FAINT, 'middle')

    def path(self, d):
        """A curve with an arrow's head."""
        self.parts.append(f'<path d="{d}" fill="none" stroke="{INK}" stroke-width="1.5" '
                          'marker-end="url(#head)"/>')

    def band(self, y, height, room, what):
        """Background of a part of the way, with the room's name."""
        self.rect(20, y, WIDTH - 40, height, BAND, LINE, 8)
        self.text(38, y + 28, room, 18, bold=True, code=True)
        self.text(38 + 11.5 * len(room) + 14, y + 28, what, 15, FAINT)

    def svg(self):
        """The file's text."""
        head = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} '
                f'{self.height}" width="{WIDTH}" height="{self.height}" role="img" '
                f'aria-label="{self.label}">')
        marker = ('<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
                  f'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="{INK}"/></marker>'
                  '</defs>')
        return '\n'.join([head, marker, *self.parts, '</svg>', ''])


def write_picture(doc: str, picture: Callable[[], str], path: Path) -> None:
    """Write the picture beside its script, or where the command line says.

    Args:
        doc (str): Docstring of the script.
        picture (Callable[[], str]): Draws it.
        path (Path): The file, by default.
    """
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument('--out', type=Path, default=path,
                        help='file to write; by default the one beside this script')
    parser.parse_args().out.write_text(picture(), encoding='utf-8')
