"""Statistics of a data set: against values counted by hand or by a plain loop."""
import numpy as np
import pytest
import torch

from cltdr_mm.datasets.statistics import (
    SubsetStatistics,
    answering_levels,
    covered_length,
    level_shares,
    overlapping,
)
from cltdr_mm.datasets.statistics_tables import levels_text, statistics_text, suggestions_table
from cltdr_mm.models.task_modules import Actions, CenterSamplingAssigner, pyramid_points
from cltdr_mm.structures import Layout

CLASSES = ('run', 'sit', 'fall')


def info(duration, segments, labels, fps=10., stride=5, window=10, num_steps=100):
    return dict(duration=duration, fps=fps, stride=stride, window=window, num_steps=num_steps,
                gt_segments=np.array(segments, np.float64).reshape(-1, 2),
                gt_labels=np.array(labels, np.int64))


@pytest.fixture
def subset():
    return SubsetStatistics.of([
        info(50., [(0.5, 3.0), (2.0, 10.5), (20.5, 21.0)], [0, 1, 0]),
        info(30., [], []),
        info(20., [(-0.05, 20.05)], [1])], CLASSES)


def test_counts_and_lengths(subset):
    assert (subset.num_videos, subset.num_instances) == (3, 4)
    assert subset.per_class.tolist() == [2, 2, 0]
    assert subset.per_video.tolist() == [3, 0, 1]
    np.testing.assert_allclose(subset.lengths_in_seconds, [2.5, 8.5, 0.5, 20.1])
    np.testing.assert_allclose(subset.lengths, [5, 17, 1, 40.2])  # two steps a second
    np.testing.assert_allclose(subset.segments[0], [0, 5])        # step 0 describes 0.5 s
    assert subset.length_quantile(0.5) == pytest.approx(11)


def test_background_and_overlap(subset):
    # 10.5 of the first 50 s, nothing of 30 s, all of 20 s although the segment leaves it
    assert subset.background == pytest.approx(1 - (10 + 0.5 + 20) / 100)
    assert subset.overlap == pytest.approx(2 / 4)


def test_nothing_to_count():
    empty = SubsetStatistics.of([info(10., [], [])], CLASSES)
    assert (empty.background, empty.overlap) == (1., 0.)
    with pytest.raises(ValueError, match='no instance'):
        empty.length_quantile(0.5)
    none = SubsetStatistics.of([], CLASSES)
    assert none.num_videos == 0 and none.background == 0.
    text = statistics_text(dict(training=empty, test=none))
    assert 'nan' not in text and '-' in text


def test_resampled_features():
    """Steps share the video evenly, or are resampled to one length by the pipeline."""
    one = info(100., [(10., 30.)], [0], stride=None, window=None, num_steps=50)
    assert SubsetStatistics.of([one], CLASSES).lengths[0] == pytest.approx(10)
    found = SubsetStatistics.of([one], CLASSES, resized=200)
    assert found.lengths[0] == pytest.approx(40) and found.steps.tolist() == [200]


def test_overlap_agrees_with_all_pairs():
    rng = np.random.default_rng(0)
    for _ in range(50):
        starts = rng.integers(0, 40, rng.integers(0, 12))
        segments = np.stack([starts, starts + rng.integers(1, 9, len(starts))], 1).astype(float)
        expected = [any(i != j and a[0] < b[1] and b[0] < a[1] for j, b in enumerate(segments))
                    for i, a in enumerate(segments)]
        assert overlapping(segments).tolist() == expected
        covered = {t for start, end in segments.astype(int) for t in range(start, end)}
        assert covered_length(segments) == len(covered)


def test_levels_are_those_of_the_assigner():
    """Instances one at a time, so that none takes another's points."""
    ranges = [(0, 4), (4, 8), (8, 16), (16, 10000)]
    rng = np.random.default_rng(1)
    centres, lengths = rng.uniform(60, 190, 60), 2.0**rng.uniform(-2, 6.5, 60)
    segments = np.stack([centres - lengths / 2, centres + lengths / 2], 1)
    found = answering_levels(segments, ranges)
    layouts = [Layout(lengths=[256])]
    for _ in ranges[1:]:
        layouts.append(layouts[-1].half)
    layout = Layout.stack(layouts)
    points = pyramid_points(layout, ranges)
    for segment, levels in zip(segments, found):
        one = Actions(torch.tensor(segment[None], dtype=torch.float32), torch.tensor([0]),
                      torch.tensor([0]), 1)
        rows = CenterSamplingAssigner().assign(points, one).pairs.row
        assert set(points.level[rows].tolist()) == set(np.flatnonzero(levels))


def test_instances_that_no_level_learns():
    segments = np.array([[10.2, 10.8], [9.6, 10.4], [20., 30.]])  # between two points; around one
    shares, missed = level_shares(segments, [(0, 4), (4, 10000)])
    assert missed == pytest.approx(1 / 3)
    assert shares.tolist() == pytest.approx([1 / 3, 1 / 3])
    shares, missed = level_shares(np.zeros((0, 2)), [(0, 4), (4, 10000)])
    assert shares.tolist() == [0, 0] and missed == 0


def test_tables_show_the_figures(subset):
    text = statistics_text(dict(training=subset, test=subset))
    rows = [[cell.strip() for cell in line.strip('|').split('|')] for line in text.splitlines()]
    assert ['run', '2', '1.5', '2', '1.5'] in rows and ['fall', '0', '-', '0', '-'] in rows
    assert any(row[0] == 'training, steps' and row[-1] == '40.2' for row in rows)
    assert any(row[:3] == ['training', '3', '0.03'] and '69.5 %' in row for row in rows)
    assert '| 1     |                    2 |          4-10000 |    75.0 % |' in levels_text(
        subset, [(0, 4), (4, 10000)])


def test_levels_that_share_instances_say_so(subset):
    def last_line(*ranges):
        return levels_text(subset, ranges).splitlines()[-1]

    assert last_line((0, 10000)).startswith('+---')  # all at one level: no more than 100 %
    # the shortest has no point of the coarser level
    assert last_line((0, 10000), (0, 10000)) == (
        '175.0 % together: points of several levels may learn the same instance, which counts at '
        'each')


def test_suggestions_fit_on_a_screen():
    text = suggestions_table([('width', '128', 'because ' * 30)])
    assert max(map(len, text.splitlines())) <= 100 and text.count('because') == 31
