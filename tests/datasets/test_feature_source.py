"""The data set reads the manifest beside its features."""
from dataclasses import replace

import pytest

from cltdr_mm.datasets.feature_manifest import FeatureManifest, VideoFeatures

MANIFEST = FeatureManifest(stride=4, window=8, fps=10.0, channels=6, recognizer='motion', videos={
    f'v{i}': VideoFeatures(f'v{i}.mp4', 16.4, 10.0, 40) for i in range(3)})
NOTHING = dict(feature_stride=None, feature_window=None)


def test_stride_window_and_rate_come_from_the_manifest(mini):
    for entry in mini.database.values():
        entry['fps'] = 30.0  # of the video; features were taken at another
    mini.fails('feature length', 'cover')
    MANIFEST.write(mini.root / 'feats')
    dataset = mini.build(**NOTHING)
    info = dataset.get_data_info(0)
    assert (info['stride'], info['window'], info['fps']) == (4, 8, 10.0)
    assert dataset.metainfo['features'] == MANIFEST.settings()
    assert mini.build(fps=10.0).get_data_info(1)['fps'] == 10.0  # said twice, the same


def test_every_video_has_its_own_rate(mini):
    rates = dict(v0=10.0, v1=20.0, v2=10.0)
    mini.database['v1']['duration'] /= 2
    mini.database['v1']['annotations'] = []
    replace(MANIFEST, fps=None, videos={
        name: VideoFeatures(f'{name}.mp4', 9.0, fps, 40) for name, fps in rates.items()}
    ).write(mini.root / 'feats')
    dataset = mini.build(**NOTHING, test_mode=True)
    assert {info['video_name']: info['fps'] for info in map(dataset.get_data_info, range(3))
            } == rates
    mini.fails("video 'v1': fps: is 20, but the config says 10", **NOTHING, fps=10.0)


def test_what_differs_is_one_error_that_names_both(mini):
    MANIFEST.write(mini.root / 'feats')
    found = mini.fails('manifest.json: stride: is 4, but feature_stride of the config is 2',
                       'window: is 8, but feature_window of the config is 5',
                       'fps: is 10, but fps of the config is 30', feature_stride=2,
                       feature_window=5, fps=30.0)
    assert len(found.problems) == 3
    mini.database['v1']['feature_stride'] = 16
    mini.fails("ann.json: video 'v1': feature_stride: is 16, but the manifest of the features "
               'says 4', **NOTHING)


def test_folders_must_agree(mini):
    (mini.root / 'flow').mkdir()
    for i in range(3):
        (mini.root / 'flow' / f'v{i}.npy').write_bytes(mini.feature(f'v{i}').read_bytes())
    both = dict(NOTHING, data_prefix=dict(feats=['feats', 'flow']))
    MANIFEST.write(mini.root / 'flow')  # of one folder: good for both
    assert mini.build(**both).get_data_info(0)['stride'] == 4
    replace(MANIFEST, stride=2).write(mini.root / 'feats')
    mini.fails('flow/manifest.json: stride: is 4, but stride of another manifest is 2', **both)


def test_a_damaged_manifest(mini):
    (mini.root / 'feats' / 'manifest.json').write_text('{}')
    mini.fails('feature manifest: 4 problems', 'manifest.json: stride: is missing')


def test_a_lazy_data_set_knows_it_too(mini):
    MANIFEST.write(mini.root / 'feats')
    lazy = mini.build(lazy_init=True, **NOTHING)
    assert lazy.source.stride == 4 and lazy.metainfo['features']['stride'] == 4
    with pytest.raises(ValueError, match='manifest'):
        mini.build(lazy_init=True, feature_stride=9)


def test_folders_of_grids_of_their_own(mini):
    """Each folder's manifest is held against its own stride and window; the first one's stay."""
    (mini.root / 'flow').mkdir()
    for i in range(3):
        (mini.root / 'flow' / f'v{i}.npy').write_bytes(mini.feature(f'v{i}').read_bytes())
    MANIFEST.write(mini.root / 'feats')
    replace(MANIFEST, window=4).write(mini.root / 'flow')
    prefix = dict(feats=['feats', 'flow'])
    dataset = mini.build(data_prefix=prefix, feature_stride=[4, 4], feature_window=[8, 4])
    info = dataset.get_data_info(0)
    assert (info['stride'], info['window'], info['stream_grids']) == (4, 8, ((4, 8), (4, 4)))
    assert dataset.metainfo['features'] == MANIFEST.settings()
    mini.fails('flow/manifest.json: window: is 4, but feature_window of the config is 16 for '
               'folder 2', data_prefix=prefix, feature_stride=[4, 4], feature_window=[8, 16])
