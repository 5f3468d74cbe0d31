"""Videos with labels drawn on them."""
import numpy as np
import pytest

from cltdr_mm.apis.inference.labelled_video import write_labelled_video

av = pytest.importorskip('av', reason='PyAV is not installed: pip install av')
RATE, SECONDS = 10, 4


def write(path, sound=None, size=(160, 122)):
    """Grey frames, and a tone."""
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('mpeg4', rate=RATE)
        stream.width, stream.height, stream.pix_fmt = *size, 'yuv420p'
        if sound:
            tone = container.add_stream(sound, rate=16000, layout='mono')
        for _ in range(RATE * SECONDS):
            image = np.full((size[1], size[0], 3), 128, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format='rgb24')))
        container.mux(stream.encode())
        if sound:
            wave = (8000 * np.sin(np.arange(16000 * SECONDS) / 9)).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(wave[None], format='s16', layout='mono')
            frame.sample_rate = 16000
            container.mux(tone.encode(frame))
            container.mux(tone.encode())


def read(path):
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format='rgb24') for frame in container.decode(video=0)]


def test_labels_are_on_the_frames_that_they_run_on(tmp_path):
    write(tmp_path / 'v.mp4')
    rows = [dict(label='run', segment=[1.0, 2.0], score=.8),
            dict(label='jump', segment=[3.5, 9.0], score=.3)]
    assert write_labelled_video(tmp_path / 'v.mp4', tmp_path / 'new' / 'out.mp4', rows, ['run'])
    frames = read(tmp_path / 'new' / 'out.mp4')
    assert len(frames) == RATE * SECONDS and frames[0].shape == (122, 160, 3)
    drawn = [i for i, frame in enumerate(frames) if np.abs(frame.astype(int) - 128).max() > 50]
    assert drawn == [*range(10, 20), *range(35, 40)]
    assert [path.name for path in (tmp_path / 'new').iterdir()] == ['out.mp4']


@pytest.mark.parametrize('sound, kept', [('aac', True), ('pcm_s16le', False)])
def test_sound(tmp_path, sound, kept):
    write(tmp_path / 'v.mkv', sound)
    assert write_labelled_video(tmp_path / 'v.mkv', tmp_path / 'out.mp4', []) == kept
    with av.open(str(tmp_path / 'out.mp4')) as container:
        assert len(container.streams.audio) == kept
        if kept:
            samples = sum(frame.samples for frame in container.decode(audio=0))
            assert samples == pytest.approx(16000 * SECONDS, rel=0.05)


def test_a_video_that_is_cut_off_leaves_nothing(tmp_path):
    write(tmp_path / 'v.avi')
    content = (tmp_path / 'v.avi').read_bytes()
    (tmp_path / 'v.avi').write_bytes(content[:len(content) // 2])
    with pytest.raises(ValueError, match=r'v\.avi'):
        write_labelled_video(tmp_path / 'v.avi', tmp_path / 'out.mp4', [])
    assert [path.name for path in tmp_path.iterdir()] == ['v.avi']
