import numpy as np
import pytest

from cltdr_mm.visualization.size_curves import draw_size_curves

GROUPS = {
    'part of the video': {size: {f'{t:g}': 1 / (1 + i + t) for t in (0.5, 0.75, 0.95)}
                          for i, size in enumerate(('XS', 'S', 'M', 'L', 'XL'))},
    'length': {'M': {'0.95': 0.25, '0.5': 0.5, '0.75': 1.0}}}
OVERALL = {'0.5': 0.5, '0.75': 0.25, '0.95': 0.0}


def test_a_line_for_each_size():
    figure = draw_size_curves(GROUPS, OVERALL, {'length': {'M': '3-6 s (9 %)'}}, 'T', 'score (%)')
    first, second = figure.axes
    lines = {line.get_gid(): line for axes in figure.axes for line in axes.get_lines()}
    assert len(first.get_lines()) == 6 and len(second.get_lines()) == 2
    line = lines['length:M']
    np.testing.assert_allclose(line.get_xydata(), [(0.5, 50), (0.75, 100), (0.95, 25)])
    assert line.get_label() == 'M: 3-6 s (9 %)'
    same = lines['part of the video:M']
    assert line.get_color() == same.get_color() and line.get_marker() == same.get_marker()
    assert len({x.get_color() for x in first.get_lines()}) == 6
    assert lines['overall'].get_ydata().tolist() == [50, 25, 0]
    assert first.get_ylim() == second.get_ylim() and first.get_ylim()[1] > 100
    assert [t.get_text() for t in second.get_xticklabels()] == ['0.5', '0.75', '0.95']
    assert {'T', 'score (%)'} <= {t.get_text() for t in figure.texts}


def test_legends_stay_in_the_picture():
    notes = {group: {size: '120-180 s (100 %)' for size in sizes}
             for group, sizes in GROUPS.items()}
    figure = draw_size_curves(dict(GROUPS, third=GROUPS['part of the video']), OVERALL,
                              dict(notes, third=notes['part of the video']))
    figure.canvas.draw()
    boxes = [axes.get_legend().get_window_extent() for axes in figure.axes]
    ends = [*(box.x0 for box in boxes[1:]), figure.bbox.x1]
    for box, end in zip(boxes, ends):
        assert box.y0 > 0 and 0 <= box.x0 and box.x1 <= end


@pytest.mark.parametrize('groups, words', [
    ({}, 'no curve'), ({'length': {}}, 'no curve'),
    ({'length': {'XXL': OVERALL}}, r"unknown sizes \['XXL'\]")])
def test_what_cannot_be_drawn(groups, words):
    with pytest.raises(ValueError, match=words):
        draw_size_curves(groups, OVERALL)
