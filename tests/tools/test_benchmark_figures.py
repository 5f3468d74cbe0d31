import json
import subprocess
import sys
from pathlib import Path

import benchmark_figures
import pytest
from benchmark_figures import (
    add_run,
    epoch_seconds,
    find_run,
    read_run,
    read_runs,
    settings_digest,
)
from mmengine.config import Config

from cltdr_mm.datasets import TALDataError
from cltdr_mm.version import __version__

CONFIG = '''
custom_imports = dict(imports=['cltdr_mm'])
model = dict(
    type='SingleStageLocalizer',
    backbone=dict(type='ConvPyramid', in_channels=4, embed_dims=16, arch=(1, 0, 1)),
    head=dict(type='ActionFormerHead', num_classes=2, in_channels=16,
              regression_ranges=[(0, 4), (4, 10000)]))
'''


@pytest.fixture
def run_dir(tmp_path):
    (tmp_path / 'metrics.json').write_text(json.dumps(dict(
        average_mAP=0.5, mAP={'0.5': 0.5}, extra={
            '0.5:0.95': dict(mAP={'0.5': 0.5, '0.95': 0.1}, average_mAP=0.25)})))
    log = tmp_path / '20300101_000000' / 'vis_data' / 'scalars.json'
    log.parent.mkdir(parents=True)
    lines = [dict(loss=1., time=0.2, epoch=1, iter=10), dict(loss=1., time=0.4, epoch=2, iter=20),
             dict(average_mAP=0.5, step=2)]
    log.write_text('\n'.join(map(json.dumps, lines)))
    log.with_name('config.py').write_text(CONFIG)  # as mmengine's Runner leaves it
    return tmp_path


def test_seconds_per_epoch(run_dir):
    assert epoch_seconds(run_dir) == pytest.approx(0.3 * 10)


def test_no_log(tmp_path):
    with pytest.raises(FileNotFoundError, match='scalars.json'):
        epoch_seconds(tmp_path)


def test_a_run(run_dir):
    run = read_run(run_dir)
    assert run['average_mAP'] == 0.5 and run['average_mAP@0.5:0.95'] == 0.25
    assert run['mAP'] == {'0.5': 0.5, '0.95': 0.1} and run['version'] == __version__
    # embedding 4 -> 16 of kernel 3 alone has 192 weights
    assert run['parameters'] > 192


def test_parameters_are_those_of_the_training(run_dir):
    expected = read_run(run_dir)['parameters']
    # what an earlier training of another config left, and what the test left
    wider = CONFIG.replace('16', '32')
    (run_dir / 'another.py').write_text(wider)
    for name, line in (('20291231_000000', dict(loss=1., time=9., epoch=1, iter=1)),
                       ('20300101_000001', dict(average_mAP=0.5, step=2))):
        other = run_dir / name / 'vis_data'
        other.mkdir(parents=True)
        (other / 'scalars.json').write_text(json.dumps(line))
        (other / 'config.py').write_text(wider)
    run = read_run(run_dir)
    assert run['parameters'] == expected and run['epoch_seconds'] == pytest.approx(3.)


def made(config='a', seed=0, fold=None, settings='s', value=0.5):
    return dict(config=config, settings=settings, fold=fold, seed=seed, average_mAP=value)


def test_runs_are_added_and_found(tmp_path):
    path = tmp_path / 'new' / 'runs.json'
    assert read_runs(path) == []
    asked = [made('b', 1), made('a', 0, 2), made('a', 0), made('b', 0), made('a', 3)]
    for run in asked:
        add_run(path, run)
    runs = read_runs(path)
    assert [(run['config'], run['fold'], run['seed']) for run in runs] == [
        ('a', None, 0), ('a', None, 3), ('a', 2, 0), ('b', None, 0), ('b', None, 1)]
    assert len(path.read_text().splitlines()) == len(runs) + 2
    assert find_run(runs, 'a', 's', 2, 0) == asked[1]
    for other in (('a', 'z', 2, 0), ('a', 's', 1, 0), ('a', 's', 2, 1), ('c', 's', 2, 0)):
        assert find_run(runs, *other) is None
    # the same run again; then one of other settings, beside which the old ones make no mean
    add_run(path, made('b', 1, value=0.75))
    assert [run['average_mAP'] for run in read_runs(path)[-2:]] == [0.5, 0.75]
    add_run(path, made('a', 7, settings='t'))
    assert [(run['config'], run['seed']) for run in read_runs(path)] == [
        ('a', 7), ('b', 0), ('b', 1)]


def test_several_processes_add_to_one_file(tmp_path):
    path = tmp_path / 'runs.json'
    code = ('import sys; sys.path.insert(0, sys.argv[1]); from benchmark_figures import add_run\n'
            'for seed in range(10):\n'
            '    add_run(sys.argv[2], dict(config=sys.argv[3], settings="s", fold=None, '
            'seed=seed, average_mAP=0.5))')
    tools = str(Path(benchmark_figures.__file__).parent)
    processes = [subprocess.Popen([sys.executable, '-c', code, tools, str(path), name])
                 for name in 'ab']
    assert [process.wait() for process in processes] == [0, 0]
    assert [(run['config'], run['seed']) for run in read_runs(path)] == [
        (name, seed) for name in 'ab' for seed in range(10)]


@pytest.mark.parametrize('text, message', [
    ('{"runs": [', 'file: is not valid JSON'), ('[]', 'must hold a JSON object'),
    ('{"a": []}', 'runs: must be a list of runs'),
    ('{"runs": [{"config": "a"}]}', 'runs: must be a list of runs')])
def test_a_file_of_something_else_is_kept(tmp_path, text, message):
    path = tmp_path / 'runs.json'
    path.write_text(text)
    with pytest.raises(TALDataError, match=message):
        add_run(path, made())
    assert path.read_text() == text


def test_settings_have_one_name_whatever_seed_and_place():
    def digest(**kwargs):
        return settings_digest(Config(dict(dict(
            work_dir='a', launcher='none', lr=1e-3, model=dict(type='A', work_dir='x'),
            randomness=dict(seed=0), pipeline=[dict(type='Crop', max_len=8)]), **kwargs)))

    same = [digest(), digest(work_dir='b', launcher='slurm'), digest(randomness=dict(seed=4))]
    assert len(set(same)) == 1 and len(same[0]) == 12
    others = [digest(lr=1e-4), digest(model=dict(type='A', work_dir='y')), digest(extra=None),
              digest(pipeline=[dict(type='Crop', max_len=16)]),
              digest(randomness=dict(seed=0, deterministic=True))]
    assert len({*same, *others}) == 6
