"""Chosen frames are those that reading the whole video would give."""
import numpy as np
import pytest
from numbered_videos import number, steady, write

from cltdr_mm.datasets.videos.sampled_frames import frames_at, frames_within, video_length
from cltdr_mm.datasets.videos.video_frames import check_video, read_frames

av = pytest.importorskip('av', reason='PyAV is not installed: pip install av')


def uneven(count):
    """Now 20 ms, now 90 ms, now 40 ms a frame."""
    return np.cumsum([0, *np.resize([20] * 15 + [90] * 10 + [40] * 7, count - 1)]).tolist()


@pytest.mark.parametrize('kind, times', [
    ('avi', steady(250)),
    *((kind, times) for kind in ('mp4', 'mkv')
      for times in (steady(250), steady(250, start=700), uneven(250)))])
def test_frames_are_those_of_the_whole_video(tmp_path, kind, times):
    path = write(tmp_path / f'v.{kind}', times, 'mpeg4' if kind == 'avi' else 'libx264')
    for fps in (25., 10., 30.):
        whole = [number(image) for image, _ in read_frames(path, fps, 48, None)]
        assert len(whole) == frames_within(check_video(path), fps)
        for first in (0, 7, len(whole) // 2, len(whole) - 9):
            wanted = [first, first + 3, first + 3, first + 8]
            found = [number(image) for image in frames_at(path, fps, wanted)]
            assert found == [whole[k] for k in wanted], (fps, first)


@pytest.mark.parametrize('gop', [1, 250])
def test_all_frames_from_anywhere(tmp_path, gop):
    path = write(tmp_path / 'v.mp4', steady(150), gop=gop)
    for first in range(0, 150, 17):
        found = [number(image) for image in frames_at(path, 25, range(first, 150))]
        assert found == list(range(first, 150))


def test_frames_are_scaled_and_turned(tmp_path):
    path = write(tmp_path / 'v.mp4', steady(150), turn=90)
    image, = frames_at(path, 25, [120], short_side=24)
    whole = [image for image, _ in read_frames(path, 25, 24, None)]
    np.testing.assert_array_equal(image, whole[120])
    assert image.shape == (32, 24, 3)
    assert next(frames_at(path, 25, [3])).shape == (64, 48, 3)


def test_a_little_past_the_end_repeats_the_last_frame(tmp_path):
    path = write(tmp_path / 'v.mp4', steady(100))
    found = [number(image) for image in frames_at(path, 25, [98, 99, 100, 101])]
    assert found == [98, 99, 99, 99]
    with pytest.raises(ValueError, match=r'v.mp4: ends after 4.00 s, but its frame at 6.00 s'):
        list(frames_at(path, 25, [98, 150]))


def test_numbers_must_not_fall(tmp_path):
    path = write(tmp_path / 'v.mp4', steady(20))
    for wanted in ([3, 2], [], [-1, 0]):
        with pytest.raises(ValueError, match='must not fall'):
            list(frames_at(path, 25, wanted))


def test_what_cannot_be_read_is_one_line(tmp_path):
    bad = tmp_path / 'bad.mp4'
    bad.write_bytes(b'no video at all' * 100)
    for read in (lambda: list(frames_at(bad, 25, [0])), lambda: video_length(bad)):
        with pytest.raises(ValueError, match='bad.mp4: the video cannot be decoded') as caught:
            read()
        assert '\n' not in str(caught.value)


@pytest.mark.parametrize('kind', ['mp4', 'mkv', 'avi'])
def test_header_knows_the_length(tmp_path, kind):
    codec = 'mpeg4' if kind == 'avi' else 'libx264'
    path = write(tmp_path / f'v.{kind}', steady(100), codec)
    assert video_length(path) == pytest.approx(check_video(path), abs=0.081)
