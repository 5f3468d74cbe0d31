"""Features that cannot be used are an error before training that names file and video."""
import numpy as np
import pytest


def test_missing_feature(mini):
    mini.feature('v1').unlink()
    mini.fails(str(mini.feature('v1')), "video 'v1': feature: missing feature")


@pytest.mark.parametrize('value', [np.nan, np.inf, -np.inf])
def test_nonfinite_feature(mini, value):
    feats = np.load(mini.feature('v1'))
    feats[7, 3] = value
    np.save(mini.feature('v1'), feats)
    mini.fails(str(mini.feature('v1')), "video 'v1': feature values: NaN or inf at step 7, "
          'channel 3')
    assert len(mini.build(check_features='header')) == 3  # values are not read then


def test_float64_beyond_float32(mini):
    feats = np.load(mini.feature('v1')).astype(np.float64)
    feats[2, 1] = 1e300
    np.save(mini.feature('v1'), feats)
    mini.fails("video 'v1': feature values: NaN or inf at step 2, channel 1")


@pytest.mark.parametrize('check', ['full', 'header'])
class TestFeatureHeaders:
    """What the quick check finds as well."""

    def test_wrong_channels(self, mini, check):
        np.save(mini.feature('v1'), np.zeros((60, 5), np.float32))
        mini.fails(str(mini.feature('v1')), "video 'v1': channels: 5 channels, feature_dim is 6",
              check_features=check, feature_dim=6)
        mini.fails("video 'v1': channels: 5 channels, most videos have 6", check_features=check)

    def test_transposed(self, mini, check):
        np.save(mini.feature('v1'), np.zeros((6, 60), np.float32))
        mini.fails("video 'v1': channels", 'is the layout not time_major?', length_tolerance=9,
              check_features=check, feature_dim=6)

    def test_transposed_is_said_before_lengths_and_values(self, mini, check):
        for name in mini.database:
            feats = np.load(mini.feature(name)).T
            feats[2, 1] = np.nan
            np.save(mini.feature(name), feats)
        error = mini.fails("video 'v0': channels: 40 channels, feature_dim is 6; the other axis "
                      'has 6: is the layout not time_major?', check_features=check, feature_dim=6)
        assert [p.field for p in error.problems] == ['channels'] * 3

    def test_transposed_folders(self, mini, check):
        (mini.root / 'flow').mkdir()
        for name in mini.database:
            feats = np.load(mini.feature(name)).T
            np.save(mini.feature(name), feats)
            np.save(mini.root / 'flow' / f'{name}.npy', feats[:2])
        mini.fails("video 'v0': channels: 80 channels (40 + 40), feature_dim is 8; the other axis "
              'has 8: is the layout not time_major?', check_features=check, feature_dim=8,
              data_prefix=dict(feats=['feats', 'flow']))

    def test_zero_length(self, mini, check):
        np.save(mini.feature('v1'), np.zeros((0, 6), np.float32))
        mini.fails(str(mini.feature('v1')), "video 'v1': feature length: zero-length feature",
              check_features=check)

    @pytest.mark.parametrize('steps', [40, 80])
    def test_length_disagrees(self, mini, check, steps):
        np.save(mini.feature('v1'), np.zeros((steps, 6), np.float32))
        mini.fails(str(mini.feature('v1')), "video 'v1': feature length: ", f'{steps} steps',
              'but the duration is 24.40 s', check_features=check)
        assert len(mini.build(check_features=check, length_tolerance=0.5)) == 3
        assert len(mini.build(check_features=check, exempt_videos=['v1'])) == 3

    def test_length_tolerance_adds_a_stride_and_a_window(self, mini, check):
        """20 s at 10 fps, stride 4 and window 8: 2 s and 1.2 s may be missing or too many."""
        mini.database['v1'].update(duration=20.0, annotations=[])
        for steps, good in ((40, False), (41, True), (57, True), (58, False)):
            np.save(mini.feature('v1'), np.zeros((steps, 6), np.float32))
            if good:
                assert len(mini.build(check_features=check, test_mode=True)) == 3
            else:
                mini.fails(f"video 'v1': feature length: {steps} steps",
                      '(allowed difference 3.20 s)', check_features=check)

    @pytest.mark.parametrize('stride,window', [(4, 16), (8, 32), (16, 16), (25, 50), (8, 1)])
    def test_every_way_of_cutting_a_video_passes(self, mini, check, stride, window):
        """Whole windows, all but the last, centred on frames, padded to the last frame."""
        for frames in (211, 240, 307):
            whole = (frames - window) // stride + 1
            mini.database['v1'].update(duration=frames / 10, annotations=[])
            for steps in (whole, whole - 1, frames // stride, -(-frames // stride)):
                np.save(mini.feature('v1'), np.zeros((steps, 6), np.float32))
                assert len(mini.build(check_features=check, length_tolerance=0, test_mode=True,
                                      feature_stride=stride, feature_window=window,
                                      exempt_videos=['v0', 'v2'])) == 3

    def test_wrong_rank(self, mini, check):
        np.save(mini.feature('v1'), np.zeros((60, 6, 1), np.float32))
        mini.fails("video 'v1': feature: must hold a matrix", '(60, 6, 1)', check_features=check)

    def test_cut_short(self, mini, check):
        content = mini.feature('v1').read_bytes()
        mini.feature('v1').write_bytes(content[:-100])
        mini.fails("video 'v1': feature: is cut short: 100 bytes are missing",
              check_features=check)

    def test_damaged(self, mini, check):
        mini.feature('v1').write_bytes(b'not an array')
        mini.fails(str(mini.feature('v1')), "video 'v1': feature: cannot be read",
              check_features=check)

    def test_pickled_objects(self, mini, check):
        np.save(mini.feature('v1'), np.array([[{}]], dtype=object), allow_pickle=True)
        mini.fails("video 'v1': feature: holds pickled Python objects", check_features=check)


def test_folders_disagree(mini):
    (mini.root / 'flow').mkdir()
    for name, steps in (('v0', 40), ('v1', 58), ('v2', 28)):
        np.save(mini.root / 'flow' / f'{name}.npy', np.zeros((steps, 2), np.float32))
    mini.fails("video 'v2': feature length: the folders disagree: [25, 28] steps, more than 2",
          data_prefix=dict(feats=['feats', 'flow']))


def test_a_missing_folder_is_one_problem(mini):
    gone = str(mini.root / 'gone')
    error = mini.fails(f'{gone}: data_prefix: there is no such folder',
                       data_prefix=dict(feats=gone))
    assert len(error.problems) == 1
