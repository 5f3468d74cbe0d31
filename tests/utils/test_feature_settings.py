from cltdr_mm.utils.feature_settings import differing

ONE = dict(stride=4, window=16, channels=64, fps=25.0, clip_len=16, recognizer='i3d',
           weights=dict(file='a.pth', sha256='ab'))


def test_what_differs_is_named():
    assert differing(ONE, dict(ONE, stride=8, fps=None)) == [
        'stride: 4 and 8', 'fps: 25.0 and none']
    assert differing(ONE, dict(stride=4)) == [] and differing({}, ONE) == []


def test_weights_are_known_by_their_hash_and_a_recognizer_by_them():
    renamed = dict(ONE, recognizer='configs/i3d.py', weights=dict(file='b.pth', sha256='ab'))
    assert differing(ONE, renamed) == []
    assert differing(ONE, dict(ONE, weights=dict(file='a.pth', sha256='cd'))) == [
        'weights: ab and cd']
    assert differing(dict(ONE, weights=None), dict(ONE, weights=None, recognizer='motion')) == [
        'recognizer: i3d and motion']
    built = dict(ONE)
    del built['recognizer']
    assert differing(built, ONE) == [] == differing(ONE, built)


def test_of_features_from_elsewhere_the_grid_is_compared():
    elsewhere = dict(ONE, recognizer=None, weights=None, clip_len=None)
    assert differing(ONE, elsewhere) == []
    assert differing(ONE, dict(elsewhere, window=8)) == ['window: 16 and 8']
