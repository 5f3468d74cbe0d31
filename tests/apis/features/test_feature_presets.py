"""Presets are those of the installed MMAction2, and run."""
import numpy as np
import pytest
import torch
from mmaction.apis import init_recognizer
from mmengine.config import Config
from mmengine.registry import init_default_scope

from cltdr_mm.apis import VideoFeatureExtractor
from cltdr_mm.apis.features.feature_presets import PRESETS, find_preset, presets_table
from cltdr_mm.apis.features.recognizers import recipe

pytest.importorskip('av', reason='PyAV is not installed: pip install av')

RECOGNIZERS = [name for name, preset in PRESETS.items() if not preset.is_module]
#: Trained on frames from all over a video, or on clips of eight seconds.
CLOSER = {'tsn-r50': ('clip_len', 'frame_interval'), 'timesformer': ('frame_interval', )}


@pytest.mark.parametrize('name', RECOGNIZERS)
def test_a_preset_is_what_the_config_validates_with(name):
    preset = PRESETS[name]
    assert preset.weights_url().endswith('.pth')
    found = recipe(Config.fromfile(preset.config))
    assert found['short_side'] == preset.short_side
    for key, value in found.items():
        assert getattr(preset, key) == value or key in CLOSER.get(name, ()), key


@pytest.mark.parametrize('name', ['x3d-m', 'tsn-r50', 'tsm-r50', 'slowfast-r50', 'i3d-r50',
                                  'uniformer-small', 'swin-tiny'])
def test_small_ones_run_with_random_weights(name, tmp_path):
    init_default_scope('mmaction')
    torch.manual_seed(0)
    model = init_recognizer(Config.fromfile(PRESETS[name].config), None, 'cpu')
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'w.pth')
    extractor = VideoFeatureExtractor(name, str(tmp_path / 'w.pth'), short_side=64, crop_size=64)
    preset = PRESETS[name]
    assert extractor.channels == preset.channels
    assert extractor.window == (preset.clip_len - 1) * preset.frame_interval + 1
    assert (extractor.fps, extractor.stride) == (preset.fps, preset.stride)


def test_motion_needs_no_weights():
    extractor = VideoFeatureExtractor('motion')
    assert extractor.channels == PRESETS['motion'].channels == 134
    assert extractor.settings['weights'] is None and extractor.crop_size is None


def test_the_table_names_all():
    text = presets_table()
    assert all(f'| {name} ' in text and f'  {name}: ' in text for name in PRESETS)
    assert PRESETS['i3d-r50'].weights_url() in text
    with pytest.raises(ValueError, match="i3d-r5: no config file and no preset \\('i3d-r50', "):
        find_preset('i3d-r5')


def test_what_is_not_said_comes_from_the_config(tmp_path):
    cfg = Config(dict(model=dict(type='Recognizer3D'), val_pipeline=[
        dict(type='SampleFrames', clip_len=12, frame_interval=3), dict(type='Resize',
                                                                       scale=(-1, 40)),
        dict(type='CenterCrop', crop_size=36)]))
    assert recipe(cfg) == dict(clip_len=12, frame_interval=3, short_side=40, crop_size=36)
    assert recipe(Config(dict(test_pipeline=[dict(type='ThreeCrop', crop_size=9)]))) == {}


def test_tsm_shifts_within_a_clip(tmp_path, film):
    init_default_scope('mmaction')
    model = init_recognizer(Config.fromfile(PRESETS['tsm-r50'].config), None, 'cpu')
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'w.pth')
    with pytest.raises(ValueError, match='clip_len must be a multiple of the 8 segments'):
        VideoFeatureExtractor('tsm-r50', str(tmp_path / 'w.pth'), clip_len=4)
    pictures = np.random.default_rng(0).integers(0, 255, (24, 8, 8, 3)).astype(np.uint8)
    video = film(tmp_path / 'v.mp4', pictures.repeat(4, 1).repeat(4, 2))
    together, alone = (VideoFeatureExtractor(
        'tsm-r50', str(tmp_path / 'w.pth'), frame_interval=1, stride=8, fps='own', short_side=32,
        crop_size=32, batch_size=size)(video)[0] for size in (8, 1))
    assert len(together) == 3
    np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-5)
