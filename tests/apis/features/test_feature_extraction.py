"""Features of a folder: what is written, what is done again, and what is not."""
import json
import os

import numpy as np
import pytest

from cltdr_mm.apis import VideoFeatureExtractor
from cltdr_mm.apis.features.feature_extraction import all_ranks, extract_features, rank_shard
from cltdr_mm.datasets.feature_manifest import read_manifest
from cltdr_mm.utils import TALDataError

pytest.importorskip('av', reason='PyAV is not installed: pip install av')

MOTION = dict(recognizer='motion')
NAMES = ['a', 'c', 'cam1/b']


def features(folder):
    return {name: np.load(folder / 'features' / f'{name}.npy') for name in NAMES}


def test_a_folder(films, tmp_path):
    out = tmp_path / 'data'
    made = extract_features(films, out, MOTION)
    assert (made.done, made.there, made.problems) == (3, 0, [])
    assert made.seconds == pytest.approx(13.5, abs=0.05) and made.folder == out / 'features'
    manifest = read_manifest(made.folder)
    assert (manifest.stride, manifest.window, manifest.fps) == (4, 8, 15.0)
    assert (manifest.recognizer, manifest.weights, manifest.dtype) == ('motion', None, 'float32')
    assert set(manifest.versions) == {'cltdr_mm', 'torch', 'mmaction2', 'av'}
    assert sorted(manifest.videos) == NAMES and manifest.videos['cam1/b'].file == 'cam1/b.mp4'
    extractor = VideoFeatureExtractor('motion')
    for name, feats in features(out).items():
        expected, grid, _ = extractor(films / f'{name}.mp4')
        np.testing.assert_array_equal(feats, expected)
        video = manifest.videos[name]
        assert feats.dtype == np.float32 and feats.shape == (video.steps, manifest.channels)
        assert video.fps == grid.fps and abs(video.duration - grid.extent) < 8 / 15


def test_what_is_done_is_not_done_again(films, tmp_path):
    out = tmp_path / 'data'
    extract_features(films, out, MOTION)
    before = {name: os.stat(out / 'features' / f'{name}.npy').st_mtime_ns for name in NAMES}
    (out / 'features' / 'c.npy').unlink()
    np.save(out / 'features' / 'cam1' / 'b.npy', np.zeros((3, 134), np.float32))  # another's
    made = extract_features(films, out, MOTION)
    assert (made.done, made.there) == (2, 1)
    after = {name: os.stat(out / 'features' / f'{name}.npy').st_mtime_ns for name in NAMES}
    assert after['a'] == before['a'] and after['cam1/b'] != before['cam1/b']
    assert len(features(out)['cam1/b']) == read_manifest(made.folder).videos['cam1/b'].steps
    assert extract_features(films, out, MOTION).done == 0


def test_other_settings_need_another_folder(films, tmp_path):
    extract_features(films, tmp_path, MOTION)
    before = (tmp_path / 'features' / 'manifest.json').read_text()
    for options, dtype, words in ((dict(stride=2), 'float32', 'stride: 4 and 2'),
                                  (dict(fps='own'), 'float32', r'fps: 15\.0 and none'),
                                  ({}, 'float16', 'dtype: float32 and float16')):
        with pytest.raises(TALDataError, match=rf'manifest\.json: settings: .*\({words}\)'):
            extract_features(films, tmp_path, dict(MOTION, **options), dtype)
    assert (tmp_path / 'features' / 'manifest.json').read_text() == before


def test_processes_and_shards_make_the_same(films, tmp_path):
    (films / 'x.mp4').write_text('no video')
    extract_features(films, tmp_path / 'one', MOTION)
    made = extract_features(films, tmp_path / 'two', MOTION, jobs=2)
    assert made.done == 3 and [problem.video for problem in made.problems] == ['x']
    parts = [extract_features(films, tmp_path / 'parts', MOTION, shard=(i, 2)).done
             for i in (1, 2)]
    assert parts == [2, 1]
    one = features(tmp_path / 'one')
    for other in ('two', 'parts'):
        assert read_manifest(tmp_path / other / 'features') == read_manifest(
            tmp_path / 'one' / 'features')
        for name, feats in features(tmp_path / other).items():
            np.testing.assert_allclose(feats, one[name], atol=1e-5)


