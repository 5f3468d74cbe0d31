"""Data sets of videos: what a sample holds, and what is refused before a training."""
import numpy as np
import pytest
from numbered_videos import VideoSet, number, steady, write

from cltdr_mm.datasets import (
    TALDataError,
    TALVideoDataset,
    THUMOS14VideoDataset,
)
from cltdr_mm.datasets.benchmarks import THUMOS14Dataset

pytest.importorskip('av', reason='PyAV is not installed: pip install av')


@pytest.fixture
def videos(tmp_path):
    return VideoSet(tmp_path)


def numbers(sample):
    """Numbers that the frames of a packed sample show."""
    return [number(image) for image in sample['inputs'].permute(1, 2, 3, 0).numpy()]


def fails(videos, *parts, **changes):
    with pytest.raises(TALDataError) as caught:
        videos.build(**changes)
    for part in parts:
        assert part in str(caught.value), f'{part!r} is not in:\n{caught.value}'
    return caught.value


def test_a_sample(videos):
    data = videos.build(subset='training')
    assert isinstance(data, TALVideoDataset) and len(data) == 2
    sample = data[0]
    assert sample['inputs'].shape == (3, 25, 48, 64)
    assert numbers(sample) == list(range(0, 100, 4))
    meta = sample['data_samples'].metainfo
    assert meta['num_steps'] == 25 and meta['video_name'] == 'v0' and meta['fps'] == 25
    grid = meta['grid']
    assert (grid.stride, grid.window, grid.num_steps, grid.start) == (4, 0, 25, 0)
    # 0.4 s is frame 10, which is step 2.5
    np.testing.assert_allclose(sample['data_samples'].gt_instances.segments[0], [2.5, 7.5])


def test_several_frames_a_step_and_another_rate(videos):
    sample = videos.build(subset='test', fps=50, feature_stride=8, frames_per_step=4)[0]
    # 75 frames are 150 of the rate, read every 2: 75, of which 72 make 18 steps
    assert numbers(sample) == list(range(72))
    assert sample['data_samples'].num_steps == 18
    np.testing.assert_allclose(sample['data_samples'].gt_instances.segments[0], [2.5, 7.5])


def test_a_variable_rate_is_read_by_time(videos):
    times = np.cumsum([0, *[20] * 60, *[80] * 39])
    write(videos.video('v0'), times)
    videos.database['v0']['duration'] = (times[-1] + 40) / 1000
    frames = numbers(videos.build(subset='training', length_tolerance=0.1)[0])
    moments = 40 * (4 * np.arange(len(frames)) + 0.5)
    assert frames == (np.searchsorted(times, moments, 'right') - 1).tolist()


def test_windows_cover_the_video(videos):
    data = videos.build(subset='training', test_mode=True, window=dict(size=20, overlap=0.25))
    second = [data[i] for i in range(len(data)) if data.get_data_info(i)['video_name'] == 'v1']
    starts = [sample['data_samples'].grid.start for sample in second]
    assert starts == [0, 15, 30, 33]  # 210 frames are 53 steps
    assert [numbers(sample)[0] for sample in second] == [4 * start for start in starts]
    assert numbers(second[-1])[-1] == 208
    meta = [sample['data_samples'].metainfo for sample in second]
    assert [m['window_index'] for m in meta] == [0, 1, 2, 3] and meta[0]['num_windows'] == 4


def test_windows_keep_what_their_frames_show(videos):
    """Steps 0 to 15 show frames 0 to 63, the next window frames 64 to 127."""
    videos.database['v1']['annotations'] = [dict(segment=[2., 3.2], label='run')]
    data = videos.build(subset='training', feature_window=2, filter_cfg=dict(filter_empty_gt=False),
                        window=dict(size=16, overlap=0, min_visible=0.2))
    found = [data.get_data_info(i)['gt_segments'] for i in range(len(data))
             if data.get_data_info(i)['video_name'] == 'v1'][:2]
    np.testing.assert_allclose(np.concatenate(found), [[2., 2.56], [2.56, 3.2]])
    segments = data[2]['data_samples'].gt_instances.segments
    assert data.get_data_info(2)['window'] == 2
    np.testing.assert_allclose(segments, [[(50 - 1) / 4, (64 - 1) / 4]])


def test_the_last_step_needs_all_its_frames(videos):
    """210 frames, one in two read, two a step: frames 208 and 210 would make step 52."""
    data = videos.build(subset='training', frames_per_step=2, window=dict(size=20, overlap=0.))
    last = data[len(data) - 1]
    assert last['data_samples'].grid.start == 33 and last['data_samples'].num_steps == 19
    assert numbers(last)[-1] == 206


def test_resized_videos(videos):
    data = videos.build(feature_stride=None, num_steps=16, frames_per_step=2)
    for i, total in enumerate((100, 210, 75)):
        sample = data[i]
        centres = (np.arange(32) + 0.5) * total / 32 - 0.5
        assert numbers(sample) == centres.round().astype(int).tolist()
        segments = sample['data_samples'].gt_instances.segments
        np.testing.assert_allclose(segments[0], np.array([0.4, 1.2]) * 25 / total * 16, rtol=1e-5)
        assert segments[1, 1] == 16


def test_a_video_shorter_than_a_step(videos):
    write(videos.video('v2'), steady(3))
    videos.database['v2'].update(duration=0.12, annotations=[])
    sample = videos.build(subset='test', test_mode=True, frames_per_step=4)[0]
    assert numbers(sample) == [0, 1, 2, 2] and sample['data_samples'].num_steps == 1


