import subprocess
import sys

import av
import numpy as np
import pytest

from cltdr_mm.datasets.converters.shape_videos import LABELS, make_shape_videos, write_video
from cltdr_mm.datasets.converters.shape_world import ShapeSpec, ShapeVideo
from cltdr_mm.datasets.labels import read_labels
from cltdr_mm.datasets.videos.video_facts import find_videos
from cltdr_mm.datasets.videos.video_frames import read_frames

SPEC = dict(num_videos=2, min_seconds=8, max_seconds=12)


def test_videos_and_their_table(tmp_path):
    database = make_shape_videos(str(tmp_path), ShapeSpec(**SPEC))
    assert sorted(path.name for path in tmp_path.iterdir()) == [LABELS, 'videos']
    videos = find_videos(tmp_path / 'videos')
    assert list(videos) == list(database) == ['shapes_00', 'shapes_01']
    for name, known in videos.items():
        assert known.fps == 15
        assert known.duration == pytest.approx(database[name]['duration'], abs=1e-3)
    labels = read_labels([tmp_path / LABELS], videos=videos)
    assert not labels.remarks
    found = {(row.video, row.label, row.start, row.end) for row in labels.rows}
    assert found == {(name, one['label'], *one['segment'])
                     for name, entry in database.items() for one in entry['annotations']}
    assert found


def test_files_hold_the_frames(tmp_path):
    spec = ShapeSpec(**SPEC, noise=0)
    make_shape_videos(str(tmp_path), spec)
    path = tmp_path / 'videos' / 'shapes_01.mp4'
    drawn = np.array(list(ShapeVideo(spec, 1).frames()), int)[:, :, 20:140]
    read = np.array([frame for frame, _ in read_frames(path, None, 120, 120)], int)
    own = abs(read - drawn).mean((1, 2, 3))
    assert own.max() < 3
    assert (own[1:] < abs(read[1:] - drawn[:-1]).mean((1, 2, 3))).mean() > 0.75  # not one later


def test_the_same_seed_gives_the_same_files(tmp_path):
    for folder, count in (('a', 2), ('b', 2), ('more', 3)):
        make_shape_videos(str(tmp_path / folder), ShapeSpec(**dict(SPEC, num_videos=count)))
    files = {folder: (tmp_path / folder / 'videos' / 'shapes_01.mp4').read_bytes()
             for folder in ('a', 'b', 'more')}
    assert files['a'] == files['b'] == files['more']
    tables = [(tmp_path / folder / LABELS).read_text() for folder in ('a', 'b', 'more')]
    assert tables[0] == tables[1] and tables[2].startswith(tables[0])


def test_another_process_writes_the_same_files(tmp_path):
    """Long ones: encoders that go by the CPU, or by where frames lie in memory, differ in some."""
    for folder in 'ab':
        subprocess.run([sys.executable, '-c', 'import sys\n'
                        'from cltdr_mm.datasets.converters.shape_videos import *\n'
                        'make_shape_videos(sys.argv[1], ShapeSpec(num_videos=3))',
                        str(tmp_path / folder)], check=True)
    for index in range(3):
        first, again = ((tmp_path / folder / 'videos' / f'shapes_0{index}.mp4').read_bytes()
                        for folder in 'ab')
        assert first == again


def test_a_video_in_which_nothing_happens(tmp_path):
    spec = ShapeSpec(num_videos=1, min_seconds=1, max_seconds=1, gap=1e6)
    make_shape_videos(str(tmp_path), spec)
    assert (tmp_path / LABELS).read_text() == 'video,start,end,label\nshapes_00,,,\n'


def test_without_the_encoder(tmp_path, monkeypatch):
    """Builds of FFmpeg without x264 write MPEG-4."""
    codec = av.codec.Codec

    def other(name, mode):
        return codec('no such codec' if name == 'libx264' else name, mode)

    frames = list(ShapeVideo(ShapeSpec(min_seconds=2, max_seconds=2), 0).frames())
    for name, known in (('a', codec), ('b', other)):
        monkeypatch.setattr(av.codec, 'Codec', known)
        path = tmp_path / 'new' / f'{name}.mp4'
        write_video(str(path), frames, 15.0)
        with av.open(str(path)) as container:
            assert container.streams.video[0].codec_context.name == dict(a='h264', b='mpeg4')[name]
            assert sum(1 for _ in container.decode(video=0)) == 30


def test_without_pyav(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'av', None)
    with pytest.raises(ImportError, match=r'pip install "cltdr-mm\[video\]"'):
        make_shape_videos(str(tmp_path / 'out'), ShapeSpec(**SPEC))
    assert not (tmp_path / 'out').exists()
