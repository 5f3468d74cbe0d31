"""Frames by their time stamps: every one at its moment and upright, or an error with its share."""
from fractions import Fraction

import numpy as np
import pytest

from cltdr_mm.apis.features.video_features import VideoFeatureExtractor
from cltdr_mm.apis.inference.input_list import list_inputs
from cltdr_mm.apis.inference.inputs import SampleMaker
from cltdr_mm.datasets.feature_source import FeatureSource
from cltdr_mm.datasets.videos.video_frames import check_video, read_frames

av = pytest.importorskip('av', reason='PyAV is not installed: pip install av')


def write(path, times, image=lambda k: np.full((48, 64, 3), 4 * k, np.uint8), codec='mpeg4',
          matrix=None, again=(), base=Fraction(1, 1000)):
    """Frames at times of a base, some ``again`` with that of the one before; turned for display."""
    with av.open(str(path), 'w') as container:
        stream = container.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, 'yuv420p'
        stream.bit_rate = 4_000_000
        stream.time_base = stream.codec_context.time_base = base
        if matrix is not None:
            stream.set_display_rotation(*matrix)
        for k, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(image(k), format='rgb24')
            frame.pts, frame.time_base = time, base
            for packet in stream.encode(frame):
                if k in again:
                    packet.pts = packet.dts = times[k - 1]
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


def shades(path, fps=None, **kwargs):
    """Number of the frame that every frame read shows."""
    return [round(np.median(frame) / 4) for frame, _ in read_frames(path, fps, 32, 24, **kwargs)]


@pytest.mark.parametrize('kind', ['mp4', 'mkv', 'mov'])
@pytest.mark.parametrize('start', [0, 700])
def test_a_variable_rate_is_resampled_by_time(tmp_path, kind, start):
    """Ten frames of 0.1 s, five of 0.4 s, ten of 0.05 s."""
    durations = [100] * 10 + [400] * 5 + [50] * 10
    begins = np.cumsum([0, *durations[:-1]])
    path = write(tmp_path / f'v.{kind}', (begins + start).tolist())
    found = shades(path, 20.0)
    moments = (np.arange(len(found)) + 0.5) * 1000 / 20
    expected = np.searchsorted(begins, moments, 'right') - 1
    assert abs(len(found) - 3.5 * 20) <= 1
    np.testing.assert_array_equal(found, expected)
    assert check_video(path) == pytest.approx(3.5, abs=0.06)


@pytest.fixture
def fixture(shared_data):
    return lambda name: shared_data / 'fixtures/bugs/files' / name


def test_a_gap_is_an_error_that_names_it(fixture, tmp_path):
    path = fixture('pts_gap.mkv')
    for read in (check_video, shades):
        with pytest.raises(ValueError, match=r'pts_gap\.mkv: after the frame at 0\.627 s the next '
                           r'time stamp is 10000000\.660 s, a gap of 10000000\.033 s; 60 s are'):
            read(path)
    still = write(tmp_path / 'v.mp4', [0, 100, 200, 3200, 3300])
    assert shades(still, 10.0) == [0, 1] + [2] * 30 + [3, 4]
    for read in (check_video, shades):
        with pytest.raises(ValueError, match=r'v\.mp4: .* gap of 3\.000 s; 2\.5 s are allowed'):
            read(still, max_gap=2.5)


def test_a_file_that_is_cut_off(fixture, tmp_path):
    path = fixture('tr.mkv')
    for read in (check_video, shades):
        with pytest.raises(ValueError, match=r'tr\.mkv: 1\.53 of 3\.33 s could be read \(46 %\)'):
            read(path)
    assert len(shades(path, min_read=0.4)) == 46


@pytest.mark.parametrize('kind', ['mkv', 'mp4', 'avi', 'flv'])
def test_every_container_that_is_cut_off(tmp_path, kind):
    noise = np.random.default_rng(0).integers(0, 255, (50, 48, 64, 3), dtype=np.uint8)
    path = tmp_path / f'v.{kind}'
    if kind == 'mp4':  # the table of frames goes first, so that the rest can be cut
        whole = write(tmp_path / 'w.mp4', range(0, 5000, 100), lambda k: noise[k])
        with av.open(str(whole)) as source, av.open(
                str(path), 'w', options=dict(movflags='faststart')) as target:
            stream = target.add_stream_from_template(source.streams.video[0])
            for packet in source.demux(video=0):
                if packet.dts is not None:
                    packet.stream = stream
                    target.mux(packet)
    else:
        write(path, range(50), lambda k: noise[k], dict(flv='flv').get(kind, 'mpeg4'),
              base=Fraction(1, 10))
    assert len(shades(path)) == 50 and check_video(path) == pytest.approx(5, abs=0.01)
    data = path.read_bytes()
    path.write_bytes(data[:int(0.6 * len(data))])
    for read in (check_video, shades):
        with pytest.raises(ValueError, match=rf'v\.{kind}: .* of 5\.00 s could be read'):
            read(path)


