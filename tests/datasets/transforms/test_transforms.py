import math

import numpy as np
import pytest
import torch

from cltdr_mm.datasets import LoadTALFeature, PackTALInputs, RandomCropFeature, ResizeFeature
from cltdr_mm.datasets.transforms.resize import resample
from cltdr_mm.structures import FeatureGrid


def sample(total=500, count=12, seed=0, stride=4, window=16, longest=60.0):
    """A loaded sample whose two channels count the steps."""
    rng = np.random.default_rng(seed)
    grid = FeatureGrid(fps=30, stride=stride, window=window, num_steps=total)
    seconds = np.sort(rng.uniform(0, grid.extent, (count, 2)), axis=1)
    seconds[:, 1] = np.minimum(seconds[:, 1], seconds[:, 0] + rng.uniform(0.5, longest, count))
    return dict(
        rows=np.arange(total, dtype=np.float32)[:, None].repeat(2, 1),
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
    grid, rows = after['grid'], after['rows']
    assert rows.shape == (200, 2) and rows.flags.c_contiguous and grid.num_steps == 200
    # features and grid were moved together
    np.testing.assert_array_equal(rows[:, 0], np.arange(200) + grid.start)

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
        results = crop(dict(rows=np.zeros((100, 1), np.float32), grid=grid,
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
            rows=np.zeros((50000, 1), np.float32), grid=grid,
            gt_segments=np.array([[49000., 49004.]], np.float32), gt_labels=np.array([3])))
        assert results['gt_labels'].tolist() == [3]


def test_crop_of_an_action_far_longer_than_it():
    np.random.seed(0)
    grid = FeatureGrid(30, 4, 4, 1000)
    results = RandomCropFeature(100)(dict(
        rows=np.zeros((1000, 1), np.float32), grid=grid,
        gt_segments=np.array([[100., 900.], [200., 900.]], np.float32),
        gt_labels=np.array([1, 2])))
    # the crop shows at most 101 of 800 and of 700 steps: the second instance shows more
    assert results['gt_labels'].tolist() == [2]
    np.testing.assert_allclose(results['gt_segments'], [[-0.5, 99.5]])


def test_crop_when_all_instances_lie_outside_the_features():
    np.random.seed(0)
    results = RandomCropFeature(100)(dict(
        rows=np.zeros((300, 1), np.float32), grid=FeatureGrid(30, 4, 4, 300),
        gt_segments=np.array([[400., 500.]], np.float32), gt_labels=np.array([1])))
    assert results['rows'].shape == (100, 1) and len(results['gt_labels']) == 0


@pytest.mark.parametrize('segment, cropped', [
    # only the last position shows a quarter of it, and what comes after was never there
    ([8., 14.], [2., 8.]),
    # likewise the first one
    ([-5., 1.], [-5., 1.]),
    # at other positions the crop ends where it sees nothing more
    ([2., 20.], None)])
def test_crop_at_the_ends_of_a_sequence_clips_nothing(segment, cropped):
    grid = FeatureGrid(30, 4, 4, 10)
    for seed in range(20):
        np.random.seed(seed)
        results = RandomCropFeature(4, 0.2)(dict(
            rows=np.zeros((10, 1), np.float32), grid=grid,
            gt_segments=np.array([segment], np.float32), gt_labels=np.array([1])))
        start = results['grid'].start
        if cropped is None:
            end = 14. if start == 6 else 3.5
            assert results['gt_segments'].tolist() == [[max(2. - start, -0.5), end]]
        else:
            assert start == (6 if segment[0] > 0 else 0)
            assert results['gt_segments'].tolist() == [cropped]


def test_crop_without_instances():
    results = RandomCropFeature(100)(dict(
        rows=np.zeros((300, 1), np.float32), grid=FeatureGrid(30, 4, 4, 300),
        gt_segments=np.zeros((0, 2), np.float32), gt_labels=np.zeros(0, int)))
    assert results['rows'].shape == (100, 1)


def test_crop_lengths():
    np.random.seed(0)
    lengths = set()
    for _ in range(300):
        results = RandomCropFeature(2304, 0.5, (0.9, 1.0))(sample(total=100))
        lengths.add(len(results['rows']))
    assert lengths == set(range(90, 101))
    # no ratio: short sequences stay whole, untouched
    before = sample(total=100)
    after = RandomCropFeature(2304)(dict(before))
    assert after['grid'] == before['grid']
    np.testing.assert_array_equal(after['gt_segments'], before['gt_segments'])


def test_a_short_crop_does_not_keep_the_video():
    """Nor is a long one copied; a worker sends the crop alone either way."""
    for length, copied in ((100, True), (400, False)):
        before = sample()
        after = RandomCropFeature(length)(dict(before))
        assert np.shares_memory(after['rows'], before['rows']) != copied
        storage = PackTALInputs()(after)['inputs'].rows.untyped_storage()
        assert storage.nbytes() == length * 2 * 4


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
    assert after['rows'].shape == (length, 2) and after['rows'].dtype == np.float32
    assert after['grid'].num_steps == length
    assert after['grid'].extent == pytest.approx(before['grid'].extent)
    np.testing.assert_allclose(
        after['grid'].to_seconds(after['gt_segments'].astype(float)), seconds, atol=1e-3)


def test_resize_values_lie_where_the_grid_says():
    """With window = stride, a ramp over time stays that ramp over seconds."""
    before = sample(total=100, window=4)
    before['rows'] = before['grid'].to_seconds(
        np.arange(100, dtype=np.float64))[:, None].astype(np.float32)
    after = ResizeFeature(37)(before)
    expected = after['grid'].to_seconds(np.arange(37, dtype=np.float64))
    np.testing.assert_allclose(after['rows'][1:-1, 0], expected[1:-1], rtol=1e-5)


@pytest.mark.parametrize('total, length', [(50, 192), (700, 192), (64, 64), (1, 10), (7, 1)])
def test_resize_interpolates_as_torch_does(total, length):
    rows = np.random.default_rng(0).standard_normal((total, 3)).astype(np.float32)
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(rows.T.copy()).double()[None], length, mode='linear')[0].T
    before = rows.copy()
    found = resample(rows, length)
    assert found.flags.c_contiguous and found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(rows, before)