def test_broken_videos_are_reported_and_others_kept(films, tmp_path):
    good = (films / 'a.mp4').read_bytes()
    (films / 'cut.mp4').write_bytes(good[:len(good) // 2])
    (films / 'text.mp4').write_text('no video')
    made = extract_features(films, tmp_path, MOTION)
    assert made.done == 3 and [problem.video for problem in made.problems] == ['cut', 'text']
    assert all(problem.file.startswith(str(films)) for problem in made.problems)
    assert sorted(read_manifest(tmp_path / 'features').videos) == NAMES
    assert not list((tmp_path / 'features').rglob('*part*'))


def test_half_precision_and_own_rates(films, tmp_path):
    extract_features(films, tmp_path, dict(MOTION, fps='own', stride=3), 'float16')
    manifest = read_manifest(tmp_path / 'features')
    assert manifest.fps is None and manifest.rate('a') == 10.0
    exact = VideoFeatureExtractor('motion', fps='own', stride=3)(films / 'a.mp4')[0]
    assert features(tmp_path)['a'].dtype == np.float16
    np.testing.assert_allclose(features(tmp_path)['a'], exact, atol=2e-3)


MODULE = '''
import torch


class Large(torch.nn.Module):
    def __init__(self, value):
        super().__init__()
        self.value = float(value)

    def forward(self, clips):
        return torch.full((len(clips), 2), self.value)
'''


@pytest.mark.parametrize('value, dtype, words', [
    ('nan', 'float32', 'NaN or inf at step 0, channel 0'),
    ('1e6', 'float16', 'float16 cannot hold them')])
def test_values_that_cannot_be_stored(films, tmp_path, monkeypatch, value, dtype, words):
    (tmp_path / 'large_values.py').write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    made = extract_features(films, tmp_path, dict(
        recognizer='large_values:Large', module_args=dict(value=value)), dtype)
    assert made.done == 0 and len(made.problems) == 3
    assert words in str(made.problems[0]) and made.problems[0].field == 'features'
    assert not (tmp_path / 'features').exists()


def test_what_cannot_begin(films, tmp_path):
    with pytest.raises(ValueError, match='jobs must be at least 1'):
        extract_features(films, tmp_path, MOTION, jobs=0)
    with pytest.raises(ValueError, match='and a shard lie within'):
        extract_features(films, tmp_path, MOTION, shard=(3, 2))
    with pytest.raises(ValueError, match=r"dtype must be one of \['float32', 'float16'\]"):
        extract_features(films, tmp_path, MOTION, 'int8')
    with pytest.raises(TALDataError, match='gone: folder: there is no such folder'):
        extract_features(tmp_path / 'gone', tmp_path, MOTION)
    with pytest.raises(ValueError, match='i3d-r50: a recognizer without weights .*such as http'):
        extract_features(films, tmp_path, dict(recognizer='i3d-r50'))
    (films / 'a.avi').write_bytes((films / 'a.mp4').read_bytes())
    with pytest.raises(TALDataError, match="video 'a': video name: another file has this name"):
        extract_features(films, tmp_path, MOTION)
    assert not (tmp_path / 'features').exists()


def test_a_damaged_manifest_is_no_beginning(films, tmp_path):
    (tmp_path / 'features').mkdir()
    (tmp_path / 'features' / 'manifest.json').write_text(json.dumps(dict(stride=4)))
    with pytest.raises(TALDataError, match='manifest.json: window: is missing'):
        extract_features(films, tmp_path, MOTION)


def test_ranks(monkeypatch):
    assert rank_shard({}) == (1, 1)
    assert rank_shard(dict(RANK='2', WORLD_SIZE='8')) == (3, 8)
    monkeypatch.delenv('WORLD_SIZE', raising=False)
    with all_ranks():  # alone, there is nobody to wait for
        pass
