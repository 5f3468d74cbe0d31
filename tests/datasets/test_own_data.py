"""What is found out about a user's own data: subsets, classes, files, timing."""
import json

import numpy as np
import pytest

from cltdr_mm.datasets import TALDataset
from cltdr_mm.datasets.feature_manifest import FeatureManifest
from cltdr_mm.datasets.own_data import (
    Subsets,
    find_classes,
    find_features,
    find_subsets,
    find_timing,
)
from cltdr_mm.utils import TALDataError


def database(*subsets, **more):
    return {f'v{i}': dict({} if name is None else dict(subset=name), **more)
            for i, name in enumerate(subsets)}


@pytest.mark.parametrize('there, asked, expected', [
    (('training', 'validation', 'test'), {}, ('training', 'validation', 'test')),
    (('Train', 'val'), {}, ('Train', 'val', None)),
    (('train', 'testing'), {}, ('train', None, 'testing')),
    ((None, None), {}, (None, None, None)),
    (('Validation', 'Test'), dict(training='Validation'), ('Validation', None, 'Test')),
    (('a', 'b', 'train'), dict(validation='b'), ('train', 'b', None)),
])
def test_subsets(there, asked, expected):
    assert find_subsets(database(*there), 'ann.json', **asked) == Subsets(*expected)


def test_subsets_that_cannot_be_told():
    for there, asked, message in (
            (('Validation', 'Test'), {}, 'none is called training'),
            (('train', 'training'), {}, 'train and training could both be'),
            (('train', ), dict(test='final'), "there is no 'final'"),
            (('train', ), dict(training='train', test='train'), 'more than one purpose')):
        with pytest.raises(TALDataError, match=message) as caught:
            find_subsets(database(*there), 'ann.json', **asked)
        assert 'ann.json: subset' in str(caught.value)


def test_roles_without_a_subset_are_left_out():
    assert Subsets('train', None, 'test').named() == dict(training='train', test='test')
    assert Subsets(None).named() == dict(training=None)


def labelled(*labels):
    return dict(database=dict(v=dict(annotations=[
        dict(label=name, **({} if number is None else dict(label_id=number)))
        for name, number in labels])))


def test_classes():
    assert find_classes(dict(labelled(('b', 0)), classes=['b', 'a']), 'f') == (('b', 'a'), {})
    names, settings = find_classes(labelled(('b', None), ('a', None), ('b', None)), 'f')
    assert names == ('a', 'b') and settings == dict(metainfo=dict(classes=['a', 'b']))
    assert find_classes(labelled(('b', 0), ('a', 1)), 'f')[0] == ('b', 'a')
    names, settings = find_classes(labelled(('b', 1), ('a', 2)), 'f')  # counted from 1
    assert names == ('a', 'b') and settings['check_label_id'] is False
    with pytest.raises(TALDataError, match='no annotation has a label'):
        find_classes(labelled(), 'f')


def save(folder, suffix='.npy', channels=6, turned=False, lengths=(20, 30)):
    folder.mkdir(exist_ok=True)
    for i, steps in enumerate(lengths):
        rows = np.zeros((channels, steps) if turned else (steps, channels), np.float32)
        if suffix == '.npy':
            np.save(folder / f'v{i}.npy', rows)
        else:
            np.savez(folder / f'v{i}{suffix}', feats=rows)
    return str(folder)


def test_feature_files_are_looked_at(tmp_path):
    plain, other = save(tmp_path / 'rgb'), save(tmp_path / 'flow', '.npz', 4)
    assert find_features([plain], ['v0', 'v1']) == dict(
        data_prefix=dict(feats=plain), feature_dim=6)
    assert find_features([plain, other], ['v0', 'v1']) == dict(
        data_prefix=dict(feats=[plain, other]), file_suffix=['.npy', '.npz'], feature_dim=10)
    turned = save(tmp_path / 'turned', turned=True)
    assert find_features([turned], ['v0', 'v1']) == dict(
        data_prefix=dict(feats=turned), layout='channel_major', feature_dim=6)
    # one length: nothing tells the axes apart, steps come first
    square = save(tmp_path / 'square', lengths=(20, 20))
    assert find_features([square], ['v0', 'v1'])['feature_dim'] == 6


def test_one_that_is_missing_does_not_hide_the_others(tmp_path):
    folder = save(tmp_path / 'rgb')
    assert find_features([folder], ['gone', 'v1'])['feature_dim'] == 6
    with pytest.raises(TALDataError, match='has no file of any of the 1 videos, such as gone.npy'):
        find_features([folder], ['gone'])
    with pytest.raises(TALDataError, match='no such folder.* --features FOLDER'):
        find_features([str(tmp_path / 'nowhere')], ['v0'])
    (tmp_path / 'rgb' / 'v0.npy').write_bytes(b'broken')
    with pytest.raises(TALDataError, match='none of the 1 videos can be read'):
        find_features([folder], ['v0'])


def test_timing_as_said(tmp_path):
    folder = save(tmp_path / 'rgb')
    assert find_timing([folder], database('train'), 8, 16, 25.) == dict(
        feature_stride=8, feature_window=16, default_fps=25.)
    assert find_timing([folder], database('train'), 'resampled') == {}
    assert find_timing([folder], database('train', feature_stride=4)) == {}
    with pytest.raises(TALDataError, match='say --stride N'):
        find_timing([folder], database('train'))


def test_a_manifest_needs_no_words(tmp_path):
    folder = save(tmp_path / 'rgb')
    FeatureManifest(stride=4, window=16, channels=6, fps=15.0).write(folder)
    assert find_timing([folder], database('train', fps=29.97)) == {}


def test_what_is_found_makes_a_data_set(tmp_path):
    folder = save(tmp_path / 'rgb', turned=True)
    content = dict(database={f'v{i}': dict(
        subset='train', duration=(steps * 4) / 10, fps=10.,
        annotations=[dict(label='run', segment=[1, 2])]) for i, steps in enumerate((20, 30))})
    (tmp_path / 'ann.json').write_text(json.dumps(content))
    classes, settings = find_classes(content, 'ann.json')
    built = TALDataset(ann_file=str(tmp_path / 'ann.json'), subset='train', **settings,
                       **find_features([folder], ['v0', 'v1']),
                       **find_timing([folder], content['database'], 4))
    assert built.metainfo['classes'] == ['run'] and classes == ('run', )
    assert [built.get_data_info(i)['num_steps'] for i in range(2)] == [20, 30]
