"""Frames of a sample: which are read, that a crop moves all with them, one draw a video."""
import random
from dataclasses import replace

import numpy as np
import pytest
import torch
from mmaction.registry import TRANSFORMS
from mmengine.dataset import Compose
from numbered_videos import VideoSet, number

from cltdr_mm.datasets import (
    ColorJitterFrames,
    LoadTALFrames,
    PackTALInputs,
    RandomCropFrames,
    SampleTALFrames,
)
from cltdr_mm.datasets.frame_sampling import FrameSampling

#: The published training of AdaTAD on THUMOS14, but RandAugment, smaller.
AUGMENTATION = [
    dict(type='Resize', scale=(-1, 40)), dict(type='RandomResizedCrop'),
    dict(type='Resize', scale=(32, 32), keep_ratio=False), dict(type='Flip'),
    dict(type='ColorJitterFrames')]
AT_TEST = [dict(type='Resize', scale=(-1, 40)),
           dict(type='CenterCrop', crop_size=32)]


@pytest.fixture(scope='module')
def videos(tmp_path_factory):
    pytest.importorskip('av', reason='PyAV is not installed: pip install av')
    return VideoSet(tmp_path_factory.mktemp('videos'))


def sampled(frames=500, segments=((0.8, 4.), (10., 12.)), fps=25, **sampling):
    """A sample of a video that needs no file yet."""
    return SampleTALFrames()(dict(
        video_name='v', video_path='v.mp4', fps=fps, num_frames=frames,
        sampling=FrameSampling(**dict(dict(stride=4), **sampling)),
        gt_segments=np.array(segments), gt_labels=np.arange(len(segments))))


@pytest.mark.parametrize('window', [0, 3])
@pytest.mark.parametrize('per_step', [1, 2, 4])
def test_a_crop_moves_frames_grid_and_segments_together(per_step, window):
    """Kept segments are where they were in seconds, cut to what the frames show."""
    starts = set()
    for seed in range(60):
        np.random.seed(seed)
        sample = sampled(frames_per_step=per_step, window=window)
        before = sample['grid'].to_seconds(sample['gt_segments'].astype(float))
        sample = RandomCropFrames(max_len=40, trunc_thresh=0.75)(sample)
        frames, grid = sample['frame_inds'], sample['grid']
        assert len(frames) == 40 * per_step and grid.num_steps == 40
        starts.add(int(frames[0]))
        # the grid says where the frames are
        assert grid.to_seconds(0.) == pytest.approx((frames[0] + window / 2) / 25)
        low, high = frames[0] / 25, (frames[-1] + 4 / per_step) / 25
        assert len(sample['gt_labels']) > 0
        for label, segment in zip(sample['gt_labels'], grid.to_seconds(
                sample['gt_segments'].astype(float))):
            start, end = before[label]
            np.testing.assert_allclose(segment, [max(start, low), min(end, high)], atol=1e-4)
            assert segment[1] - segment[0] >= 0.75 * (end - start) - 1e-4
        dropped = set(range(2)) - set(sample['gt_labels'].tolist())
        for label in dropped:
            start, end = before[label]
            assert min(end, high) - max(start, low) < 0.75 * (end - start) + 1e-4
    if per_step > 1:  # a crop may begin between two steps
        assert any(start % 4 for start in starts)
    assert len(starts) > 20


def test_segments_after_a_video_that_is_shared_evenly():
    sample = sampled(100, [(1., 3.9), (3.9, 4.2), (4.05, 4.4)], stride=None, num_steps=10)
    np.testing.assert_allclose(sample['gt_segments'], [(2.5, 9.75), (9.75, 10)], atol=1e-6)
    assert sample['gt_labels'].tolist() == [0, 1]


def test_short_videos_keep_most_of_their_frames():
    lengths = set()
    for seed in range(40):
        np.random.seed(seed)
        sample = RandomCropFrames(max_len=768)(sampled(400, frames_per_step=2))
        lengths.add(len(sample['frame_inds']))
        assert sample['grid'].num_steps * 2 == len(sample['frame_inds'])
    assert min(lengths) >= 178 and max(lengths) <= 200 and len(lengths) > 5
    sample = sampled(400)
    whole = RandomCropFrames(max_len=768, crop_ratio=None)(dict(sample))
    np.testing.assert_array_equal(whole['frame_inds'], sample['frame_inds'])
    assert whole['grid'] == sample['grid']


