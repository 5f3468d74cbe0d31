"""THUMOS14 in small: its real annotation file, generated features, the real config, two ranks."""
import json

import pytest
from tool_runs import logged, small

CONFIG = 'configs/cltdr_thumos.py'


@pytest.fixture(scope='module')
def thumos(tools, shared_data, tmp_path_factory):
    """A few videos of each subset, features of the right lengths and channels."""
    out = tmp_path_factory.mktemp('thumos')
    tools('dataset_converters/make_synthetic.py', '--annotations',
          shared_data / 'data/annotations/thumos14.json', '--dataset', 'THUMOS14Dataset',
          '--max-videos', 5, '--channels', 2048, '--stride', 4, '--window', 16, '--out', out)
    return out


def test_two_ranks_train_and_give_the_metric_of_one(tools, thumos, tmp_path):
    options = {f'{part}_dataloader__dataset__data_prefix__feats': 'features'
               for part in ('train', 'val', 'test')}
    options = small(thumos, train_cfg__max_epochs=1, param_scheduler__warmup=0, **options)
    tools('dist_train.sh', CONFIG, 2, '--work-dir', tmp_path / 'two', *options)
    trained = logged(tmp_path / 'two')[-1]
    assert 'average_mAP' in trained
    tools('test.py', CONFIG, tmp_path / 'two', '--work-dir', tmp_path / 'one', '--out',
          tmp_path / 'one', *options)
    metrics = json.loads((tmp_path / 'one/metrics.json').read_text())
    assert metrics['fingerprint']['videos'] == 5
    assert metrics['average_mAP'] == pytest.approx(trained['average_mAP'], abs=1e-6)
    for tiou, value in metrics['mAP'].items():
        if f'mAP@{tiou}' in trained:
            assert value == pytest.approx(trained[f'mAP@{tiou}'], abs=1e-6)
    assert sum(value > 0 for value in metrics['mAP'].values()) > 0
