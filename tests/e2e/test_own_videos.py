"""From a folder of videos and a table of labels to a localizer and its report, as a user goes."""
import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

pytest.importorskip('av', reason='PyAV is not installed: pip install av')

ANNOTATIONS = 'data/mine/annotations.json'


@dataclass
class Walk:
    """What the commands left.

    Attributes:
        folder (Path): Where they ran, empty before.
        printed (dict[str, str]): What each verb printed.
    """

    folder: Path
    printed: dict

    def run(self, *words) -> str:
        """Run ``cltdr``; returns what it printed, which is kept by the verb."""
        env = dict(os.environ, OMP_NUM_THREADS='1')
        done = subprocess.run([sys.executable, '-m', 'cltdr_mm', *map(str, words)], env=env,
                              cwd=self.folder, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=1200)
        assert done.returncode == 0, done.stdout[-8000:]
        self.printed[words[0]] = done.stdout
        return done.stdout

    def json(self, path: str) -> dict:
        return json.loads((self.folder / path).read_text())


@pytest.fixture(scope='module')
def walk(tmp_path_factory) -> Walk:
    """Twelve videos of shapes, and the five commands."""
    walk = Walk(tmp_path_factory.mktemp('own'), {})
    walk.run('convert', 'shapes', '--out', '.')
    walk.run('features', 'videos', '--recognizer', 'motion', '--out', 'data/mine')
    walk.run('labels', 'labels.csv', '--videos', 'videos', '--split', 0.6, 0.15, 0.25,
             '--out', ANNOTATIONS)
    # half of the epochs that it would choose
    walk.run('init', ANNOTATIONS, '--epochs', 50, '--out', 'mine.py')
    walk.run('train', 'mine.py', '--seed', 0, '--cfg-options', 'train_dataloader.num_workers=0',
             'val_dataloader.num_workers=0')
    best = re.search(r'(\S+\.pth)  \(the best checkpoint', walk.printed['train'])[1]
    tests = [name for name, entry in walk.json(ANNOTATIONS)['database'].items()
             if entry['subset'] == 'test']
    walk.run('infer', 'mine.py', best, *(f'videos/{name}.mp4' for name in tests), '--min-score',
             'auto', '--formats', 'csv', 'html', '--annotations', ANNOTATIONS, '--out-dir', 'out')
    walk.run('test', 'mine.py', best, '--out', 'judged')
    return walk


def average_map(walk: Walk, results: dict, name: str) -> float:
    """mAP over tIoU .3:.1:.7 of results on the test subset, by ``cltdr evaluate``."""
    (walk.folder / f'{name}.json').write_text(json.dumps(dict(results=results)))
    walk.run('evaluate', f'{name}.json', ANNOTATIONS, '--protocol', 'custom', '--subset', 'test',
             '--out', f'{name}_metrics.json')
    return walk.json(f'{name}_metrics.json')['average_mAP']


def by_chance(results: dict) -> dict[str, Callable]:
    """Two ways to know nothing but what this data set is like: how many actions there are, and
    how long they last; and where they are, but not what they are."""
    names = sorted(results)
    classes = sorted({item['label'] for items in results.values() for item in items})
    others = dict(zip(classes, classes[1:] + classes[:1]))
    return dict(
        elsewhere={name: results[other] for name, other in zip(names, names[1:] + names[:1])},
        otherwise={name: [dict(item, label=others[item['label']]) for item in items]
                   for name, items in results.items()})


def test_it_finds_what_the_shapes_do(walk):
    found = average_map(walk, walk.json('judged/detections.json')['results'], 'found')
    assert found > 0.5
    for name, results in by_chance(walk.json('judged/detections.json')['results']).items():
        assert average_map(walk, results, name) < 0.2 < found / 2
