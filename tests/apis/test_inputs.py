"""Names and keys of feature files in several folders; test_inferencer has the rest."""
import numpy as np
import pytest

from cltdr_mm.apis.inputs import SampleMaker, list_inputs
from cltdr_mm.datasets.feature_source import FeatureSource
from cltdr_mm.datasets.transforms import LoadTALFeature


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
