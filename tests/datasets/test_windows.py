import numpy as np
import pytest

from cltdr_mm.datasets.windows import (
    WindowSettings,
    cut_segments,
    cut_windows,
    sample_grid,
    visible_fraction,
    visible_range,
    window_starts,
)


@pytest.mark.parametrize('total', [1, 5, 16, 17, 31, 32, 33, 100])
@pytest.mark.parametrize('overlap', [0, 4, 15, 0.5, 0.0])
def test_windows_cover_everything(total, overlap):
    starts = window_starts(total, 16, overlap)
    assert starts[0] == 0 and starts == sorted(set(starts))
    covered = np.zeros(total, bool)
    for start in starts:
        assert 0 <= start <= max(0, total - 16)
        covered[start:start + 16] = True
    assert covered.all()
    shared = int(overlap * 16) if isinstance(overlap, float) else overlap
    assert all(b - a <= 16 - shared for a, b in zip(starts, starts[1:]))
    assert total > 16 or len(starts) == 1


@pytest.mark.parametrize('size,overlap', [(0, 0), (8, 8), (8, -1), (8, 1.0)])
def test_impossible_windows(size, overlap):
    with pytest.raises(ValueError, match='cannot overlap'):
        window_starts(100, size, overlap)


def test_window_argument():
    assert WindowSettings.from_cfg(None) is None
    assert WindowSettings.from_cfg(dict(size=8)) == WindowSettings(8, 0.5, 0.5)
    for window in (dict(), dict(overlap=3), dict(size=8, length=9)):
        with pytest.raises(ValueError, match='window takes size, overlap and min_visible'):
            WindowSettings.from_cfg(window)
    with pytest.raises(ValueError, match='min_visible'):
        WindowSettings(8, min_visible=2)
    with pytest.raises(ValueError, match='cannot overlap'):
        WindowSettings(8, overlap=8)


def test_visible_range():
    # a window of 16 frames every 4: two strides to either side of the centres
    assert visible_range(10, 5, 4, 16) == (8, 16)
    # a window shorter than the stride: a step stands for its stride
    assert visible_range(10, 5, 4, 2) == (9.5, 14.5)


def test_visible_range_is_the_extent_of_the_grid():
    grid = sample_grid(dict(fps=30, stride=4, window=16, duration=None), 20)
    low, high = visible_range(0, 20, 4, 16)
    assert grid.to_seconds(low) == pytest.approx(0)
    assert grid.to_seconds(high) == pytest.approx(grid.extent)


def test_cut_against_a_loop():
    rng = np.random.default_rng(0)
    for _ in range(50):
        starts = rng.uniform(-5, 40, 12)
        segments = np.stack([starts, starts + rng.uniform(0.1, 30, 12)], 1)
        low, high = 7.0, 21.5
        cut, kept = cut_segments(segments, low, high, 0.5)
        expected = []
        for i, (s, e) in enumerate(segments):
            shown = max(0.0, min(e, high) - max(s, low)) / (e - s)
            if shown >= 0.5:
                expected.append((i, max(s, low), min(e, high)))
        assert kept.tolist() == [i for i, _, _ in expected]
        np.testing.assert_allclose(cut, np.array([x[1:] for x in expected]).reshape(-1, 2))


def test_nothing_shown_is_never_kept():
    segments = np.array([[0.0, 1.0], [30.0, 31.0]])
    assert len(cut_segments(segments, 5, 10, 0.0)[1]) == 0


def test_uncut_ends_stay():
    segments = np.array([[-1.0, 4.0], [5.0, 12.0]])
    cut, _ = cut_segments(segments, 0, 10, 0.5, clip_low=False, clip_high=False)
    np.testing.assert_array_equal(cut, segments)


def test_many_cuts_at_once():
    segments = np.array([[2.0, 6.0], [4.0, 5.0]])
    shown = visible_fraction(segments, np.array([[0.0], [4.0]]), np.array([[4.0], [8.0]]))
    np.testing.assert_allclose(shown, [[0.5, 0], [0.5, 1]])


def test_the_outer_windows_clip_nothing_at_the_ends_of_the_video():
    """As in crops: annotations may leave the video a little, and nothing was cut off there."""
    info = dict(fps=1., stride=1., window=1., duration=8., num_steps=8, gt_labels=np.arange(2),
                gt_segments=np.array([[-2., 6.], [2., 9.]]))
    first, last = cut_windows(info, WindowSettings(4, 0, 0.25))
    assert first['gt_segments'].tolist() == [[-2., 4.], [2., 4.]]
    assert last['gt_segments'].tolist() == [[4., 6.], [4., 9.]]
