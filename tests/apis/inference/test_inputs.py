"""Names and keys of feature files in several folders; test_inferencer has the rest."""
import json
import unicodedata

import numpy as np
import pytest
import torch

from cltdr_mm.apis.inference.input_list import list_inputs
from cltdr_mm.apis.inference.inputs import SampleMaker
from cltdr_mm.datasets import TALDataError
from cltdr_mm.datasets.feature_checks import FeatureSpec
from cltdr_mm.datasets.feature_source import FeatureSource
from cltdr_mm.datasets.transforms import LoadTALFeature, LoadTALProposals


@pytest.fixture
def folders(tmp_path):
    np.savez(tmp_path / 'v0_rgb.npz', x=np.ones((9, 4)), rgb=np.ones((9, 3)))
    np.savez(tmp_path / 'flow-v0_flow.npz', x=np.ones((9, 2)), flow=np.ones((9, 3)))
    return tmp_path


def maker(**source):
    return SampleMaker([LoadTALFeature()], FeatureSource(fps=10., stride=4, **source), 6)


def test_a_name_and_a_key_per_folder(folders):
    paths = [folders / 'v0_rgb.npz', folders / 'flow-v0_flow.npz']
    settings = dict(prefix=['', 'flow-'], suffix=['_rgb.npz', '_flow.npz'])
    made = maker(key='x', **settings)
    item, = made.complete(list_inputs(dict(path=paths)))
    assert item['video_name'] == 'v0' and item['num_steps'] == 9
    assert made.samples(item)[0]['rows'].shape == (9, 6)
    found = made.complete(list_inputs(dict(path=paths[::-1])))
    assert found[0]['video_name'] == 'v0'
    item, = maker(key=['rgb', 'flow'], **settings).complete(list_inputs(dict(path=paths)))
    assert item['num_steps'] == 9
    with pytest.raises(ValueError, match=r'v0_rgb\.npz: feature_key must be one .* 1 folder'):
        maker(key=['x', 'x'], **settings).complete(list_inputs(paths[0]))


@pytest.mark.parametrize('prefix, suffix, name', [
    ('', None, 'flow-v0_flow'), ('flow-', None, 'v0_flow'), ('flow-', '_flow.npz', 'v0'),
    ('x', '.npy', 'flow-v0_flow'), (['a', 'flow-'], [None, '_flow.npz'], 'v0')])
def test_names(folders, prefix, suffix, name):
    made = maker(key='x', prefix=prefix, suffix=suffix)
    made.in_channels = None
    item, = made.complete(list_inputs(str(folders / 'flow-v0_flow.npz')))
    assert item['video_name'] == name


# ---- annotation files


@pytest.fixture
def video(tmp_path):
    """Forty steps, stride 4 and window 8: 16.4 s at 10 fps."""
    np.save(tmp_path / 'test_00000.npy', np.ones((40, 6), np.float32))
    return tmp_path / 'test_00000.npy'


def complete(path, entry, spec=None, source=None, name='test_00000', **overrides):
    annotations = path.parent / 'ann.json'
    annotations.write_text(json.dumps(dict(database={name: entry, 'other': 3})))
    made = SampleMaker([LoadTALFeature()], FeatureSource(**(source or dict(stride=4, window=8))), 6,
                       spec=spec)
    return made.complete(list_inputs(str(path)), annotations=annotations, **overrides)[0]


def test_what_inference_takes_of_an_entry(video):
    entry = dict(duration=16.0, fps=10, annotations='of no matter', subset='test')
    item = complete(video, entry)
    assert (item['duration'], item['fps'], item['stride'], item['window']) == (16.0, 10.0, 4, 8)
    own = dict(entry, duration=33, feature_stride=8, feature_window=16)
    item = complete(video, own)
    assert (item['duration'], item['stride'], item['window']) == (33, 8, 16)
    item = complete(video, own, stride=9, window=18, fps=11.0, duration=30.0)
    assert [item[k] for k in ('duration', 'fps', 'stride', 'window')] == [30.0, 11.0, 9, 18]
    # a rate of the config replaces the entry's, a default one only stands in
    assert complete(video, dict(entry, fps=99), source=dict(stride=4, fps=10.))['fps'] == 10
    assert complete(video, dict(duration=16.0), source=dict(stride=4, default_fps=10.))['fps'] == 10
    assert complete(video, dict(entry, fps=10), source=dict(stride=4, default_fps=9.))['fps'] == 10


@pytest.mark.parametrize('entry, words', [
    ([1], 'entry: must be an object, got list'),
    (dict(fps=True, duration=20.0), 'fps: must be a number, got bool True'),
    (dict(fps=10.0, duration='16'), 'duration: must be a number, got str'),
    (dict(fps=10.0, duration=float('nan')), 'duration: must be finite'),
    (dict(fps=10.0), 'duration: is missing'), (dict(duration=16.0), 'fps: is missing'),
    (dict(duration=16.0, fps=10, feature_stride=[4]), 'feature_stride: must be a number'),
    (dict(duration=16.0, fps=10, feature_window=-1), 'feature_window: must be positive'),
    (dict(duration=16.0, fps=10, subset=3), 'subset: must be a string'),
])
def test_entries_are_checked_as_data_sets_check_them(video, entry, words):
    with pytest.raises(TALDataError, match=rf"ann\.json: video 'test_00000': {words}"):
        complete(video, entry)