def test_all_that_is_wrong_is_listed(videos):
    videos.video('v0').unlink()
    videos.video('v1').write_bytes(b'')
    videos.database['v2']['duration'] = 5.
    error = fails(videos, "'v0': video: there is no file of this name (.mp4",
                  "video 'v1': video: the video cannot be decoded",
                  "video 'v2': duration: is 3.00 s long, but the annotation says 5.00 s")
    assert len(error.problems) == 3


@pytest.mark.parametrize('level', ['full', 'header'])
def test_files_that_are_no_videos(videos, level):
    import av
    videos.video('v1').write_bytes(b'not a video' * 1000)
    with av.open(str(videos.video('v0')), 'w') as container:  # sound alone
        stream = container.add_stream('aac', rate=16000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 16000), np.float32), 'fltp', 'mono')
        frame.rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    fails(videos, "'v0': video: this file has no video stream", "'v1': video: the video cannot",
          check_videos=level)


def test_a_file_that_is_cut_off(videos):
    whole = write(videos.root / 'whole.mkv', steady(210))
    data = open(whole, 'rb').read()
    videos.video('v1').unlink()
    (videos.root / 'videos' / 'v1.mkv').write_bytes(data[:len(data) // 2])
    fails(videos, "'v1': video:", 'of 8.40 s could be read', 'cut off or damaged')
    # the header says that all is there; what is missing is found when it is read
    data = videos.build(subset='training', check_videos='header')
    with pytest.raises(TALDataError, match="v1.mkv: video 'v1': video: ends after"):
        data[1]


def test_videos_that_are_left_out(videos, mm_log):
    videos.video('v0').write_bytes(b'')
    data = videos.build(subset='training', on_error='skip')
    assert [data.get_data_info(i)['video_name'] for i in range(len(data))] == ['v1']
    assert 'skipped 1 item' in mm_log.text and 'v0' in mm_log.text


def test_folders(videos, tmp_path):
    fails(videos, 'there is no such folder', data_prefix=dict(video='nowhere'))
    fails(videos, 'there is no such folder', data_prefix=dict(video='nowhere'), check_videos=False)
    (tmp_path / 'empty').mkdir()
    error = fails(videos, 'has no video file', data_prefix=dict(video='empty'))
    assert len(error.problems) == 1  # not one a video


def test_sub_folders(videos):
    """As EPIC-KITCHENS and THUMOS14 come: names of videos do not mention them."""
    folder = videos.root / 'videos' / 'P01' / 'videos'
    folder.mkdir(parents=True)
    videos.video('v0').rename(folder / 'v0.MP4')
    assert numbers(videos.build(subset='training')[0]) == list(range(0, 100, 4))
    (folder.parent / 'v0.MP4').write_bytes(b'')
    fails(videos, "'v0': video: several sub-folders have a file of this name")
    videos.database['P01/videos/v0'] = videos.database.pop('v0')
    assert len(videos.build(subset='training')) == 2


def test_unchecked_videos_are_measured_when_they_are_read(videos):
    data = videos.build(subset='test', check_videos=False)
    assert data.get_data_info(0)['num_frames'] is None
    assert numbers(data[0]) == list(range(0, 75, 4))
    videos.video('v2').write_bytes(b'')
    with pytest.raises(TALDataError, match="v2.mp4: video 'v2': video: the video cannot be"):
        data[0]


@pytest.mark.parametrize('changes, message', [
    (dict(frames_per_step=3), 'feature_stride 4 must be a multiple of frames_per_step 3'),
    (dict(num_steps=16), 'give one of feature_stride and num_steps'),
    (dict(feature_stride=None), 'give one of feature_stride and num_steps'),
    (dict(feature_stride=2.5), 'must be a whole number from 1, got 2.5'),
    (dict(feature_window=-1), 'must not be negative'),
    (dict(check_videos='all'), "must be 'full', 'header' or False"),
    (dict(feature_stride=None, num_steps=8, window=dict(size=4)), 'window cuts videos'),
    (dict(window=dict(size=4, overlap=1.)), 'cannot overlap'),
])
def test_arguments(videos, changes, message):
    with pytest.raises(ValueError, match=message):
        videos.build(**changes)


def test_arguments_of_features_are_refused(videos):
    with pytest.raises(TypeError, match='takes no check_features; write check_videos'):
        videos.build(check_features='header')
    with pytest.raises(TypeError, match='takes no feature_dim, layout'):
        videos.build(layout='channel_major', feature_dim=3)
    with pytest.raises(TypeError, match='must be one folder'):
        videos.build(data_prefix=dict(video=['a', 'b']))
    with pytest.raises(ValueError, match='data_prefix takes video'):
        videos.build(data_prefix=dict(feats='a'))


def test_benchmarks_keep_what_is_known_of_them(videos):
    settings = videos.settings(lazy_init=True)
    del settings['type'], settings['metainfo']
    data = THUMOS14VideoDataset(**settings)
    assert data.metainfo['classes'] == THUMOS14Dataset.METAINFO['classes']
    assert data.metainfo['protocol'] == 'thumos14'
    assert set(data.feature_spec.exempt_videos) == set(THUMOS14Dataset.EXEMPT_VIDEOS)


def test_workers_decode(videos):
    from torch.utils.data import DataLoader
    data = videos.build(subset='training')
    loader = DataLoader(data, batch_size=None, num_workers=1, collate_fn=None)
    for i, sample in enumerate(loader):
        assert sample['inputs'].equal(data[i]['inputs'])
