import json
import unicodedata

import numpy as np
import pytest

from cltdr_mm.datasets import TALDataError
from cltdr_mm.datasets.converters.synthetic import SyntheticSpec, make_features_for
from cltdr_mm.datasets.feature_names import FeatureNames

PIPELINE = [dict(type='LoadTALFeature'), dict(type='PackTALInputs')]


def test_file_names(mini):
    for name in ('v0', 'v1', 'v2'):
        mini.feature(name).rename(mini.root / 'feats' / f'x_{name}_spatial.npy')
    assert len(mini.build(file_prefix='x_', file_suffix='_spatial.npy')) == 3
    assert len(mini.build(file_pattern='x_{video}_spatial{suffix}')) == 3
    (mini.root / 'feats' / 'x_v0_spatial.npy').rename(mini.root / 'feats' / 'odd.npy')
    with pytest.raises(ValueError, match='x_v0_spatial.npy'):
        mini.build(file_prefix='x_', file_suffix='_spatial.npy')


def test_folders_with_names_of_their_own(mini):
    flow = {}
    (mini.root / 'flow').mkdir()
    for name in ('v0', 'v1', 'v2'):
        mini.feature(name).rename(mini.root / 'feats' / f'{name}_rgb.npy')
        flow[name] = np.load(mini.root / 'feats' / f'{name}_rgb.npy')[:, :2] + 1
        np.savez(mini.root / 'flow' / f'f_{name}-flow.npz', flow=flow[name], other=[0])
    folders = dict(data_prefix=dict(feats=['feats', 'flow']), feature_dim=8, pipeline=PIPELINE)
    dataset = mini.build(file_prefix=['', 'f_'], file_suffix=['_rgb.npy', '-flow.npz'],
                         feature_key=[None, 'flow'], **folders)
    np.testing.assert_array_equal(dataset[1]['inputs'].rows[:, 6:].numpy(), flow['v1'])
    dataset = mini.build(file_pattern=['{video}_rgb.npy', 'f_{video}-flow.npz'],
                         feature_key=(None, 'flow'), check_features='header', **folders)
    np.testing.assert_array_equal(dataset[2]['inputs'].rows[:, 6:].numpy(), flow['v2'])


def test_hdf5_of_all_videos_beside_a_folder(mini):
    h5py = pytest.importorskip('h5py')
    with h5py.File(mini.root / 'flow.h5', 'w') as file:
        for name, steps in zip(('v0', 'v1', 'v2'), (40, 60, 25)):
            file[name] = np.full((steps, 2), 7.)
    for name in ('v0', 'v1', 'v2'):
        np.savez(mini.root / 'feats' / f'{name}.npz', rgb=np.load(mini.feature(name)), other=[0])
    dataset = mini.build(data_prefix=dict(feats=['feats', 'flow.h5']), feature_dim=8,
                         file_suffix=['.npz', None], feature_key='rgb', pipeline=PIPELINE)
    assert (dataset[1]['inputs'].rows[:, 6:] == 7).all()


@pytest.mark.parametrize('kwargs,part', [
    (dict(file_pattern='{vid}.npy'), r"'{vid}.npy' can hold {prefix}, .* \(KeyError: 'vid'\)"),
    (dict(file_pattern='{}.npy'), r'can hold {prefix}, {video} and {suffix} only \(IndexError'),
    (dict(file_pattern='{video'), 'can hold'), (dict(file_pattern=3), 'can hold'),
    (dict(file_pattern='feats.npy'), "'feats.npy' must hold {video}"),
    (dict(file_pattern=['{video}.npy', 'x']), r"file_pattern must be one .* for 1 folder\(s\)"),
    (dict(file_suffix=['.npy', '.pt']), 'file_suffix must be one .* or a list of one each'),
    (dict(file_prefix=[]), 'file_prefix must be'),
    (dict(feature_key=['a', 'b']), 'feature_key must be'),
])
def test_bad_names(mini, kwargs, part):
    for lazy_init in (True, False):
        with pytest.raises(ValueError, match=part):
            mini.build(write=False, lazy_init=lazy_init, **kwargs)  # before anything is read


# ---- names that are paths, and names with accents