def test_frames_of_one_time(fixture, tmp_path):
    with pytest.raises(ValueError, match=r'pts_same\.mkv: 1 of 40 frames could be read: the time '):
        shades(fixture('pts_same.mkv'))
    # one of many is not shown by any player either
    path = write(tmp_path / 'v.mkv', range(0, 3000, 20),
                 lambda k: np.full((48, 64, 3), k, np.uint8), again=[100])
    found = [round(np.median(frame)) for frame, _ in read_frames(path, 50.0, 32, 24)]
    np.testing.assert_allclose(found[:150], np.r_[:99, 100, 100:150], atol=1)
    with pytest.raises(ValueError, match=r'v\.mkv: 149 of 150 frames could be read: the time st'):
        shades(path, min_read=1.0)


def quarters(k):
    """Red at the top left, green at the top right, blue at the bottom left, black."""
    image = np.zeros((48, 64, 3), np.uint8)
    image[:24, :32, 0] = image[:24, 32:, 1] = image[24:, :32, 2] = 255
    return image


UPRIGHT = np.array([['r', 'g'], ['b', '-']])


@pytest.mark.parametrize('matrix, expected', [
    (None, UPRIGHT), ((0, ), UPRIGHT), ((90, ), np.rot90(UPRIGHT)), ((180, ), np.rot90(UPRIGHT, 2)),
    ((-90, ), np.rot90(UPRIGHT, -1)), ((270, ), np.rot90(UPRIGHT, 3)),
    ((0, True), UPRIGHT[:, ::-1]), ((0, False, True), UPRIGHT[::-1]),
    ((90, True), np.rot90(UPRIGHT)[:, ::-1]), ((-90, False, True), np.rot90(UPRIGHT, -1)[::-1])])
def test_frames_are_turned_upright(tmp_path, matrix, expected):
    """The angle is counter-clockwise, mirrors follow it; as PyAV documents them."""
    path = write(tmp_path / 'v.mp4', range(0, 500, 100), quarters, matrix=matrix)
    for frame, _ in read_frames(path, None, 48, 40):
        assert frame.shape == (40, 40, 3)
        corners = frame[[8, 8, 32, 32], [8, 32, 8, 32]].astype(int)
        found = ['rgb'[c.argmax()] if c.max() > 128 else '-' for c in corners]
        assert found == expected.ravel().tolist()


def test_a_turned_video_that_was_reported(fixture):
    frames = [frame for frame, _ in read_frames(fixture('rot90.mp4'), None, 48, 48)]
    assert len(frames) == 5
    with av.open(str(fixture('rot90.mp4'))) as container:
        raw = next(container.decode(video=0)).to_ndarray(format='rgb24')
    # the file has a bright half at the top, shown on the right
    assert raw[:20].mean() > 250 > 5 > raw[28:].mean()
    assert frames[0][:, 28:].mean() > 250 > 5 > frames[0][:, :20].mean()


def test_an_angle_that_is_not_read(tmp_path):
    path = write(tmp_path / 'v.mp4', [0, 100], quarters, matrix=(30, ))
    with pytest.raises(ValueError, match=r'v\.mp4: is to be shown at an angle of -?30 degrees'):
        shades(path)


def test_videos_are_checked_before_the_first_one_runs(fixture, tmp_path):
    extractor = VideoFeatureExtractor.__new__(VideoFeatureExtractor)
    extractor.max_gap, extractor.min_read = 60.0, 0.99
    good = write(tmp_path / 'a.mp4', range(0, 500, 100))
    made = SampleMaker([], FeatureSource(), None, extractor)
    assert len(made.complete(list_inputs([good]))) == 1
    with pytest.raises(ValueError, match=r"tr\.mkv: video 'tr': video: 1\.53 of 3\.33 s could "):
        made.complete(list_inputs([good, fixture('tr.mkv')]))


def test_no_video(tmp_path):
    (tmp_path / 'v.mp4').write_bytes(b'nothing' * 99)
    for read in (check_video, shades):
        with pytest.raises(ValueError, match=r'v\.mp4: the video cannot be decoded'):
            read(tmp_path / 'v.mp4')
    with av.open(str(tmp_path / 'sound.mp4'), 'w') as container:
        stream = container.add_stream('aac', rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), 'fltp', 'mono')
        frame.sample_rate = 8000
        for packet in [*stream.encode(frame), *stream.encode()]:
            container.mux(packet)
    for read in (check_video, shades):
        with pytest.raises(ValueError, match=r'sound\.mp4: this file has no video stream'):
            read(tmp_path / 'sound.mp4')
