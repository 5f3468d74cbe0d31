"""cltdr init: a config that can be read from anywhere, and says what the data ask for."""
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config

sys.path.insert(0, str(Path(__file__).parent))

from own_data import OwnData  # noqa: E402

from cltdr_mm.apis.own_data.config_writing import METHODS  # noqa: E402
from cltdr_mm.cli import check, init  # noqa: E402
from cltdr_mm.datasets.feature_manifest import FeatureManifest  # noqa: E402
from cltdr_mm.resources import config_path  # noqa: E402


@pytest.fixture
def data(tmp_path):
    return OwnData(tmp_path / 'data')


def write(data, out, *words) -> Config:
    init.main([str(data.ann_file), *data.timing, '--out', str(out), *map(str, words)])
    return Config.fromfile(out)


def fails(*words) -> str:
    with pytest.raises(SystemExit) as end:
        init.main([str(word) for word in words])
    return str(end.value.code)


def test_the_config_is_short_and_checked(data, tmp_path, capsys):
    out = tmp_path / 'configs' / 'mine.py'
    cfg = write(data, out)
    assert capsys.readouterr().out.splitlines()[-1] == f'wrote {out}; next: cltdr train {out}'
    text = out.read_text()
    assert len(text.splitlines()) < 90 and max(map(len, text.splitlines())) <= 150
    assert cfg.model.backbone.in_channels == 6 and cfg.model.head.num_classes == 2
    assert cfg.train_dataloader.dataset.subset == 'training'
    assert cfg.train_dataloader.dataset.feature_stride == 4
    assert cfg.val_evaluator.subset == cfg.test_evaluator.subset == 'validation'
    assert cfg.default_hooks.ema.ema_type == 'WarmupEMA'  # what the runtime has
    assert 'loss' not in text and 'ema' not in text
    assert cfg.train_cfg.max_epochs == 100 and cfg.train_cfg.val_interval == 5
    check.main([str(out)])
    assert 'all checks passed' in capsys.readouterr().out


@pytest.mark.parametrize('method', METHODS)
def test_every_method(method, data, tmp_path):
    assert config_path(f'_base_/models/{method}').is_file()
    cfg = write(data, tmp_path / 'mine.py', '--method', method, '--width', '16')
    base = Config.fromfile(config_path(f'_base_/models/{method}'))
    assert cfg.model.backbone.type == base.model.backbone.type
    model = MODELS.build(cfg.model)
    assert model.backbone.out_channels == 16 and model.head.num_classes == 2
    assert model.backbone.num_levels == 4


def test_levels_and_cuts_of_long_instances(tmp_path):
    data = OwnData(tmp_path / 'data', ('train', ))
    np.save(data.features / 'v0.npy', np.zeros((6000, 6), 'f4'))
    entry = data.content['database']['v0']
    entry.update(duration=2400., annotations=[dict(segment=[10, 1200], label='open')])
    data.save()
    cfg = write(data, tmp_path / 'mine.py')
    crop = cfg.train_dataloader.dataset.pipeline[1]
    assert crop.type == 'RandomCropFeature' and crop.max_len >= 2 * 1190 * 10 / 4
    assert cfg.model.num_levels == 9
    assert [step.type for step in cfg.train_dataloader.dataset.pipeline] == [
        'LoadTALFeature', 'RandomCropFeature', 'PackTALInputs']


def test_nothing_is_validated_on_the_test_subset(tmp_path, capsys):
    data = OwnData(tmp_path / 'data', ('train', 'train', 'test'))
    cfg = write(data, tmp_path / 'mine.py')
    assert cfg.val_cfg is cfg.val_dataloader is cfg.val_evaluator is None
    assert cfg.test_dataloader.dataset.subset == 'test'
    assert 'no validation subset' in capsys.readouterr().out
    assert 'There is no validation subset' in (tmp_path / 'mine.py').read_text()
    assert cfg.default_hooks.checkpoint.get('save_best') is None


def test_the_best_checkpoint_is_kept_by_a_validation_subset(tmp_path):
    data = OwnData(tmp_path / 'data', ('train', 'train', 'validation', 'test'))
    cfg = write(data, tmp_path / 'mine.py')
    assert (cfg.val_evaluator.subset, cfg.test_evaluator.subset) == ('validation', 'test')
    assert cfg.default_hooks.checkpoint.save_best == 'average_mAP'


def test_a_file_without_subsets(tmp_path):
    data = OwnData(tmp_path / 'data', ('x', 'x'))
    for entry in data.content['database'].values():
        del entry['subset']
    del data.content['classes']
    data.save()
    cfg = write(data, tmp_path / 'mine.py')
    assert 'subset' not in cfg.train_dataloader.dataset and cfg.test_dataloader is None
    assert cfg.train_dataloader.dataset.metainfo.classes == ['close', 'open']


def test_subsets_of_other_names(tmp_path):
    data = OwnData(tmp_path / 'data', ('Validation', 'Validation', 'Test'))
    cfg = write(data, tmp_path / 'mine.py', '--training', 'Validation')
    assert cfg.train_dataloader.dataset.subset == 'Validation'
    assert cfg.test_evaluator.subset == 'Test'


def test_timing_stays_in_the_manifest(data, tmp_path, capsys):
    FeatureManifest(stride=4, window=8, channels=6, fps=10.0).write(data.features)
    out = tmp_path / 'mine.py'
    init.main([str(data.ann_file), '--out', str(out)])
    assert 'stride 4, window 8, frame rate 10,' in out.read_text()
    assert 'feature_stride' not in Config.fromfile(out).train_dataloader.dataset
    capsys.readouterr()
    check.main([str(out)])
    assert '3.5' in capsys.readouterr().out
    assert 'stride: is 4, but feature_stride of the config is 8' in fails(
        data.ann_file, '--stride', 8, '--out', tmp_path / 'other.py')


