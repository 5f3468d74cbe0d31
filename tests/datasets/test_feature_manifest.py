import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace

import pytest
from filelock import FileLock

from cltdr_mm.datasets.feature_manifest import (
    FeatureManifest,
    VideoFeatures,
    add_video,
    find_manifest,
    read_manifest,
)
from cltdr_mm.utils import TALDataError

VIDEO = VideoFeatures(file='cam1/a.mp4', duration=12.5, fps=25.0, steps=70)
MANIFEST = FeatureManifest(
    stride=4, window=16, fps=25.0, channels=64, dtype='float16', recognizer='i3d',
    weights=dict(file='i3d.pth', sha256='ab' * 32), clip_len=16, frame_interval=1, short_side=256,
    crop_size=224, layer='backbone', versions=dict(torch='2.1', av=None),
    videos={'cam1/a': VIDEO})


def test_what_is_written_is_read(tmp_path):
    MANIFEST.write(tmp_path / 'new')
    assert read_manifest(tmp_path / 'new') == MANIFEST
    assert read_manifest(tmp_path / 'new' / 'manifest.json') == MANIFEST
    assert find_manifest(tmp_path / 'new') == MANIFEST and find_manifest(tmp_path) is None
    assert MANIFEST.rate('cam1/a') == 25.0
    own = replace(MANIFEST, fps=None, videos={'a': replace(VIDEO, fps=29.97)})
    assert own.rate('a') == 29.97 and own.rate('b') is None and MANIFEST.rate('b') == 25.0


def test_features_from_elsewhere_say_what_is_known(tmp_path):
    path = tmp_path / 'manifest.json'
    path.write_text(json.dumps(dict(stride=4.5, window=16, channels=2048, videos={})))
    found = read_manifest(path)
    assert (found.stride, found.fps, found.weights, found.dtype) == (4.5, None, None, 'float32')


@pytest.mark.parametrize('change, words', [
    (dict(stride=None), 'stride: must be a number'),
    (dict(stride=0), 'stride: must be positive, got 0'),
    (dict(window='16'), "window: must be a number, got str '16'"),
    (dict(fps=-1), 'fps: must be positive'),
    (dict(channels=1.5), 'channels: must be a whole number, got 1.5'),
    (dict(dtype='int8'), r"dtype: must be one of \['float32', 'float16'\], got 'int8'"),
    (dict(weights='x.pth'), 'weights: must be an object of file and sha256'),
    (dict(versions=dict(torch=2)), "versions: must be an object of texts, got {'torch': 2}"),
    (dict(module_args=dict(a=float('inf'))), r'module_args: must be plain values \(ValueError\)'),
    (dict(crop=224), "crop: is no field of a manifest \\('crop_size'"),
    (dict(videos=[]), r'videos: must be an object, got \[\]'),
    (dict(videos={'../a': asdict(VIDEO)}), "video '../a': video name: must be a name"),
    (dict(videos={'a': 3}), "video 'a': videos: must be an object"),
    (dict(videos={'a': {}, 'b': 3}), "4 problems\n.*\n.*video 'a': duration: is missing"),
    (dict(videos={'a': dict(asdict(VIDEO), steps=0)}), "video 'a': steps: must be positive")])
def test_what_makes_no_sense_is_named(tmp_path, change, words):
    path = tmp_path / 'manifest.json'
    path.write_text(json.dumps(dict(asdict(MANIFEST), **change)))
    with pytest.raises(TALDataError, match=words) as caught:
        read_manifest(path)
    assert str(path) in str(caught.value)


def test_a_file_that_is_none(tmp_path):
    with pytest.raises(TALDataError, match='manifest.json: file: cannot be read'):
        read_manifest(tmp_path / 'manifest.json')
    (tmp_path / 'manifest.json').write_text('{"stride": 4')
    with pytest.raises(TALDataError, match='manifest.json: file: is not valid JSON'):
        read_manifest(tmp_path)
    (tmp_path / 'manifest.json').write_text('{}')
    with pytest.raises(TALDataError, match='4 problems\n.*stride: is missing'):
        read_manifest(tmp_path)


def test_differences():
    assert MANIFEST.differences(replace(MANIFEST, videos={}, dtype='float32', versions={})) == []
    renamed = replace(MANIFEST, weights=dict(MANIFEST.weights, file='renamed.pth'))
    assert MANIFEST.differences(renamed) == []
    other = replace(MANIFEST, stride=8, fps=None, weights=dict(file='i3d.pth', sha256='cd' * 32))
    assert MANIFEST.differences(other) == [
        'stride: 4 and 8', 'fps: 25.0 and none', f'weights: {"ab" * 32} and {"cd" * 32}']


def test_many_processes_add_videos(tmp_path):
    names = [f'v{i}' for i in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: add_video(tmp_path, MANIFEST, name, VIDEO), names))
    assert read_manifest(tmp_path).videos == {name: VIDEO for name in names}
    with pytest.raises(TALDataError, match=r'settings: .* \(window: 16 and 8\); choose another'):
        add_video(tmp_path, replace(MANIFEST, window=8), 'x', VIDEO)
    with pytest.raises(TALDataError, match='dtype: float16 and float32'):
        add_video(tmp_path, replace(MANIFEST, dtype='float32'), 'x', VIDEO)
    assert 'x' not in read_manifest(tmp_path).videos


def test_a_file_system_without_locks(tmp_path, monkeypatch):
    def acquire(self):
        raise NotImplementedError

    monkeypatch.setattr(FileLock, 'acquire', acquire)
    with pytest.raises(OSError, match='this file system knows no locks'):
        add_video(tmp_path, MANIFEST, 'a', VIDEO)
