"""The data set configs: they parse, build and say what METHODS and the publications say."""
import numpy as np
import pytest
from mmaction.registry import DATASETS
from mmengine.config import Config

from cltdr_mm.datasets.converters.synthetic import SyntheticSpec, make_synthetic

# name: (dataset, channels, stride, window, fps, batch, crop length, trunc_thresh, protocol)
EXPECTED = dict(
    thumos14_i3d=('THUMOS14Dataset', 2048, 4, 16, None, 2, 2304, 0.5, 'thumos14'),
    thumos14_videomaev2=('THUMOS14Dataset', 1408, 4, 16, None, 2, 2304, 0.5, 'thumos14'),
    thumos14_internvideo2=('THUMOS14Dataset', 3200, 4, 16, None, 2, 2304, 0.5, 'thumos14'),
    multithumos_i3d=('MultiTHUMOSDataset', 2048, 4, 16, None, 2, 2304, 0.5, 'multithumos'),
    multithumos_rgb=('MultiTHUMOSDataset', 1024, 4, 16, None, 2, 2304, 0.5, 'multithumos'),
    multithumos_videomaev2=('MultiTHUMOSDataset', 1408, 4, 16, None, 2, 2304, 0.5, 'multithumos'),
    multithumos_internvideo2=('MultiTHUMOSDataset', 3200, 4, 16, None, 2, 2304, 0.5, 'multithumos'),
    epic100_verb=('EPICKitchens100Dataset', 2304, 16, 32, 30, 2, 2304, 0.3, 'epic100'),
    epic100_noun=('EPICKitchens100Dataset', 2304, 16, 32, 30, 2, 2304, 0.3, 'epic100'),
    anet13_tsp=('ActivityNet13Dataset', 512, 16, 16, 15, 16, 192, 0.5, 'anet13'),
    anet13_i3d=('ActivityNet13Dataset', 2048, 16, 16, 25, 16, 160, 0.5, 'anet13'),
    anet13_internvideo2=('ActivityNet13Dataset', 3200, 8, 16, 30, 16, 192, 0.5, 'anet13'),
    hacs_i3d=('HACSDataset', 2048, 1, 1, 2, 16, 512, 0.5, 'hacs'),
    hacs_slowfast=('HACSDataset', 2304, 8, 32, 15, 16, 960, 0.5, 'hacs'),
    hacs_internvideo2=('HACSDataset', 3200, 8, 16, 30, 16, 2304, 0.5, 'hacs'),
    charades_i3d=('CharadesDataset', 1024, 8, 0, 24, 16, 768, 0.5, 'charades'),
    charades_videomae=('CharadesDataset', 1024, 4, 4, 30, 16, 512, 0.5, 'charades'),
    ego4d_mq_slowfast=('Ego4DMQDataset', 2304, 16, 32, 30, 2, 1024, 0.3, 'ego4d_mq'),
    ego4d_mq_omnivore=('Ego4DMQDataset', 1536, 16, 32, 30, 2, 1024, 0.3, 'ego4d_mq'),
    ego4d_mq_egovlp=('Ego4DMQDataset', 256, 16, 16, 30, 2, 1024, 0.3, 'ego4d_mq'),
    ego4d_mq_streams=('Ego4DMQDataset', 4096, 16, [32, 32, 16], 30, 2, 1024, 0.3, 'ego4d_mq'),
    ego4d_mq_internvideo=('Ego4DMQDataset', 1024, 8, 8, 30, 2, 2048, 0.3, 'ego4d_mq'),
    fineaction_videomae=('FineActionDataset', 1280, 16, 16, 30, 16, 192, 0.5, 'fineaction'),
    fineaction_videomaev2=(
        'FineActionDataset', 1408, None, None, 30, 16, 192, 0.5, 'fineaction'),
    fineaction_internvideo2=('FineActionDataset', 1408, 8, 16, 30, 16, 2304, 0.5, 'fineaction'),
    epic_sounds=('EPICSoundsDataset', 2304, 6, 32, 30, 2, 6144, 0.3, 'epic_sounds'),
    hapt=('HAPTDataset', 150, 25, 50, None, 2, 2304, 0.5, 'hapt'),
    synthetic=('TALDataset', 64, 8, 16, None, 4, 2304, 0.5, 'custom'),
)

