"""The picture of the whole library is the one its script draws, and names what there is."""
import ast
import runpy
import subprocess
import sys
import xml.etree.ElementTree as ET

from mmaction.registry import METRICS, MODELS, TASK_UTILS
from pages import ROOT

from cltdr_mm.postprocessing import ExternalScores  # noqa: F401  (registers its room)

IMAGES = ROOT / 'docs/images'


def test_picture_is_that_of_the_script(tmp_path):
    path = tmp_path / 'drawn.svg'
    script = IMAGES / 'draw_architecture.py'
    subprocess.run([sys.executable, script, '--out', path], check=True)
    assert path.read_bytes() == (IMAGES / 'architecture.svg').read_bytes(), f'run {script}'


def test_it_has_its_own_paper_and_readable_words():
    root = ET.parse(IMAGES / 'architecture.svg').getroot()
    first = next(element for element in root if element.tag.endswith('rect'))
    assert [first.get(name) for name in ('width', 'height')] == [
        root.get(name) for name in ('width', 'height')]
    assert min(float(element.get('font-size')) for element in root
               if element.tag.endswith('text')) >= 15


def test_what_it_names_is_there(monkeypatch):
    monkeypatch.syspath_prepend(str(IMAGES))
    script = runpy.run_path(str(IMAGES / 'draw_architecture.py'))
    known = {*MODELS.module_dict, *TASK_UTILS.module_dict, *METRICS.module_dict}
    assert {name for *_, choices in script['PARTS'] for name in choices} <= known
    order = next(ast.literal_eval(node.value) for node in ast.parse(
        (ROOT / 'cltdr_mm/cli/__init__.py').read_text('utf-8')).body
        if isinstance(node, ast.Assign) and node.targets[0].id == 'ORDER')
    assert {verb for _, verb, _ in script['RESULTS']} <= set(order)
