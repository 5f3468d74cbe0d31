import json

import pytest

from cltdr_mm.evaluation.benchmark import benchmark_table, epoch_seconds, mean_and_spread, read_run

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
    return tmp_path


def test_seconds_per_epoch(run_dir):
    assert epoch_seconds(run_dir) == pytest.approx(0.3 * 10)


def test_no_log(tmp_path):
    with pytest.raises(FileNotFoundError, match='scalars.json'):
        epoch_seconds(tmp_path)


def test_a_run(run_dir):
    with pytest.raises(FileNotFoundError, match='no config'):
        read_run(run_dir)
    (run_dir / 'config.py').write_text(CONFIG)  # as mmengine's Runner leaves it
    run = read_run(run_dir)
    assert run['average_mAP'] == 0.5 and run['average_mAP@0.5:0.95'] == 0.25
    # embedding 4 -> 16 of kernel 3 alone has 192 weights
    assert run['parameters'] > 192


def test_spread():
    assert mean_and_spread([0.5]) == '50.00'
    assert mean_and_spread([0.5, 0.52]) == '51.00 ± 1.41'


def test_table():
    run = dict(parameters=1_500_000, epoch_seconds=2., average_mAP=0.5)
    table = benchmark_table(dict(gmg=[run, dict(run, average_mAP=0.6)], sgp=[run, run]))
    row = next(line for line in table.splitlines() if 'gmg' in line)
    assert '1.50 M' in row and '55.00 ± 7.07' in row and '2.0' in row
