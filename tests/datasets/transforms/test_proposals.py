import json
import pickle

import numpy as np
import pytest
from mmaction.registry import TRANSFORMS
from mmengine.dataset import Compose

from cltdr_mm.datasets import LoadTALProposals, PackTALInputs, ResizeFeature, TALDataError
from cltdr_mm.structures import FeatureGrid


def proposal(start, end, score):
    return dict(segment=[start, end], score=score, label='x')


def write(path, results):
    path.write_text(json.dumps(dict(version='VERSION 1.3', results=results)))
    return str(path)


def sample(name='v0', **grid):
    """Twenty steps of half a second: the sequence is [0, 10] s."""
    grid = FeatureGrid(**dict(dict(fps=30., stride=15, window=15, num_steps=20), **grid))
    return dict(video_name=name, grid=grid, rows=np.zeros((grid.num_steps, 3), np.float32))


@pytest.fixture
def files(tmp_path):
    return [
        write(tmp_path / 'a.json', dict(
            v0=[proposal(5.6, 6., .5), proposal(1., 4.5, .9), proposal(-3., 99., .7)],
            v1=[proposal(2.5, 9., .9)])),
        write(tmp_path / 'b.json', dict(
            v2=[], v3=[proposal(12., 13., .9), proposal(-2., 0., .8), proposal(4., 4., .7)]))]


def test_fractions_of_the_sequence_best_first(files):
    found = LoadTALProposals(files)(sample())['proposals']
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [[.1, .45, .9], [0, 1, .7], [.56, .6, .5]], atol=1e-6)
    np.testing.assert_allclose(LoadTALProposals(files, 1)(sample())['proposals'], [[.1, .45, .9]])


def test_one_file_by_its_name(files):
    transform = TRANSFORMS.build(dict(type='LoadTALProposals', proposal_files=files[0]))
    np.testing.assert_allclose(transform(sample('v1'))['proposals'], [[.25, .9, .9]])
    assert repr(transform) == f"LoadTALProposals(proposal_files=('{files[0]}',), max_proposals=100)"


@pytest.mark.parametrize('name', ['v2', 'v3'])
def test_a_video_without_proposals_is_one(files, name):
    """v2 has none in the file, of v3's none lies within the sequence."""
    found = LoadTALProposals(files)(sample(name))['proposals']
    assert found.dtype == np.float32 and found.tolist() == [[0, 1, 1]]


def test_the_grid_of_a_window_counts(files):
    """Steps 10 to 14 of the video: [5, 7.5] s."""
    found = LoadTALProposals(files)(sample(start=10, num_steps=5))['proposals']
    np.testing.assert_allclose(found, [[0, 1, .7], [.24, .4, .5]], atol=1e-6)


def test_resized_features_keep_the_fractions(files):
    """The window of 60 frames reaches to (19 * 15 + 60) / 30 = 11.5 s."""
    results = ResizeFeature(7)(sample('v1', window=60))
    found = LoadTALProposals(files)(results)['proposals']
    np.testing.assert_allclose(found, [[2.5 / 11.5, 9 / 11.5, .9]], rtol=1e-6)


def test_equal_scores_keep_the_order_of_the_file(tmp_path):
    path = write(tmp_path / 'a.json', dict(v0=[proposal(i, i + 1, .5) for i in range(9)]))
    found = LoadTALProposals(path, max_proposals=4)(sample())['proposals']
    np.testing.assert_allclose(found[:, 0], [0, .1, .2, .3], atol=1e-6)


def test_the_last_file_of_a_video_counts(files, tmp_path):
    files.append(write(tmp_path / 'c.json', dict(v1=[proposal(0, 5, .1)])))
    np.testing.assert_allclose(LoadTALProposals(files)(sample('v1'))['proposals'], [[0, .5, .1]])


def test_files_are_read_once_and_not_before_they_are_needed(files, tmp_path):
    transform = LoadTALProposals(files + [str(tmp_path / 'later.json')])
    transform = pickle.loads(pickle.dumps(transform))  # as for a worker that is spawned
    write(tmp_path / 'later.json', dict(v9=[proposal(0, 5, .5)]))
    first = transform(sample('v9'))['proposals']
    (tmp_path / 'later.json').unlink()
    np.testing.assert_array_equal(transform(sample('v9'))['proposals'], first)


def test_packed_as_tcanet_reads_them(files):
    pipeline = Compose([LoadTALProposals(files), PackTALInputs()])
    packed = pipeline(sample())['data_samples']
    np.testing.assert_allclose(packed.proposals['proposals'][:, 2], [.9, .7, .5])
    assert 'proposals' not in PackTALInputs()(sample())['data_samples']


def test_what_is_wrong_is_named(files, tmp_path):
    with pytest.raises(TALDataError, match=r"a\.json, .*b\.json: video 'v7': results: no entry"):
        LoadTALProposals(files)(sample('v7'))
    with pytest.raises(TALDataError, match=r'gone\.json: file: cannot be read'):
        LoadTALProposals(str(tmp_path / 'gone.json'))(sample())
    for content, words in (
            ('{}', r'bad\.json: results: is missing'),
            ('{"results": []}', r'bad\.json: results: must be an object'), ('[]', r'bad\.json'),
            ('no json', r'bad\.json: file: is not valid JSON')):
        (tmp_path / 'bad.json').write_text(content)
        with pytest.raises(TALDataError, match=words):
            LoadTALProposals(str(tmp_path / 'bad.json'))(sample())
    for entries in (3, {'segment': [0, 1]}, [3], [dict(segment=[0, 1])], [dict(score=1.)],
                    [dict(segment=[0, 1, 2], score=1.)], [dict(segment=3, score=1.)],
                    [dict(segment=[0, 'x'], score=1.)], [dict(segment=[0, 1], score=None)],
                    [dict(segment=[0, float('nan')], score=1.)],
                    [dict(segment=[0, 1], score=float('inf'))]):
        path = write(tmp_path / 'bad.json', dict(v0=[], v1=entries))
        with pytest.raises(TALDataError, match=r"bad\.json: video 'v1': results"):
            LoadTALProposals(path)(sample())


def test_arguments(files):
    with pytest.raises(ValueError, match='proposal_files must name'):
        LoadTALProposals([])
    with pytest.raises(ValueError, match='max_proposals must be positive'):
        LoadTALProposals(files, max_proposals=0)


def test_all_videos_are_asked_for_at_once(files):
    transform = LoadTALProposals(files)
    transform.check_videos(['v0', 'v3'])
    with pytest.raises(TALDataError) as caught:
        transform.check_videos(['v0', 'v8', 'v9'])
    assert [(p.video, p.message) for p in caught.value.problems] == [
        ('v8', 'no entry for this video'), ('v9', 'no entry for this video')]


def test_videos_in_another_unicode_form(tmp_path):
    path = write(tmp_path / 'a.json', {'Ku\u0308che': [proposal(1., 4.5, .9)]})
    found = LoadTALProposals(path)(sample('K\u00fcche'))['proposals']
    np.testing.assert_allclose(found, [[.1, .45, .9]], atol=1e-6)


def test_a_score_beyond_float32(tmp_path):
    path = write(tmp_path / 'a.json', dict(v0=[proposal(1, 2, -1e39)]))
    with pytest.raises(TALDataError, match=r"a\.json: video 'v0': results: a score is too large"):
        LoadTALProposals(path)(sample())