def roi_align(rows, length):
    """Aligned RoI align of the whole sequence, sample by sample (He et al., Mask R-CNN)."""
    total, size = len(rows), len(rows) / length
    count = math.ceil(size)  # samples of a bin
    result = np.zeros((length, rows.shape[1]))
    for step in range(length):
        for sample_of_bin in range(count):
            place = -0.5 + step * size + (sample_of_bin + 0.5) * size / count
            place = min(max(place, 0), total - 1)
            low = int(place)
            high = min(low + 1, total - 1)
            result[step] += (rows[low] * (low + 1 - place) + rows[high] * (place - low)) / count
    return result


@pytest.mark.parametrize('total', [1, 50, 191, 192, 193, 700, 1000])
def test_resize_by_averages_is_roi_align(total):
    rows = np.random.default_rng(0).standard_normal((total, 3)).astype(np.float32)
    found = ResizeFeature(192, average=True)(dict(sample(total=total, count=0), rows=rows))['rows']
    np.testing.assert_allclose(found, roi_align(rows, 192), rtol=0, atol=1e-4)
    assert found.dtype == np.float32
    assert np.allclose(found, resample(rows, 192), atol=1e-5) == (total <= 192)


@pytest.mark.parametrize('window', [4, 16, 2])
def test_resize_has_one_grid(window):
    """A video that has the length already lies where its neighbours in length do."""
    made = {total: ResizeFeature(100)(sample(total=total, window=window, count=0))
            for total in (99, 100, 101)}
    first, fits, last = (made[total]['grid'].to_seconds(np.array([0., 50., 99.]))
                         for total in (99, 100, 101))
    # a step more or less moves no step by more than that one step
    assert (np.abs(fits - (first + last) / 2) < 1e-6).all()
    assert (np.abs(last - first) <= 2 * 4 / 30).all()
    np.testing.assert_array_equal(made[100]['rows'][:, 0], np.arange(100))
    np.testing.assert_array_equal(resample(made[100]['rows'], 100), made[100]['rows'])


