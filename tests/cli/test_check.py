"""cltdr check: what is wrong is listed, what is there is shown, and the exit status says which."""
import logging
import sys
from pathlib import Path

import numpy as np
import pytest
from mmengine.logging import MMLogger

sys.path.insert(0, str(Path(__file__).parent))

from own_data import OwnData  # noqa: E402

from cltdr_mm.cli import check  # noqa: E402
from cltdr_mm.datasets.feature_manifest import FeatureManifest  # noqa: E402

CONFIG = '''
_base_ = 'cltdr_mm::cltdr_synthetic.py'
features = dict(
    type='TALDataset', _delete_=True, ann_file={ann!r}, data_prefix=dict(feats={feats!r}),
    feature_stride=4, feature_window=8)
train_dataloader = dict(dataset=dict(
    subset='training', pipeline=_base_.train_pipeline, **features))
val_dataloader = dict(dataset=dict(
    subset='validation', pipeline=_base_.test_pipeline, test_mode=True, **features))
test_dataloader = val_dataloader
val_evaluator = dict(protocol='custom', ann_file={ann!r}, subset='validation')
test_evaluator = val_evaluator
model = dict(backbone=dict(in_channels=6, embed_dims=16, ffn_dims=24), head=dict(num_classes=2))
'''


@pytest.fixture
def data(tmp_path):
    return OwnData(tmp_path / 'data')


@pytest.fixture
def config(data, tmp_path):
    path = tmp_path / 'mine.py'
    path.write_text(CONFIG.format(ann=str(data.ann_file), feats=str(data.features)))
    return path


def fails(*words) -> str:
    with pytest.raises(SystemExit) as end:
        check.main([str(word) for word in words])
    assert end.value.code not in (0, None)
    return str(end.value.code)


def test_good_data(data, tmp_path, capsys):
    check.main([str(data.ann_file), *data.timing, '--out-dir', str(tmp_path / 'out')])
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == 'all checks passed: this can be trained'
    assert '| training   |      4 |' in out and '| validation |      2 |' in out
    assert '| open  |        8 |      3.5 |          4 |      3.5 |' in out
    assert 'which levels learn the training instances' in out and '| num_levels   | 4' in out
    assert (tmp_path / 'out' / 'statistics.png').is_file()


def test_the_log_of_mmengine_is_not_shown(data):
    class Heard(logging.Handler):
        lines = []

        def emit(self, record):
            self.lines.append(record.getMessage())

    logger, heard = MMLogger.get_current_instance(), Heard()
    logger.addHandler(heard)
    try:
        level = logger.level
        check.main([str(data.ann_file), *data.timing])
        assert logger.level == level and not heard.lines
        logger.warning('still heard')
        assert heard.lines == ['still heard']
    finally:
        logger.removeHandler(heard)


def test_a_manifest_says_the_timing(data, capsys):
    message = fails(data.ann_file)
    assert 'say --stride N' in message and '\n' not in message
    FeatureManifest(stride=4, window=8, channels=6).write(data.features)
    check.main([str(data.ann_file)])
    assert 'all checks passed' in capsys.readouterr().out


def test_all_that_is_wrong_is_listed(data):
    data.content['database']['v0']['annotations'][1]['segment'] = [9, 8]
    data.content['database']['v5']['annotations'][0]['label'] = 'opn'
    data.save()
    np.save(data.features / 'v3.npy', np.full((70, 6), np.nan, 'f4'))
    lines = fails(data.ann_file, *data.timing).splitlines()
    assert lines[0] == 'error: data: 3 problems'
    assert "video 'v0': annotations[1].segment: end 8 s is not after start 9 s" in lines[1]
    assert "v3.npy: video 'v3': feature values: NaN or inf at step 0" in lines[2]
    assert "video 'v5': annotations[0].label: unknown label 'opn'" in lines[3]


def test_ids_of_another_numbering(data, capsys):
    for entry in data.content['database'].values():
        for item in entry['annotations']:
            item['label_id'] = dict(open=1, close=2)[item['label']]
    data.save()
    check.main([str(data.ann_file), *data.timing])
    assert 'names count, ids do not' in capsys.readouterr().out


def test_a_config(config, capsys):
    check.main([str(config)])
    out = capsys.readouterr().out
    assert '| 5     |                   32 |         64-10000 |' in out
    assert out.splitlines()[-1] == 'all checks passed: this can be trained'


def test_a_schedule_that_says_its_end(config, capsys):
    config.write_text(config.read_text() + '''
param_scheduler = dict(
    _delete_=True, type='MultiStepLR', begin=0, end=9, by_epoch=True, milestones=[7], gamma=0.1)
''')
    check.main([str(config)])
    assert capsys.readouterr().out.splitlines()[-1] == 'all checks passed: this can be trained'


@pytest.mark.parametrize('options, message', [
    (['model.head.num_classes=1'], 'annotations.json: classes: there are 2, by the list'),
    (['model.backbone.in_channels=7'], 'features have 6 channels, but'),
    (['val_evaluator.subset=training'], 'the data do not fit the metric'),
    (['train_dataloader.dataset.subset=nobody'], "no video of subset ['nobody']"),
    (['model.backbone.type=GMGG'], 'GMGG'),
    (['optim_wrapper.optimizer.lr=fast'], 'fast'),
    (['param_scheduler.warmup=10'], 'warm-up'),
    (['default_hooks.checkpoint.save_best=mAP'], 'val_evaluator measures no `mAP`'),
])
def test_a_config_that_does_not_fit(config, options, message):
    found = fails(config, '--cfg-options', *options)
    assert message in found


def test_a_class_without_any_instance_is_one(config, data):
    data.content['classes'].append('slam')
    data.save()
    assert 'annotations.json: classes: there are 3, by the list in this file or in metainfo of ' \
        'the data set, but model.head.num_classes is 2: `cltdr init` writes' in fails(config)


def test_windows_are_whole_videos_in_the_statistics(config, capsys):
    config.write_text(config.read_text().replace(
        'feature_window=8)', 'feature_window=8, window=dict(size=32))'))
    check.main([str(config)])
    assert '| training   |      4 |' in capsys.readouterr().out


def test_options_that_do_not_go_together(config, data, capsys):
    for words in ([config, '--stride', '4'], [data.ann_file, '--cfg-options', 'a=1'],
                  [data.ann_file, '--stride', 'often'], [data.ann_file, '--stride', '-2']):
        with pytest.raises(SystemExit) as end:
            check.main([str(word) for word in words])
        assert end.value.code == 2
        assert 'error:' in capsys.readouterr().err.splitlines()[-1]
    assert 'no config nothing' in fails('nothing')
    assert 'cannot be read' in fails('nothing.json')