@pytest.mark.parametrize('name', ['../../x', '/abs/x', 'a/../x', 'a\\b', 'C:x', 'a\0b'])
def test_names_that_leave_the_folder(mini, name):
    mini.database[name] = mini.database.pop('v1')
    error = mini.fails(str(mini.ann_file), f'video {name!r}: video name: ', check_features=False)
    assert len(error.problems) == 1
    assert len(mini.build(on_error='skip')) == 2
    with pytest.raises(TALDataError, match='feats: video .*: video name: '):
        FeatureNames(['feats']).locate(name)


def test_nothing_is_written_outside(shared_data, tmp_path):
    source = shared_data / 'fixtures/bugs/files/traversal_annotations.json'
    (tmp_path / 'deep' / 'out').mkdir(parents=True)
    with pytest.raises(TALDataError, match=r"annotations\.json: video '\.\./\.\./x': video name: "):
        make_features_for(str(source), str(tmp_path / 'deep' / 'out'),
                          SyntheticSpec(num_classes=1, channels=2))
    assert [p for p in tmp_path.rglob('*') if p.is_file()] == []


def test_sub_folders(mini):
    """What is written for a video in a sub-folder is where it is looked for."""
    database = {f'cam{i}/v{i}': dict(entry, annotations=[])
                for i, entry in enumerate(mini.database.values())}
    mini.write(json.dumps(dict(classes=['jump'], database=database)))
    make_features_for(str(mini.ann_file), str(mini.root / 'out'), SyntheticSpec(
        num_classes=1, channels=2, stride=4, window=8))
    assert (mini.root / 'out' / 'features' / 'cam2' / 'v2.npy').is_file()
    dataset = mini.build(write=False, data_root=str(mini.root / 'out'), test_mode=True,
                         ann_file='annotations.json', data_prefix=dict(feats='features'),
                         metainfo=None)
    assert dataset.get_data_info(1)['video_name'] == 'cam1/v1' and len(dataset) == 3


COMPOSED = 'K\u00fcche_\u00e9'
DECOMPOSED = unicodedata.normalize('NFD', COMPOSED)


@pytest.mark.parametrize('listed, on_disk', [(COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED)])
def test_accents_in_another_unicode_form(mini, listed, on_disk):
    mini.database[f'{listed}/{listed}'] = mini.database.pop('v1')
    (mini.root / 'feats' / on_disk).mkdir()
    feats = np.load(mini.feature('v1'))
    mini.feature('v1').rename(mini.root / 'feats' / on_disk / f'{on_disk}.npy')
    dataset = mini.build(pipeline=PIPELINE)
    assert dataset.get_data_info(2)['video_name'] == f'{listed}/{listed}'
    np.testing.assert_array_equal(dataset[2]['inputs'].rows.numpy(), feats)
    own = mini.root / 'feats' / listed
    own.mkdir()
    np.save(own / f'{listed}.npy', feats + 1)  # the very name goes before another form
    dataset = mini.build(pipeline=PIPELINE)
    np.testing.assert_array_equal(dataset[2]['inputs'].rows.numpy(), feats + 1)


def test_two_files_that_look_the_same(mini):
    mini.database[DECOMPOSED] = mini.database.pop('v1')
    for name in (COMPOSED, 'K\u00fcche_e\u0301'):
        np.save(mini.feature(name), np.load(mini.feature('v1')))
    mini.fails(str(mini.root / 'feats'), f"video '{DECOMPOSED}': feature: ",
               'is not there, and 2 names differ', check_features=False)
    mini.feature(COMPOSED).unlink()
    assert len(mini.build()) == 3
    mini.feature('K\u00fcche_e\u0301').unlink()
    mini.fails(f"video '{DECOMPOSED}': feature: missing feature: no such file")


def test_accents_of_data_sets_in_hdf5(mini):
    h5py = pytest.importorskip('h5py')
    mini.database[COMPOSED] = mini.database.pop('v1')
    with h5py.File(mini.root / 'all.h5', 'w') as file:
        for name, key in (('v0', 'v0'), ('v1', DECOMPOSED), ('v2', 'v2')):
            file[key] = np.load(mini.feature(name))
    assert len(mini.build(data_prefix=dict(feats='all.h5'))) == 3
