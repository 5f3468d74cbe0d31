import numpy as np
import pytest

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