def test_mistakes_leave_no_file(data, tmp_path, capsys):
    out = tmp_path / 'mine.py'
    words = [data.ann_file, *data.timing, '--out', out]
    assert 'epochs must be at least 1' in fails(*words, '--epochs', '0')
    assert 'unknown argument' not in fails(*words, '--width', '7')  # no width for the attention
    data.content['database']['v0']['duration'] = -1
    data.save()
    assert "video 'v0': duration: must be positive" in fails(*words)
    assert not out.exists()
    out.write_text('mine')
    for more, message in (([], 'is there already'), (['--config', 'x'], 'is there already')):
        assert fails(*words, *more) == '2'
        assert message in capsys.readouterr().err
    assert out.read_text() == 'mine'
    assert fails(*words[:-1], tmp_path / 'mine.yaml') == '2'


def test_a_table_is_no_annotation_file(data, tmp_path):
    table = tmp_path / 'labels.csv'
    table.write_text('video,start,end,label')
    assert 'labels.csv: file: is no annotation file (.json): `cltdr labels` makes one of it' in (
        fails(table, *data.timing, '--out', tmp_path / 'mine.py'))


def trained(data, tmp_path, **changes):
    """A config and a checkpoint of it, as the Runner writes it."""
    cfg = write(data, tmp_path / 'old.py', '--width', '16', '--epochs', '2')
    cfg.merge_from_dict(changes)
    model = MODELS.build(cfg.model)
    torch.manual_seed(0)
    for parameter in model.parameters():
        parameter.data.normal_()
    path = tmp_path / 'old.pth'
    torch.save(dict(state_dict=model.state_dict(), meta=dict(
        cfg=cfg.pretty_text, dataset_meta=dict(classes=['open', 'close']))), path)
    return path, model


def test_fine_tuning_on_other_classes_and_channels(data, tmp_path, capsys):
    path, old = trained(data, tmp_path)
    other = OwnData(tmp_path / 'other')
    for file in other.features.glob('*.npy'):
        np.save(file, np.repeat(np.load(file), 2, axis=1))
    other.content['classes'].append('slam')
    other.save()
    capsys.readouterr()
    cfg = write(other, tmp_path / 'new.py', '--from', path)
    out = capsys.readouterr().out
    assert cfg.load_from == str(path)
    assert cfg.model.backbone.in_channels == 12 and cfg.model.head.num_classes == 3
    assert cfg.model.backbone.embed_dims == 16 and 'as in the checkpoint' in out
    new = MODELS.build(cfg.model)
    shapes = {key: value.shape for key, value in old.state_dict().items()}
    anew = [key for key, value in new.state_dict().items() if shapes.get(key) != value.shape]
    listed = [line.split()[2] for line in out.splitlines() if line.startswith('starts anew')]
    assert listed == anew and 0 < len(anew) < 12
    kept = sum(v.numel() for k, v in new.state_dict().items() if k not in anew)
    rows = [line.strip('|').split('|') for line in out.splitlines()
            if line.startswith(('| backbone.', '| head.', '| neck.'))]
    assert sum(int(row[1].replace(',', '')) for row in rows) == kept
    check.main([str(tmp_path / 'new.py')])


def test_features_made_otherwise_than_those_of_the_checkpoint(data, tmp_path, capsys):
    path, _ = trained(data, tmp_path)
    capsys.readouterr()
    write(data, tmp_path / 'same.py', '--from', path)
    assert 'made otherwise' not in capsys.readouterr().out
    other = OwnData(tmp_path / 'other')
    for file in other.features.glob('*.npy'):
        np.save(file, np.repeat(np.load(file), 2, axis=0))
    init.main([str(other.ann_file), '--stride', '2', '--window', '8', '--out',
               str(tmp_path / 'other.py'), '--from', str(path)])
    assert ('note: the features were made otherwise than those of the checkpoint (stride: 4 and 2, '
            'the checkpoint first)') in capsys.readouterr().out
    checkpoint = torch.load(path)  # that of features with a manifest
    made = dict(stride=4, window=8, channels=6, recognizer='motion')
    checkpoint['meta']['dataset_meta']['features'] = made
    torch.save(checkpoint, path)
    FeatureManifest(**dict(made, recognizer='i3d')).write(data.features)
    write(data, tmp_path / 'manifest.py', '--from', path)
    assert 'checkpoint (recognizer: motion and i3d, the' in capsys.readouterr().out


def test_as_many_classes_but_others(data, tmp_path, capsys):
    path, _ = trained(data, tmp_path)
    other = OwnData(tmp_path / 'other')
    other.content['classes'] = ['shut', 'slam']
    for entry in other.content['database'].values():
        for item in entry['annotations']:
            item['label'] = dict(open='shut', close='slam')[item['label']]
    other.save()
    write(other, tmp_path / 'new.py', '--from', path)
    out = capsys.readouterr().out
    assert 'as many classes as in the checkpoint, but others' in out
    assert 'starts anew' not in out


def test_checkpoints_that_cannot_be_started_from(data, tmp_path):
    path, model = trained(data, tmp_path)
    words = [data.ann_file, *data.timing, '--out', tmp_path / 'new.py', '--from']
    bare = tmp_path / 'bare.pth'
    torch.save(dict(state_dict=model.state_dict(), meta={}), bare)
    assert fails(*words, bare).endswith(
        'bare.pth: holds no config, give the config file of its training: --config')
    assert 'there is no checkpoint' in fails(*words, tmp_path / 'nothing.pth')
    init.main([str(word) for word in (*words, bare, '--config', tmp_path / 'old.py')])
    assert Config.fromfile(tmp_path / 'new.py').load_from == str(bare)