def test_a_crop_within_a_window():
    np.random.seed(0)
    sample = SampleTALFrames()(dict(
        video_name='v', video_path='v.mp4', fps=25, num_frames=500, window_start=20,
        window_size=50, sampling=FrameSampling(stride=4), gt_segments=np.array([[6., 8.]]),
        gt_labels=np.array([0])))
    np.testing.assert_array_equal(sample['frame_inds'], 80 + 4 * np.arange(50))
    sample = RandomCropFrames(max_len=30)(sample)
    assert sample['grid'].to_seconds(0) == pytest.approx(sample['frame_inds'][0] / 25)
    np.testing.assert_allclose(sample['grid'].to_seconds(sample['gt_segments'][0]), [6, 8],
                               atol=1e-4)


def test_frames_shown_by_a_whole_pipeline(videos):
    steps = [dict(type='SampleTALFrames'), dict(type='RandomCropFrames', max_len=10),
             dict(type='LoadTALFrames'), *AT_TEST, dict(type='PackTALInputs')]
    data = videos.build(subset='training', frames_per_step=2, pipeline=steps)
    for seed in range(5):
        np.random.seed(seed)
        sample = data[1]
        assert sample['inputs'].shape == (3, 20, 32, 32) and sample['inputs'].dtype == torch.uint8
        grid = sample['data_samples'].grid
        first = round(grid.start * 4)
        images = LoadTALFrames()(dict(data.get_data_info(1), frame_inds=first + 2 * np.arange(20)))
        assert [number(image) for image in images['imgs']] == list(range(first, first + 40, 2))


def test_short_side_is_what_is_held(videos):
    info = dict(videos.build(subset='test').get_data_info(0), frame_inds=np.arange(5))
    loaded = LoadTALFrames(short_side=24)(dict(info))
    assert [image.shape for image in loaded['imgs']] == [(24, 32, 3)] * 5
    assert loaded['img_shape'] == (24, 32) and loaded['clip_len'] == 5
    assert [number(image) for image in loaded['imgs']] == list(range(5))
    with pytest.raises(ValueError, match='short_side must be positive'):
        LoadTALFrames(short_side=0)


def images(count=20):
    image = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    return dict(imgs=[image.copy() for _ in range(count)], img_shape=(48, 64),
                original_shape=(48, 64), num_clips=1, clip_len=count, modality='RGB')


@pytest.mark.parametrize('steps', [
    *[[step] for step in AUGMENTATION + AT_TEST], AUGMENTATION, AT_TEST])
def test_all_frames_are_changed_alike(steps):
    """A video whose frames are equal: whatever is drawn, they are equal after it."""
    results = set()
    for seed in range(12):
        np.random.seed(seed)
        random.seed(seed)
        pipeline = Compose([TRANSFORMS.build(step) for step in steps])
        out = pipeline(images())['imgs']
        assert len(out) == 20
        for image in out[1:]:
            np.testing.assert_array_equal(image, out[0])
        results.add(out[0].tobytes())
    if steps == AUGMENTATION:
        assert len(results) == 12  # and something is drawn at all


def test_packed_frames_are_let_go():
    sample = sampled(80)
    sample.update(images(20), duration=3.2)
    listed = sample['imgs']
    packed = PackTALInputs()(sample)
    assert packed['inputs'].shape == (3, 20, 48, 64)
    np.testing.assert_array_equal(packed['inputs'][:, 3].permute(1, 2, 0), images()['imgs'][3])
    assert not any(image is not None for image in listed) and 'imgs' not in sample
    meta = packed['data_samples'].metainfo
    assert meta['num_steps'] == 20 and meta['grid'] == replace(meta['grid'], num_steps=20)


def test_features_have_no_number_of_steps():
    sample = dict(rows=np.zeros((5, 2), np.float32), num_steps=7)
    assert 'num_steps' not in PackTALInputs()(sample)['data_samples']


def test_colours_change_as_in_mmaction():
    """Where MMAction2's own can be run: without a shift of the hue, or with a positive one."""
    from mmaction.datasets.transforms.processing import ColorJitter
    for hue in (0., (0.05, 0.1)):
        found = []
        for kind in (ColorJitterFrames, ColorJitter):
            np.random.seed(3)
            found.append(kind(hue=hue).transform(images(3))['imgs'])
        np.testing.assert_array_equal(*found)
        assert not np.array_equal(found[0][0], images()['imgs'][0])
