import numpy as np
import pytest
import torch

from cltdr_mm.datasets import PackTALInputs, RandomCropFeature, ResizeFeature
from cltdr_mm.structures import FeatureGrid


def sample(total=500, count=12, seed=0, stride=4, window=16, longest=60.0):
    """A loaded sample whose only channel counts the steps."""
    rng = np.random.default_rng(seed)
    grid = FeatureGrid(fps=30, stride=stride, window=window, num_steps=total)
    seconds = np.sort(rng.uniform(0, grid.extent, (count, 2)), axis=1)
    seconds[:, 1] = np.minimum(seconds[:, 1], seconds[:, 0] + rng.uniform(0.5, longest, count))
    return dict(
        feats=np.arange(total, dtype=np.float32)[None].repeat(2, 0),
        grid=grid,
        gt_segments=grid.to_grid(seconds).astype(np.float32),
        gt_labels=np.arange(count),  # tells which instance it was
        seconds=seconds)


@pytest.mark.parametrize('seed', range(25))
@pytest.mark.parametrize('stride,window', [(4, 16), (16, 16), (8, 2)])
@pytest.mark.parametrize('thresh', [0.3, 0.5])
def test_crop_keeps_what_should_stay(seed, stride, window, thresh):
    np.random.seed(seed)
    before = sample(seed=seed, stride=stride, window=window)
    seconds = before['seconds']
    after = RandomCropFeature(200, thresh, crop_ratio=(0.9, 1.0))(dict(before))
    grid, feats = after['grid'], after['feats']
    assert feats.shape == (2, 200) and grid.num_steps == 200
    # features and grid were moved together
    np.testing.assert_array_equal(feats[0], np.arange(200) + grid.start)

    # what the crop sees, in seconds
    half = max(0.5 * window, 0.5 * stride) / 30
    low = grid.to_seconds(0) - half
    high = grid.to_seconds(199) + half
    kept = dict(zip(after['gt_labels'].tolist(),
                    grid.to_seconds(after['gt_segments'].astype(float))))
    assert kept
    for i, (s, e) in enumerate(seconds):
        shown = (min(e, high) - max(s, low)) / (e - s)
        if shown >= thresh + 1e-4:
            assert i in kept, f'instance {i} shows {shown:.3f} and was lost'
        elif shown < thresh - 1e-4:
            assert i not in kept, f'instance {i} shows {shown:.3f} and was kept'
    for i, (s, e) in kept.items():
        first, last = seconds[i]
        # inside the crop times do not move; at its edges segments are clipped to what it sees
        at_start, at_end = grid.start == 0, grid.start + 200 == 500
        assert s == pytest.approx(first if at_start else max(first, low), abs=1e-3)
        assert e == pytest.approx(last if at_end else min(last, high), abs=1e-3)


def test_crop_positions_are_uniform_among_the_valid():
    """One instance of 10 steps in the middle: every start that shows half of it is as likely."""
    np.random.seed(0)
    crop = RandomCropFeature(20, 0.5)
    grid = FeatureGrid(30, 4, 4, 100)
    counts = np.zeros(81)
    for _ in range(4000):
        results = crop(dict(feats=np.zeros((1, 100), np.float32), grid=grid,
                            gt_segments=np.array([[50., 60.]], np.float32),
                            gt_labels=np.array([0])))
        counts[int(results['grid'].start)] += 1
        assert len(results['gt_labels']) == 1
    # at least 5 of its steps must lie in [start - 0.5, start + 19.5]
    valid = np.arange(81)
    valid = (np.minimum(60, valid + 19.5) - np.maximum(50, valid - 0.5)) >= 5
    assert (counts[~valid] == 0).all()
    expected = 4000 / valid.sum()
    assert (abs(counts[valid] - expected) < 5 * np.sqrt(expected)).all()


def test_crop_finds_a_rare_instance():
    """One short instance far out in a very long video, beyond what a few draws would find."""
    np.random.seed(0)
    grid = FeatureGrid(30, 4, 4, 50000)
    for _ in range(5):
        results = RandomCropFeature(50)(dict(
            feats=np.zeros((1, 50000), np.float32), grid=grid,
            gt_segments=np.array([[49000., 49004.]], np.float32), gt_labels=np.array([3])))
        assert results['gt_labels'].tolist() == [3]


def test_crop_of_an_action_far_longer_than_it():
    np.random.seed(0)
    grid = FeatureGrid(30, 4, 4, 1000)
    results = RandomCropFeature(100)(dict(
        feats=np.zeros((1, 1000), np.float32), grid=grid,
        gt_segments=np.array([[100., 900.], [200., 900.]], np.float32),
        gt_labels=np.array([1, 2])))
    # the crop shows at most 101 of 800 and of 700 steps: the second instance shows more
    assert results['gt_labels'].tolist() == [2]
    np.testing.assert_allclose(results['gt_segments'], [[-0.5, 99.5]])


