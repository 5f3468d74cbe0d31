import json

import pytest
from benchmark_figures import (
    benchmark_table,
    config_differences,
    epoch_seconds,
    mean_and_spread,
    read_run,
)

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
        average_mAP=0.5, extra={'0.5:0.95': dict(mAP={}, average_mAP=0.25)})))
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


def test_differences_between_configs():
    def make(**kwargs):
        return dict(dict(work_dir='a', launcher='none', lr=1e-3, model=dict(type='A', work_dir='x'),
                         pipeline=[dict(type='Load'), dict(type='Crop', max_len=8)]), **kwargs)

    assert config_differences(make(), make(work_dir='b', launcher='slurm')) == []
    assert config_differences(make(), make(
        lr=1e-4, pipeline=[dict(type='Load'), dict(type='Crop', max_len=16)])) == [
            'lr: 0.001 there, 0.0001 asked for', 'pipeline.1.max_len: 8 there, 16 asked for']
    assert config_differences(make(), make(model=dict(work_dir='y'))) == [
        'model.type: A there, (nothing) asked for', 'model.work_dir: x there, y asked for']
    assert config_differences(dict(x=[1]), dict(x=[1, 2])) == ['x: [1] there, [1, 2] asked for']
    assert config_differences(dict(), dict(x=0)) == ['x: (nothing) there, 0 asked for']


def test_spread():
    assert mean_and_spread([0.5]) == '50.00'
    assert mean_and_spread([0.5, 0.52]) == '51.00 ± 1.41'


def test_table():
    run = dict(parameters=1_500_000, epoch_seconds=2., average_mAP=0.5)
    table = benchmark_table(dict(gmg=[run, dict(run, average_mAP=0.6)], sgp=[run, run]))
    row = next(line for line in table.splitlines() if 'gmg' in line)
    assert '1.50 M' in row and '55.00 ± 7.07' in row and '2.0' in row


def test_table_of_runs_that_failed():
    run = dict(parameters=1_500_000, epoch_seconds=2., average_mAP=0.5)
    table = benchmark_table(dict(gmg=[None, run], sgp=[None, None],
                                 logo=[dict(run, **{'average_mAP@x': .25})] * 2))
    rows = [[cell.strip() for cell in line.split('|')[1:-1]] for line in table.splitlines()]
    assert ['gmg', '1.50 M', '50.00 (1 of 2 runs)', '-', '2.0 (1 of 2 runs)'] in rows
    assert ['sgp', 'failed', 'failed', 'failed', 'failed'] in rows
    assert 'failed' in benchmark_table(dict(gmg=[None]))
