"""The picture of a data set."""
import numpy as np
import pytest

from cltdr_mm.datasets.statistics import SubsetStatistics
from cltdr_mm.visualization import draw_statistics, save_figure


def make(counts, names):
    infos = [dict(duration=60., fps=10., stride=5, window=5, num_steps=120,
                  gt_segments=np.array([(i, i + 1.5 + 3 * label) for i in range(count)], float),
                  gt_labels=np.full(count, label)) for label, count in enumerate(counts) if count]
    return SubsetStatistics.of(infos, names)


def axes_of(figure):
    return {axes.get_label(): axes for axes in figure.axes}


def widths(axes, start):
    return {bar.get_gid(): bar.get_width() for bar in axes.patches
            if (bar.get_gid() or '').startswith(start)}


def test_bars_are_the_figures(tmp_path):
    names = ('jump', 'throw $x$', 'run')
    training, test = make((3, 7, 0), names), make((1, 0, 2), names)
    figure = draw_statistics(dict(training=training, test=test), [(0, 4), (4, 10000)], 'mine')
    found = axes_of(figure)
    assert set(found) == {'classes', 'lengths', 'videos', 'background'}
    assert widths(found['classes'], 'training') == {
        'training:jump': 3, 'training:throw $x$': 7, 'training:run': 0}
    shares = widths(found['background'], 'test')
    assert shares['test:background'] == pytest.approx(100 * test.background)
    assert shares['test:overlap'] == pytest.approx(100 * test.overlap)
    # a centre 4 steps from both boundaries is that of 8 steps
    assert [line.get_xdata()[0] for line in found['lengths'].lines] == [3.0]
    save_figure(figure, tmp_path / 'statistics.png')
    assert (tmp_path / 'statistics.png').stat().st_size > 10_000


def test_the_most_frequent_of_many_classes():
    names = tuple(f'c{i}' for i in range(60))
    figure = draw_statistics(dict(training=make(range(1, 61), names)))
    axes = axes_of(figure)['classes']
    assert len(widths(axes, 'training')) == 40
    assert axes.get_yticklabels()[0].get_text() == 'c59'
    assert 'most frequent of 60' in axes.get_title('left')


def test_nothing_to_see():
    empty = SubsetStatistics.of([], ('a', ))
    assert len(draw_statistics(dict(test=empty)).axes) == 4
    with pytest.raises(ValueError, match='no subset'):
        draw_statistics({})
