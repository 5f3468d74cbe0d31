"""The drawn picture is the one its script draws, and its rows are those of the real tables."""
import runpy
import subprocess
import sys
import xml.etree.ElementTree as ET

import cv2
import torch
from pages import ROOT

from cltdr_mm.structures import GAP, PackedRows, pack, stack_rows

IMAGES = ROOT / 'docs' / 'images'


def test_picture_is_that_of_the_script(tmp_path):
    path = tmp_path / 'way.svg'
    subprocess.run([sys.executable, IMAGES / 'draw_data_way.py', '--out', path], check=True)
    assert path.read_bytes() == (IMAGES / 'data_way.svg').read_bytes(), (
        'run docs/images/draw_data_way.py')


def test_shapes_are_those_of_the_script(tmp_path):
    path = tmp_path / 'shapes.png'
    subprocess.run([sys.executable, IMAGES / 'draw_shapes.py', '--out', path], check=True)
    drawn, kept = (cv2.imread(str(file)).astype(int) for file in (path, IMAGES / 'shapes.png'))
    assert abs(drawn - kept).mean() < 1, 'run docs/images/draw_shapes.py'


def test_picture_needs_no_other_background():
    """Readers in a dark mode see it on its own paper, which covers all of it."""
    root = ET.parse(IMAGES / 'data_way.svg').getroot()
    first = next(element for element in root if element.tag.endswith('rect'))
    assert {name: first.get(name) for name in ('x', 'y', 'width', 'height')} == dict(
        x='0', y='0', width=root.get('width'), height=root.get('height'))
    assert first.get('fill') == '#ffffff'
    sizes = {float(element.get('font-size')) for element in root if element.tag.endswith('text')}
    assert min(sizes) >= 15


def test_rows_are_those_of_the_tables(monkeypatch):
    monkeypatch.syspath_prepend(str(IMAGES))
    script = runpy.run_path(str(IMAGES / 'draw_data_way.py'))
    assert script['GAP'] == GAP
    packed = pack([torch.zeros(steps, 1) for steps in script['STEPS']])
    levels = [packed.layout]
    while len(levels) < script['LEVELS']:
        levels.append(levels[-1].half)
    for number, layout in enumerate(levels):
        drawn = script['layout'](script['lengths_of'](number))
        assert [kind == 'row' for kind, *_ in drawn] == layout.valid.tolist()
    stacked = stack_rows([PackedRows(torch.zeros(layout.num_rows, 1), layout)
                          for layout in levels]).layout
    drawn = script['stacked']()
    assert [kind == 'row' for kind, *_ in drawn] == stacked.valid.tolist()
    rows = stacked.valid_rows
    assert [row[1:] for row in drawn if row[0] == 'row'] == list(zip(
        stacked.level[rows].tolist(), stacked.video[rows].tolist(), stacked.step[rows].tolist()))
