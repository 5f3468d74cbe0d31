import json
from dataclasses import replace

import av
import numpy as np
import pytest
from mmaction.registry import DATASETS

from cltdr_mm.datasets import TALVideoDataset
from cltdr_mm.datasets.annotations import load_annotations
from cltdr_mm.datasets.converters.pixel_set import CLASSES, PIXELS, make_pixel_set
from cltdr_mm.datasets.converters.shape_world import ShapeSpec
from cltdr_mm.utils import TALDataError

SPEC = replace(PIXELS, min_seconds=8, max_seconds=12)
COUNTS = dict(num_train=3, num_test=2, num_validation=1, num_clips=12)


def decoded(path):
    with av.open(str(path)) as container:
        return np.array([frame.to_ndarray(format='rgb24') for frame in container.decode(video=0)])


@pytest.fixture(scope='module')
def made(tmp_path_factory):
    out = tmp_path_factory.mktemp('pixels')
    return out, make_pixel_set(str(out), SPEC, **COUNTS)


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob('*')) if path.is_file()}


def test_videos_with_annotations(made):
    out, database = made
    videos, problems, classes = load_annotations(str(out / 'annotations.json'))
    assert not problems and list(classes) == CLASSES
    assert [video.subset for video in videos] == ['train'] * 3 + ['test'] * 2 + ['validation']
    assert all(len(video.labels) for video in videos)
    written = {path.stem: decoded(path) for path in (out / 'videos').iterdir()}
    for name, entry in database.items():
        assert written[name].shape == (round(entry['duration'] * 10), 48, 48, 3)
    firsts = [frames[0].astype(int) for frames in written.values()]
    assert all(abs(one - other).mean() > 5  # no subset has a video of another
               for number, one in enumerate(firsts) for other in firsts[:number])


def test_the_data_set_of_videos_reads_it(made):
    out, database = made
    data = TALVideoDataset(
        ann_file='annotations.json', data_root=str(out), data_prefix=dict(video='videos'),
        subset='test', feature_stride=2, frames_per_step=2, feature_window=1, pipeline=[
            dict(type='SampleTALFrames'), dict(type='LoadTALFrames'), dict(type='PackTALInputs')])
    sample = data[1]
    assert sample['inputs'].shape[0] == 3 and sample['inputs'].shape[2:] == (48, 48)
    own = sample['data_samples']
    known = database[own.video_name]
    seconds = own.grid.to_seconds(own.gt_instances.segments.numpy())
    np.testing.assert_allclose(
        seconds, [one['segment'] for one in known['annotations']], atol=1e-3)


def test_clips_are_for_the_recognizers_own_data_set(made):
    out, _ = made
    for part, count in (('train', 12), ('val', 2)):
        clips = DATASETS.build(dict(
            type='VideoDataset', ann_file=str(out / 'clips' / f'{part}.txt'),
            data_prefix=dict(video=str(out / 'clips')), pipeline=[
                dict(type='PyAVInit'), dict(type='SampleFrames', clip_len=16, test_mode=True),
                dict(type='PyAVDecode'), dict(type='FormatShape', input_format='NCTHW')]))
        assert len(clips) == count
        for clip in clips:
            assert clip['imgs'].shape == (1, 3, 16, 48, 48)
            assert CLASSES[clip['label']] in clip['filename']


def test_a_clip_shows_its_action_from_start_to_end(tmp_path):
    """Of blinking half of the frames lack a shape, of a turn every one differs from the next."""
    make_pixel_set(str(tmp_path), replace(SPEC, noise=0, distractors=0), num_train=1, num_test=0,
                   num_validation=0, num_clips=12)
    for path in (tmp_path / 'clips' / 'train').glob('*.mp4'):
        frames = decoded(path).astype(int)
        assert 7 <= len(frames) <= 80
        moved = abs(np.diff(frames, axis=0)).max((1, 2, 3)) > 40
        assert moved.mean() > (0.15 if 'blink' in path.name else 0.5), path
        assert moved[:5].any() and moved[-5:].any()


def test_the_same_seed_gives_the_same_files(made, tmp_path):
    make_pixel_set(str(tmp_path / 'again'), SPEC, **COUNTS)
    first = files(made[0])
    assert files(tmp_path / 'again') == first
    more = dict(COUNTS, num_train=4, num_clips=18)
    make_pixel_set(str(tmp_path / 'more'), SPEC, **more)
    larger = files(tmp_path / 'more')
    assert all(larger[name] == content for name, content in first.items()
               if name.endswith('.mp4'))  # a larger set contains the smaller one
    make_pixel_set(str(tmp_path / 'other'), replace(SPEC, seed=1), **COUNTS)
    assert files(tmp_path / 'other')['annotations.json'] != first['annotations.json']


@pytest.mark.parametrize('there', ['videos', 'clips', 'annotations.json'])
def test_what_is_there_is_not_mixed_with(tmp_path, there):
    (tmp_path / there).mkdir()
    with pytest.raises(TALDataError, match=f'has {there} already'):
        make_pixel_set(str(tmp_path), SPEC, **COUNTS)
    assert [path.name for path in tmp_path.iterdir()] == [there]


@pytest.mark.parametrize('counts', [
    dict(num_train=0, num_test=0, num_validation=0), dict(num_train=-1), dict(num_clips=-1)])
def test_impossible_numbers(tmp_path, counts):
    with pytest.raises(ValueError, match='pixel set: '):
        make_pixel_set(str(tmp_path), SPEC, **{**COUNTS, **counts})
    assert not list(tmp_path.iterdir())


def test_without_clips(tmp_path):
    make_pixel_set(str(tmp_path), SPEC, num_train=1, num_test=1, num_validation=0, num_clips=0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ['annotations.json', 'videos']
    assert json.loads((tmp_path / 'annotations.json').read_text())['classes'] == CLASSES


def test_larger_shapes():
    with pytest.raises(ValueError, match='scale from 0.5 to 2'):
        ShapeSpec(scale=3)