# name: (dataset, batch, fps, frames a step, crop and window in steps, protocol)
VIDEOS = dict(
    thumos14_video=('THUMOS14VideoDataset', 2, None, 1, 768, 768, 'thumos14'),
    thumos14_video_224=('THUMOS14VideoDataset', 2, None, 2, 768, 768, 'thumos14'),
    multithumos_video=('MultiTHUMOSVideoDataset', 2, None, 1, 768, 768, 'multithumos'),
    epic100_verb_video=('EPICKitchens100VideoDataset', 2, 30, 8, 768, 768, 'epic100'),
    epic100_noun_video=('EPICKitchens100VideoDataset', 2, 30, 8, 768, 768, 'epic100'),
    anet13_video=('ActivityNet13VideoDataset', 4, 15, 4, None, None, 'anet13'),
    anet13_video_224=('ActivityNet13VideoDataset', 2, 15, 4, None, None, 'anet13'),
    charades_video=('CharadesVideoDataset', 8, 30, 1, 512, 512, 'charades'),
    ego4d_mq_video=('Ego4DMQVideoDataset', 2, None, 4, 1800, 1800, 'ego4d_mq'),
)


@pytest.fixture(scope='module')
def folder(project_root):
    return project_root / 'configs' / '_base_' / 'datasets'


def test_every_config_is_listed(folder):
    assert {path.stem for path in folder.glob('*.py')} == {
        'common', 'common_video', *EXPECTED, *VIDEOS}


@pytest.mark.parametrize('name', VIDEOS)
def test_videos(folder, name):
    cls, batch, fps, frames, crop, window, protocol = VIDEOS[name]
    cfg = Config.fromfile(folder / f'{name}.py')
    train, test = cfg.train_dataloader.dataset, cfg.test_dataloader.dataset
    assert cfg.train_dataloader.batch_size == batch
    for data in (train, test):
        assert (data.type, data.get('fps'), data.get('frames_per_step', 1)) == (cls, fps, frames)
        built = DATASETS.build(dict(data, lazy_init=True, _scope_='mmaction'))
        assert built.ann_file == cfg.test_evaluator.ann_file
        assert built.test_mode == (data is test)
    crops = [step.max_len for step in train.pipeline if step.type == 'RandomCropFrames']
    assert crops == ([crop] if crop else [])
    overlap = 0 if name == 'ego4d_mq_video' else 0.5
    assert test.get('window') == (dict(size=window, overlap=overlap) if window else None)
    # windows of a video are put together before NMS
    assert bool(window) == bool(cfg.test_evaluator.get('postprocessor'))
    assert (cfg.test_evaluator.protocol, cfg.test_evaluator.subset) == (protocol, test.subset)
    assert cfg.val_evaluator == cfg.test_evaluator and cfg.val_dataloader == cfg.test_dataloader


