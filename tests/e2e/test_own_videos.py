"""From twelve videos and a table of labels to a localizer and its report: the tutorial, run.

The notebook is run once, cell by cell; the tests look at what it left.
"""
import importlib
import json
import os
import re
import shlex
from pathlib import Path

import pytest
from notebook_runs import NotebookRun, code_cells

from cltdr_mm.cli import evaluate
from cltdr_mm.datasets.annotations import load_annotations

pytest.importorskip('av', reason='PyAV is not installed: pip install "cltdr-mm[video]"')
pytest.importorskip('plotly', reason='plotly is not installed: pip install "cltdr-mm[report]"')
ANNOTATIONS = 'data/mine/annotations.json'


@pytest.fixture(scope='module')
def notebook(project_root) -> Path:
    return project_root / 'docs' / 'tutorial.ipynb'


@pytest.fixture(scope='module')
def walk(notebook, tmp_path_factory) -> NotebookRun:
    """The tutorial from its first cell to its last, in an empty folder."""
    walk = NotebookRun(tmp_path_factory.mktemp('own'))
    before = os.getcwd()
    os.chdir(walk.folder)
    try:
        for cell in code_cells(notebook):
            walk(cell['source'])
    finally:
        os.chdir(before)
        if 'plt' in walk.names:
            walk.names['plt'].close('all')
    return walk


def results_of(walk: NotebookRun, path: str) -> dict:
    return json.loads((walk.folder / path).read_text())['results']


def average_map(walk: NotebookRun, results: dict, name: str) -> float:
    """mAP over tIoU .3:.1:.7 on the test subset."""
    file, metrics = walk.folder / f'{name}.json', walk.folder / f'{name}_metrics.json'
    file.write_text(json.dumps(dict(results=results)))
    evaluate.main([str(file), str(walk.folder / ANNOTATIONS), '--protocol', 'custom', '--subset',
                   'test', '--out', str(metrics)])
    return json.loads(metrics.read_text())['average_mAP']


def test_the_localizer_is_far_above_chance(walk):
    """Chance: as many detections as long and as certain, but those of another video; or where the
    actions are, but with the class that comes next."""
    results = results_of(walk, 'work_dirs/mine/detections.json')
    found = average_map(walk, results, 'found')
    assert f'{100 * found:.2f}' in walk.printed['test']
    names = sorted(results)
    assert len(names) == 4
    classes = sorted({item['label'] for items in results.values() for item in items})
    assert classes == ['blink', 'bounce', 'cross', 'pulse', 'rotate', 'shake']
    following = dict(zip(classes, classes[1:] + classes[:1]))
    elsewhere = average_map(
        walk, dict(zip(names, [results[name] for name in names[1:] + names[:1]])), 'elsewhere')
    otherwise = average_map(
        walk, {name: [dict(item, label=following[item['label']]) for item in items]
               for name, items in results.items()}, 'otherwise')
    assert found > 0.5 and max(elsewhere, otherwise) < 0.2


def test_a_raw_video_gives_what_its_features_gave(walk):
    """Features made while inferring, by what the checkpoint says, are those of the training."""
    video = walk.names['video']
    found = results_of(walk, 'found/results.json')[video]
    judged = results_of(walk, 'work_dirs/mine/detections.json')[video]
    least = min(item['score'] for item in found)
    judged = [item for item in judged if item['score'] >= least]
    assert 0 < len(found) == len(judged)
    for mine, other in zip(found, judged):
        assert mine['label'] == other['label']
        assert mine['segment'] == pytest.approx(other['segment'], abs=0.01)
        assert mine['score'] == pytest.approx(other['score'], abs=1e-3)
    rows = (walk.folder / 'found/results.csv').read_text().splitlines()
    assert rows[0].startswith('video,start,end,label,score') and len(rows) == 1 + len(found)


@pytest.mark.parametrize('verb', ['train', 'test'])
def test_what_comes_next_are_commands(walk, verb, monkeypatch):
    """Each verb takes the options that another one recommends."""
    lines = re.findall(r'^  cltdr (.*)$', walk.printed[verb].partition('next:')[2], re.MULTILINE)
    assert lines
    video = f'videos/{walk.names["video"]}.mp4'
    monkeypatch.chdir(walk.folder)
    for line in lines:
        name, *words = shlex.split(line.replace('INPUT', video))
        if name == 'draw':
            name = f'{name}.{words.pop(0)}'
        importlib.import_module(f'cltdr_mm.cli.{name}').parse_args(words)


def test_the_report_is_clicked_through(walk, driver):
    """A detection is played; a label is made of it, its end corrected, and all is saved."""
    from browser_pages import Page  # needs selenium, which there is if there is a driver
    driver.get_log('browser')
    page = Page(driver, walk.folder / 'found/report.html', driver.downloads)
    found = results_of(walk, 'found/results.json')[walk.names['video']]
    page.slide(0)
    assert page.text('shown-count').startswith(f'{len(found)} of {len(found)} detections')
    page.wait(lambda: page.run('return state.hasVideo'))
    page.click_row(0)
    strongest = max(found, key=lambda item: item['score'])
    assert page.rows()[0][1] == strongest['label']
    page.wait(lambda: page.run('return player.currentTime') > strongest['segment'][0] + 0.2)
    page.get('accept-all').click()
    page.get('tab-labels').click()
    page.click_row(0)
    page.write('end', f'{float(page.get("start").get_attribute("value")) + 1.25:.2f}')
    videos, problems, classes = load_annotations(str(page.saved()))
    assert not problems and [video.video_name for video in videos] == [walk.names['video']]
    assert len(videos[0].segments) == len(found)
    assert (videos[0].segments[:, 1] - videos[0].segments[:, 0]).min() <= 1.26
    assert set(classes) >= {item['label'] for item in found}
    assert driver.get_log('browser') == [], 'errors in the page'


def test_what_the_notebook_shows_is_from_a_run(notebook):
    """From first to last, without an error, and nothing is missing that should be seen."""
    cells = code_cells(notebook)
    assert [cell['execution_count'] for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell['outputs']]
    assert 'error' not in {output['output_type'] for output in outputs}
    assert sum('image/png' in output.get('data', {}) for output in outputs) >= 2
    for cell in cells:
        if cell['source'].startswith('!'):
            text = ''.join(line for output in cell['outputs'] for line in output['text'])
            assert text and 'error' not in text and '\x1b' not in text, cell['source']
    assert notebook.stat().st_size < 500_000
