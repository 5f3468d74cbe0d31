"""Durations and frame rates, of video files or of a table."""
import unicodedata
from fractions import Fraction

import numpy as np
import pytest

from cltdr_mm.datasets import TALDataError
from cltdr_mm.datasets.labels import VideoFacts
from cltdr_mm.datasets.videos.video_facts import find_videos, list_videos, match_videos

av = pytest.importorskip('av', reason='PyAV is not installed: pip install av')


def write(path, frames, rate):
    path.parent.mkdir(exist_ok=True)
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('mpeg4', rate=rate)
        stream.width, stream.height, stream.pix_fmt = 64, 48, 'yuv420p'
        for _ in range(frames):
            frame = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format='rgb24')
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def test_a_folder(tmp_path):
    write(tmp_path / 'b.mp4', 30, 10)
    write(tmp_path / 'cam1' / 'a.1.MKV', 60, Fraction(30000, 1001))
    (tmp_path / 'notes.txt').write_text('no video')
    found = find_videos(tmp_path)
    assert list(found) == ['b', 'cam1/a.1']
    assert found['b'] == VideoFacts(pytest.approx(3.0, abs=0.01), pytest.approx(10.0))
    assert found['cam1/a.1'].duration == pytest.approx(2.002, abs=0.01)
    assert found['cam1/a.1'].fps == pytest.approx(29.97, abs=0.01)


def test_a_table(tmp_path):
    (tmp_path / 'v.csv').write_text('video,duration,fps,person\na.mp4,3,10,p\n')
    assert find_videos(tmp_path / 'v.csv', 'person') == dict(a=VideoFacts(3.0, 10.0, group='p'))
    with pytest.raises(TALDataError, match=r'w\.csv: file: there is no such file or folder'):
        find_videos(tmp_path / 'w.csv')


def test_bad_folders(tmp_path):
    with pytest.raises(TALDataError, match=r'folder: has no video file \(\.mp4 '):
        find_videos(tmp_path)
    write(tmp_path / 'a.mp4', 30, 10)
    write(tmp_path / 'a.mkv', 30, 10)
    (tmp_path / 'b.mp4').write_bytes((tmp_path / 'a.mp4').read_bytes()[:200])
    with pytest.raises(TALDataError) as caught:
        find_videos(tmp_path)
    assert [(p.file, p.video, p.field) for p in caught.value.problems] == [
        (str(tmp_path / 'a.mp4'), 'a', 'video name'), (str(tmp_path / 'b.mp4'), 'b', 'video')]
    assert caught.value.problems[1].message.startswith(
        'the video cannot be decoded: Invalid data found')
    with pytest.raises(TALDataError, match='a.mp4: folder: is a file; a folder of videos is want'):
        list_videos(tmp_path / 'a.mp4')


def test_broken_videos_can_be_skipped(tmp_path):
    (tmp_path / 'b.mp4').write_text('no video')
    with pytest.raises(TALDataError) as caught:
        find_videos(tmp_path, skip_broken=True)  # nothing would be left
    assert '--skip-broken' not in str(caught.value)
    write(tmp_path / 'a.mp4', 30, 10)
    with pytest.raises(TALDataError, match='b.mp4.*; --skip-broken leaves out the videos'):
        find_videos(tmp_path)
    found = find_videos(tmp_path, skip_broken=True)
    assert found['a'].broken is None and found['b'].duration is None
    assert found['b'].broken.startswith('the video cannot be decoded')


def test_files_of_videos(tmp_path):
    name = 'caf\u00e9'
    (tmp_path / 'cam').mkdir()
    decomposed = tmp_path / 'cam' / (unicodedata.normalize('NFD', name) + '.mp4')
    decomposed.touch()
    (tmp_path / 'b.mkv').touch()
    assert match_videos(tmp_path, ['b', f'cam/{name}', 'gone']) == {
        'b': tmp_path / 'b.mkv', f'cam/{name}': decomposed}
    assert match_videos(tmp_path, []) == {}
    with pytest.raises(TALDataError, match="of its 2 video files has the name of a video: they are "
                       "such as 'b', wanted are such as 'gone'"):
        match_videos(tmp_path, ['gone'])