@pytest.mark.parametrize('name', EXPECTED)
def test_settings(folder, name):
    cls, dim, stride, window, fps, batch, crop, trunc, protocol = EXPECTED[name]
    cfg = Config.fromfile(folder / f'{name}.py')
    assert cfg.train_dataloader.batch_size == batch
    loaders = (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader)
    for loader in filter(None, loaders):
        data = loader.dataset
        assert (data.type, data.feature_dim, data.feature_stride, data.feature_window,
                data.get('fps')) == (cls, dim, stride, window, fps)
        # builds, up to reading files that are not here
        built = DATASETS.build(dict(data, lazy_init=True, _scope_='mmaction'))
        assert built.ann_file.startswith('data/')
        assert built.test_mode == (loader is not cfg.train_dataloader)
        assert cfg.test_evaluator.ann_file == built.ann_file
    steps = {step.type: step for step in cfg.train_dataloader.dataset.pipeline}
    assert steps['RandomCropFeature'].max_len == crop
    assert steps['RandomCropFeature'].trunc_thresh == trunc
    assert 'RandomCropFeature' not in [s.type for s in cfg.test_dataloader.dataset.pipeline]
    if name.startswith(('anet13', 'fineaction_videomae')):
        for data in (cfg.train_dataloader.dataset, cfg.test_dataloader.dataset):
            resize, = (s for s in data.pipeline if s.type == 'ResizeFeature')
            assert resize.length == crop and data.class_agnostic
            assert resize.get('average', False) == name.startswith('fineaction')
            assert data.get('file_prefix') == ('v_' if name.startswith('anet13') else None)
    windows = dict(charades_videomae=512, epic_sounds=6144)
    assert 'window' not in cfg.train_dataloader.dataset
    assert cfg.test_dataloader.dataset.get('window') == (
        dict(size=windows[name], overlap=0.5) if name in windows else None)
    assert cfg.test_evaluator.type == 'TALMetric' and cfg.test_evaluator.protocol == protocol
    assert cfg.test_evaluator.subset == cfg.test_dataloader.dataset.subset
    if name == 'hapt':
        assert cfg.val_cfg is cfg.val_dataloader is cfg.val_evaluator is None
        return
    assert cfg.val_cfg.type == 'ValLoop'
    assert cfg.val_evaluator.subset == cfg.val_dataloader.dataset.subset
    if name == 'synthetic':
        assert cfg.val_evaluator.subset != cfg.test_evaluator.subset
        cfg.val_evaluator.subset = cfg.val_dataloader.dataset.subset = 'test'
    # benchmarks are judged by the subset that their publications watch
    assert cfg.test_evaluator == cfg.val_evaluator and cfg.test_dataloader == cfg.val_dataloader


def test_a_best_checkpoint_is_kept_of_a_validation_set_of_its_own_only(project_root):
    for path in sorted((project_root / 'configs').rglob('*.py')):
        cfg = Config.fromfile(path)
        kept = cfg.get('default_hooks', {}).get('checkpoint', {}).get('save_best')
        if kept is not None and '_base_' not in path.parts:
            assert cfg.val_evaluator.subset != cfg.test_evaluator.subset, path
        assert kept is None or path.name == 'cltdr_synthetic.py', path


def test_epic_tasks(folder):
    for task in ('verb', 'noun'):
        cfg = Config.fromfile(folder / f'epic100_{task}.py')
        for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
            assert loader.dataset.task == task and task in loader.dataset.ann_file
        assert task in cfg.test_evaluator.ann_file


def test_file_names(folder):
    cfg = Config.fromfile(folder / 'thumos14_internvideo2.py')
    assert cfg.train_dataloader.dataset.file_suffix == '_spatial_feature.pt'
    assert Config.fromfile(
        folder / 'hacs_slowfast.py').test_dataloader.dataset.file_suffix == '.pkl'
    cfg = Config.fromfile(folder / 'multithumos_rgb.py')
    data = DATASETS.build(dict(cfg.train_dataloader.dataset, lazy_init=True))
    assert data.data_prefix['feats'] == ['data/multithumos/../thumos14/i3d_rgb_features']


def test_synthetic_config_reads_what_the_generator_writes(folder, tmp_path):
    make_synthetic(str(tmp_path), SyntheticSpec(
        num_train=3, num_test=2, num_validation=1))
    cfg = Config.fromfile(folder / 'synthetic.py')
    data = DATASETS.build(dict(cfg.train_dataloader.dataset, data_root=str(tmp_path)))
    assert len(data) == 3 and len(data.metainfo['classes']) == 6
    assert data[0]['inputs'].rows.shape[1] == 64
    test = DATASETS.build(dict(cfg.test_dataloader.dataset, data_root=str(tmp_path)))
    validation = DATASETS.build(dict(cfg.val_dataloader.dataset, data_root=str(tmp_path)))
    assert len(validation) == 1
    assert len(test) == 2 and np.isfinite(test[1]['inputs'].rows.numpy()).all()
