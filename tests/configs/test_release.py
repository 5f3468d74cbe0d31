"""Each config of configs/release holds the values of its published settings file."""
import json
import re
import sys
from pathlib import Path

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config, ConfigDict

import cltdr_mm  # noqa: F401

sys.path.insert(0, str(Path(__file__).parents[1] / 'parity'))
from published_configs import published_model  # noqa: E402

FAMILIES = {'cltdr-gmg': 11, 'tridet': 6, 'actionformer': 5, 'temporalmaxer': 4}
#: What no file name says; see the README there.
OUR_CHOICE = dict(thumos_videomae='varifocal', multithumos_i3d='focal', anet_tsp='focal')


def folder_of(family: str) -> str:
    return family.replace('-', '_')


@pytest.fixture(scope='module')
def release(project_root):
    """Folder of the configs."""
    return project_root / 'configs' / 'release'


@pytest.fixture(scope='module')
def published(shared_data) -> dict:
    """All published settings by family and name."""
    return json.loads((shared_data / 'published_settings.json').read_text())


def plain(value):
    """Dicts and lists of numbers, whatever a config made of them."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def cases():
    """Every config, by family and name."""
    root = Path(__file__).resolve().parents[2] / 'configs' / 'release'
    return [(family, path.stem) for family in FAMILIES
            for path in sorted((root / folder_of(family)).glob('*.py'))]


@pytest.mark.parametrize('family, count', FAMILIES.items())
def test_one_config_a_setting(family, count, release):
    assert sum(1 for name, _ in cases() if name == family) == count


@pytest.mark.parametrize('family', FAMILIES)
def test_names_are_the_published_ones(family, published):
    names = {name.replace('temporalmaxer_', '') for name in published[family]}
    assert {name for other, name in cases() if other == family} == names


@pytest.mark.parametrize('family, name', cases())
def test_equals_published_settings(family, name, release, published):
    """Model, data, schedule and test settings."""
    cfg = Config.fromfile(release / folder_of(family) / f'{name}.py')
    settings = published[family].get(name) or published[family][f'temporalmaxer_{name}']
    coarse = OUR_CHOICE.get(name, 'varifocal' if 'vfl' in name else 'focal')
    model = plain(cfg.model)
    fusion = model['postprocessor'].pop('fusion', None)
    assert (fusion is not None) == settings['test']['ext_score_file']
    if fusion is not None:
        assert fusion['fusion'] == 'geometric_mean' and fusion.get('topk', 2) == 2
    assert model == plain(published_model(family, settings, coarse))
    check_data(cfg, settings)
    check_schedule(cfg, settings)


def check_data(cfg: Config, settings: dict) -> None:
    """Features, cropping and padding; published files count them in their own words."""
    data, train = settings['dataset'], cfg.train_dataloader
    dataset = train.dataset
    assert train.batch_size == settings['batch_size']
    assert cfg.test_dataloader.batch_size == cfg.val_dataloader.batch_size == 1
    assert dataset.feature_stride == data['feat_stride']
    assert dataset.feature_window == data['num_frames']
    assert dataset.feature_dim == data['input_dim'] == cfg.model.backbone.in_channels
    assert dataset.get('fps') == data['default_fps']
    assert dataset.get('file_prefix', '') == (data.get('file_prefix') or '')
    assert dataset.get('file_suffix', '.npy') == data.get('feature_type', '') + data['file_ext']
    assert dataset.get('class_agnostic', False) == (data['num_classes'] == 1)
    assert cfg.model.data_preprocessor.pad_to == data['max_seq_len']
    assert cfg.model.head.num_classes == data['num_classes']
    steps = {step['type']: step for step in dataset.pipeline}
    crop = steps['RandomCropFeature']
    assert crop['max_len'] == data['max_seq_len']
    assert crop['trunc_thresh'] == data['trunc_thresh']
    assert list(crop['crop_ratio']) == data['crop_ratio']
    for part in (train, cfg.val_dataloader, cfg.test_dataloader):
        resize = [step for step in part.dataset.pipeline if step['type'] == 'ResizeFeature']
        assert [step['length'] for step in resize] == (
            [data['max_seq_len']] if data['force_upsampling'] else [])
    assert not any(step['type'] == 'RandomCropFeature'
                   for step in cfg.test_dataloader.dataset.pipeline)


def check_schedule(cfg: Config, settings: dict) -> None:
    """Optimizer, learning rate, epochs and seed."""
    published = settings['optimizer']
    optimizer = cfg.optim_wrapper.optimizer
    assert (optimizer.type, optimizer.lr, optimizer.weight_decay) == (
        published['type'], published['learning_rate'], published['weight_decay'])
    assert cfg.optim_wrapper.clip_grad == dict(
        max_norm=settings['train']['clip_grad_l2norm'], norm_type=2)
    assert cfg.train_cfg.max_epochs == published['epochs'] + published['warmup_epochs']
    scheduler = cfg.param_scheduler
    assert (scheduler.type, published['schedule_type']) == ('WarmupCosineLR', 'cosine')
    assert scheduler.warmup == published['warmup_epochs']
    assert scheduler.start_factor == 0
    # where a file says nothing, the published scheduler ends at 1e-8
    assert scheduler.end_factor * optimizer.lr == pytest.approx(published.get('eta_min', 1e-8))
    assert cfg.auto_scale_lr.base_batch_size == settings['batch_size']
    assert cfg.randomness.seed == settings['seed']
    assert cfg.default_hooks.ema.momentum == 0.001


@pytest.mark.parametrize('family, name', cases())
def test_builds(family, name, release):
    """Without the memory of its weights, and without the video-level scores, which are a user's."""
    cfg = Config.fromfile(release / folder_of(family) / f'{name}.py')
    assert cfg.work_dir.endswith(f'{folder_of(family)}/{name}')
    model = ConfigDict(cfg.model)
    model.postprocessor.pop('fusion', None)
    with torch.device('meta'):
        built = MODELS.build(model)
    assert built.head.num_classes == model.head.num_classes
    assert built.backbone.num_levels == built.head.num_levels
    assert sum(p.numel() for p in built.parameters()) > 1e6


@pytest.mark.parametrize('name', ['thumos_videomae', 'multithumos_i3d', 'anet_tsp'])
def test_readme_tells_our_choices(name, release):
    text = (release / 'README.md').read_text()
    assert re.search(rf'\| `{name}` \| {OUR_CHOICE[name]} \|', text)


def test_published_parameter_counts(release):
    """21.9 M for THUMOS14 with I3D features, as METHODS' release model has."""
    cfg = Config.fromfile(release / 'cltdr_gmg' / 'thumos_i3d_focalloss.py')
    with torch.device('meta'):
        model = MODELS.build(cfg.model)
    assert round(sum(p.numel() for p in model.parameters()) / 1e6, 1) == 21.9