@pytest.mark.parametrize('file', ['infer_entry_list.json', 'infer_fps_bool.json'])
def test_files_that_were_reported(video, shared_data, file):
    made = SampleMaker([LoadTALFeature()], FeatureSource(stride=4), 6)
    with pytest.raises(TALDataError, match=rf"{file}: video 'test_00000': "):
        made.complete(list_inputs(str(video)),
                      annotations=shared_data / 'fixtures/bugs/files' / file)


def test_an_entry_or_a_key_given_twice(video):
    made, path = maker(), video.parent / 'ann.json'
    for text, words in (
            ('{"test_00000": {}, "test_00000": {}}', "'test_00000': database: duplicate video"),
            ('{"test_00000": {"fps": 1, "fps": 2, "duration": 3}}', 'fps: field given twice'),
            ('{"test_00001": {}}', "database: there is no such video, but 'test_00001'")):
        path.write_text(f'{{"database": {text}}}')
        with pytest.raises(TALDataError, match=words):
            made.complete(list_inputs(str(video)), annotations=path)


@pytest.mark.parametrize('duration, good', [
    (16.4, True), (18.0, True), (0.164, False), (1640.0, False), (20.0, False), (13.0, False)])
def test_the_duration_is_held_against_the_features(video, duration, good):
    """A tenth of the duration, a stride and a window (1.2 s) are the data set's tolerance."""
    entry = dict(duration=duration, fps=10)
    if good:
        assert complete(video, entry)['duration'] == duration
    else:
        with pytest.raises(TALDataError, match="00000.npy: video 'test_00000': feature length: 40 s"
                           'teps of stride 4 and window 8 at 10 fps cover 16.40 s, but the dur'):
            complete(video, entry)
    assert complete(video, entry, FeatureSpec(length_tolerance=99))['duration'] == duration
    assert complete(video, entry, FeatureSpec(exempt_videos=['test_00000']))
    # what is said by hand goes before the file, and may be a part of the video
    assert complete(video, entry, duration=4.0)['duration'] == 4.0


def test_folders_that_disagree_are_found_before_the_run(folders):
    np.savez(folders / 'long_rgb.npz', x=np.ones((12, 4)))
    paths = [folders / 'long_rgb.npz', folders / 'flow-v0_flow.npz']
    with pytest.raises(TALDataError, match=r'the folders disagree: \[12, 9\] steps'):
        maker(key='x').complete(list_inputs(dict(path=paths)))
    made = SampleMaker([LoadTALFeature()], FeatureSource(fps=10., stride=4, key='x'), 6,
                       spec=FeatureSpec(max_length_gap=3))
    item, = made.complete(list_inputs(dict(path=paths)))
    assert made.samples(item)[0]['rows'].shape == (9, 6)


def test_accents_in_another_unicode_form(video):
    path = video.rename(video.parent / unicodedata.normalize('NFD', 'K\u00fcche.npy'))
    assert complete(path, dict(duration=16.4, fps=10), name='K\u00fcche')['duration'] == 16.4


def test_features_of_a_fixed_length_need_a_duration(video):
    resized = dict(stride=None, fps=10.)
    made = SampleMaker([LoadTALFeature()], FeatureSource(**resized), 6)
    with pytest.raises(ValueError, match='00000.npy: these features are resampled to a fixed leng'):
        made.complete(list_inputs(str(video)))
    item, = made.complete(list_inputs(str(video)), duration=50.0)
    assert made.samples(item)[0]['grid'].extent == pytest.approx(50)
    assert complete(video, dict(duration=90.0, fps=10), source=resized)['duration'] == 90


def test_strides_that_are_not_whole(video):
    item, = maker().complete(list_inputs(str(video)), stride=4.5, window=9.0)
    assert item['duration'] == pytest.approx((39 * 4.5 + 9) / 10)


def test_proposals_are_asked_for_all_inputs(video, tmp_path):
    (tmp_path / 'p.json').write_text(json.dumps(dict(results={'other': []})))
    made = SampleMaker([LoadTALFeature(), LoadTALProposals(str(tmp_path / 'p.json'))],
                       FeatureSource(fps=10., stride=4), 6)
    with pytest.raises(TALDataError, match=r"p\.json: video 'test_00000': results: no entry"):
        made.complete(list_inputs(str(video)))


@pytest.mark.parametrize('item, error, words', [
    (dict(fps='25'), ValueError, "fps must be a number, got str '25'"),
    (dict(fps=True), ValueError, 'fps must be a number'),
    (dict(stride=float('nan')), ValueError, 'stride must be finite'),
    (dict(duration=-1), ValueError, 'duration must be positive'),
    (dict(layout='rows'), ValueError, "layout must be 'time_major' or 'channel_major', got 'rows'"),
    (dict(video_name=3), TypeError, 'video_name must be a string, got 3'),
])
def test_what_is_said_about_an_input(item, error, words):
    inputs = dict(dict(feats=np.ones((9, 6)), fps=np.float32(10), stride=np.int64(4)), **item)
    with pytest.raises(error, match=words):
        maker().complete(list_inputs(inputs))


@pytest.mark.parametrize('feats', [[[1.0]], np.array([['a']]), np.ones((2, 6), complex),
                                   np.array([[None]]), torch.ones(2, 6, dtype=torch.complex64)])
def test_features_that_are_no_numbers(feats):
    with pytest.raises(TypeError, match='input 0: features must be an array or a tensor of real n'):
        list_inputs(dict(feats=feats))