def test_crop_when_all_instances_lie_outside_the_features():
    np.random.seed(0)
    results = RandomCropFeature(100)(dict(
        feats=np.zeros((1, 300), np.float32), grid=FeatureGrid(30, 4, 4, 300),
        gt_segments=np.array([[400., 500.]], np.float32), gt_labels=np.array([1])))
    assert results['feats'].shape == (1, 100) and len(results['gt_labels']) == 0


def test_crop_without_instances():
    results = RandomCropFeature(100)(dict(
        feats=np.zeros((1, 300), np.float32), grid=FeatureGrid(30, 4, 4, 300),
        gt_segments=np.zeros((0, 2), np.float32), gt_labels=np.zeros(0, int)))
    assert results['feats'].shape == (1, 100)


def test_crop_lengths():
    np.random.seed(0)
    lengths = set()
    for _ in range(300):
        results = RandomCropFeature(2304, 0.5, (0.9, 1.0))(sample(total=100))
        lengths.add(results['feats'].shape[1])
    assert lengths == set(range(90, 101))
    # no ratio: short sequences stay whole, untouched
    before = sample(total=100)
    after = RandomCropFeature(2304)(dict(before))
    assert after['grid'] == before['grid']
    np.testing.assert_array_equal(after['gt_segments'], before['gt_segments'])


def test_crop_is_seeded():
    def run():
        np.random.seed(7)
        return [RandomCropFeature(200)(sample())['grid'].start for _ in range(5)]
    assert run() == run() and len(set(run())) > 1


@pytest.mark.parametrize('kwargs', [
    dict(max_len=0), dict(trunc_thresh=1.5), dict(crop_ratio=(0.0, 1.0)),
    dict(crop_ratio=(0.9, 0.8)), dict(crop_ratio=(0.9, 1.1))])
def test_crop_arguments(kwargs):
    with pytest.raises(ValueError):
        RandomCropFeature(**kwargs)
    assert 'max_len=2304' in repr(RandomCropFeature())


@pytest.mark.parametrize('total,length', [(50, 192), (700, 192), (192, 192), (1, 10)])
@pytest.mark.parametrize('window', [4, 16])
def test_resize(total, length, window):
    before = sample(total=total, window=window, count=3)
    seconds = before['grid'].to_seconds(before['gt_segments'].astype(float))
    after = ResizeFeature(length)(dict(before))
    assert after['feats'].shape == (2, length) and after['feats'].dtype == np.float32
    assert after['grid'].num_steps == length
    assert after['grid'].extent == pytest.approx(before['grid'].extent)
    np.testing.assert_allclose(
        after['grid'].to_seconds(after['gt_segments'].astype(float)), seconds, atol=1e-3)


def test_resize_values_lie_where_the_grid_says():
    """With window = stride, a ramp over time stays that ramp over seconds."""
    before = sample(total=100, window=4)
    before['feats'] = before['grid'].to_seconds(
        np.arange(100, dtype=np.float64))[None].astype(np.float32)
    after = ResizeFeature(37)(before)
    expected = after['grid'].to_seconds(np.arange(37, dtype=np.float64))
    np.testing.assert_allclose(after['feats'][0, 1:-1], expected[1:-1], rtol=1e-5)


def test_resize_in_inference_and_before_crops():
    results = sample(total=60)
    del results['gt_segments']
    assert ResizeFeature(30)(results)['feats'].shape == (2, 30)
    cropped = RandomCropFeature(200)(sample())
    if cropped['grid'].start:
        with pytest.raises(ValueError, match='before cropping'):
            ResizeFeature(50)(cropped)
    with pytest.raises(ValueError, match='length'):
        ResizeFeature(0)
    assert repr(ResizeFeature(5)) == 'ResizeFeature(length=5)'


def test_pack():
    results = dict(sample(total=30, count=2), video_name='a', duration=4.5, fps=30,
                   window_index=1, num_windows=3, subset='x')
    packed = PackTALInputs()(dict(results))
    assert set(packed) == {'inputs', 'data_samples'}
    assert packed['inputs'].shape == (2, 30) and packed['inputs'].dtype == torch.float32
    assert set(packed['data_samples'].metainfo) == {
        'video_name', 'duration', 'fps', 'grid', 'window_index', 'num_windows'}
    instances = packed['data_samples'].gt_instances
    assert instances.segments.shape == (2, 2) and instances.labels.tolist() == [0, 1]
    packed = PackTALInputs(meta_keys=('video_name', 'subset'))(dict(results))
    assert set(packed['data_samples'].metainfo) == {'video_name', 'subset'}
    del results['gt_segments']
    assert 'gt_instances' not in PackTALInputs()(results)['data_samples']
    assert 'subset' in repr(PackTALInputs(meta_keys=('subset',)))