def test_resize_of_the_right_length_moves_segments_with_the_grid():
    before = sample(total=100, window=16, count=5)
    seconds = before['grid'].to_seconds(before['gt_segments'].astype(float))
    after = ResizeFeature(100)(dict(before))
    assert after['grid'] != before['grid']
    np.testing.assert_allclose(after['grid'].to_seconds(after['gt_segments'].astype(float)),
                               seconds, atol=1e-4)


def test_resize_in_inference_and_before_crops():
    results = sample(total=60)
    del results['gt_segments']
    assert ResizeFeature(30)(results)['rows'].shape == (30, 2)
    cropped = RandomCropFeature(200)(sample())
    if cropped['grid'].start:
        with pytest.raises(ValueError, match='before cropping'):
            ResizeFeature(50)(cropped)
    with pytest.raises(ValueError, match='length'):
        ResizeFeature(0)
    assert repr(ResizeFeature(5)) == 'ResizeFeature(length=5, average=False)'


@pytest.mark.parametrize('transform', [
    RandomCropFeature(), ResizeFeature(9), PackTALInputs()], ids=lambda t: type(t).__name__)
@pytest.mark.parametrize('beside', [False, True])
def test_a_transform_of_the_first_version_is_told(transform, beside):
    results = sample(total=30, count=2)
    results['feats'] = results['rows'].T
    if not beside:
        del results['rows']
    with pytest.raises(TypeError) as caught:
        transform(results)
    assert str(caught.value) == (f'{type(transform).__name__}: `feats` (C, T) is gone: '
                                 'write `rows` (T, C)')


def test_a_transform_of_the_first_version_reads_in_vain(tmp_path):
    """Asking a loaded sample for its features by their old name is no silent miss."""
    np.save(tmp_path / 'v.npy', np.zeros((6, 2), np.float32))
    loaded = LoadTALFeature()(dict(
        video_name='v', feature_paths=[str(tmp_path / 'v.npy')], duration=3., fps=2., stride=1,
        window=1))
    for read in (lambda: loaded['feats'], lambda: loaded.get('feats')):
        with pytest.raises(TypeError, match=r'`feats` \(C, T\) is gone: write `rows`'):
            read()
    assert loaded.get('nothing', 3) == 3 and loaded['rows'].shape == (6, 2)
    with pytest.raises(KeyError, match='nothing'):
        loaded['nothing']


@pytest.mark.parametrize('turn', [lambda a: a[::-1], lambda a: a[::2], lambda a: a.T.copy().T])
def test_pack_copies_what_is_not_contiguous(turn):
    results = sample(total=30)
    results['rows'] = turn(results['rows'])
    rows = PackTALInputs()(results)['inputs'].rows
    assert rows.is_contiguous() and rows.untyped_storage().nbytes() == rows.numel() * 4
    np.testing.assert_array_equal(rows.numpy(), results['rows'])


def test_pack():
    results = dict(sample(total=30, count=2), video_name='a', duration=4.5, fps=30,
                   window_index=1, num_windows=3, subset='x')
    packed = PackTALInputs()(dict(results))
    assert set(packed) == {'inputs', 'data_samples'}
    rows = packed['inputs'].rows
    assert rows.shape == (30, 2) and rows.dtype == torch.float32
    assert set(packed['data_samples'].metainfo) == {
        'video_name', 'duration', 'fps', 'grid', 'window_index', 'num_windows'}
    instances = packed['data_samples'].gt_instances
    assert instances.segments.shape == (2, 2) and instances.labels.tolist() == [0, 1]
    packed = PackTALInputs(meta_keys=('video_name', 'subset'))(dict(results))
    assert set(packed['data_samples'].metainfo) == {'video_name', 'subset'}
    packed = PackTALInputs(meta_keys=())(dict(results, class_agnostic=True))
    assert packed['data_samples'].metainfo == dict(class_agnostic=True)  # whatever the keys
    del results['gt_segments']
    assert 'gt_instances' not in PackTALInputs()(results)['data_samples']
    assert 'subset' in repr(PackTALInputs(meta_keys=('subset',)))
