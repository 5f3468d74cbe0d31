import numpy as np
import pytest

from cltdr_mm.visualization import (
    draw_diagnosis,
    draw_false_positive_profile,
    draw_sensitivity,
)

KINDS = ['true positive', 'double detection', 'wrong label', 'localization', 'confusion',
         'background']


def bars(axes):
    return {(p.get_gid(), round(p.get_x() + p.get_width() / 2, 6)): p for p in axes.patches}


def test_profile_stacks_shares_and_draws_gains():
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.ones(6), size=10)
    gains = dict(zip(KINDS[1:], (0.01, 0.0, 0.12, -0.005, 0.03)))
    figure = draw_false_positive_profile(shares, KINDS, gains, 'T')
    axes = {a.get_label(): a for a in figure.axes}
    found = bars(axes['profile'])
    assert len(found) == 60
    for g in range(10):
        floor = 0
        for k, kind in enumerate(KINDS):
            bar = found[kind, g + 1]
            np.testing.assert_allclose((bar.get_y(), bar.get_height()),
                                       (100 * floor, 100 * shares[g, k]), atol=1e-6)
            floor += shares[g, k]
    widths = {p.get_gid(): p.get_width() for p in axes['gains'].patches}
    np.testing.assert_allclose([widths[k] for k in KINDS[1:]], [1, 0, 12, -0.5, 3])
    colors = {p.get_gid(): p.get_facecolor() for p in axes['gains'].patches}
    assert all(colors[k] == found[k, 1].get_facecolor() for k in KINDS[1:])
    assert len({found[k, 1].get_facecolor() for k in KINDS}) == 6
    assert [a.get_label() for a in draw_false_positive_profile(shares, KINDS).axes] == ['profile']


@pytest.mark.parametrize('shares, words', [
    (np.ones((2, 5)) / 9, '6 kinds of detections'), (np.ones((2, 6)), 'sum to at most 1'),
    (np.zeros((0, 6)), '6 kinds'), (-np.ones((1, 6)), 'must be fractions')])
def test_bad_shares(shares, words):
    with pytest.raises(ValueError, match=words):
        draw_false_positive_profile(shares, KINDS)


def test_sensitivity_has_a_bar_per_bin_and_a_line():
    groups = {'coverage': {'XS': 0.2, 'XL': 0.7}, 'length': {'XS': float('nan'), 'S': 0.4}}
    notes = {'coverage': {'XS': ('≤ 2 %', '90 %'), 'XL': ('> 8 %', '10 %')}}
    figure = draw_sensitivity(groups, 0.45, notes, 'T', rows=('size', 'range', 'share'))
    axes = figure.axes[0]
    heights = {p.get_gid(): p.get_height() for p in axes.patches}
    assert heights == {'coverage:XS': 20, 'coverage:XL': 70, 'length:XS': 0, 'length:S': 40}
    line = next(x for x in axes.get_lines() if x.get_gid() == 'overall')
    assert set(line.get_ydata()) == {45}
    assert [t.get_text() for t in axes.get_xticklabels()] == [
        'XS\n≤ 2 %\n90 %', 'XL\n> 8 %\n10 %', 'XS', 'S']
    assert [t.get_text() for t in axes.texts if t.get_gid() == 'number'] == [
        '20.0', '70.0', '–', '40.0'], 'a bin without instances says so'
    assert 'size\nrange\nshare' in [t.get_text() for t in axes.texts]
    for bad in ({}, {'a': {}}):
        with pytest.raises(ValueError, match='no bin'):
            draw_sensitivity(bad, 0.5)


@pytest.mark.parametrize('overall', [0.0, 0.02, 0.1, 0.55, 0.955, 1.0])
def test_no_number_lies_on_the_line(overall):
    """Bars of all heights, some of which end right below the line."""
    values = np.r_[np.linspace(0, 1, 12), overall - np.linspace(0, 0.1, 5)].clip(0, 1)
    figure = draw_sensitivity({'a': {str(i): v for i, v in enumerate(values)}}, overall)
    axes = figure.axes[0]
    figure.canvas.draw()
    line = axes.transData.transform((0, 100 * overall))[1]
    numbers = [t for t in axes.texts if t.get_gid() == 'number']
    assert len(numbers) == len(values)
    for number, value, bar in zip(numbers, values, axes.patches):
        box = number.get_window_extent()
        assert not box.y0 < line < box.y1, f'{value:.3f} at {overall}'
        inside = number.get_color() == 'white'
        assert (box.y1 < bar.get_window_extent().y1) == inside, 'white on the bar, else above it'
        assert box.y1 < axes.get_window_extent().y1 + 2


def test_names_of_characteristics_stay_in_the_picture():
    figure = draw_sensitivity({'length': {size: 0.5 for size in 'abcde'},
                               'number in the video': {'XS': 0.5}}, 0.5)
    figure.canvas.draw()
    for text in figure.axes[0].texts:
        box = text.get_window_extent()
        assert figure.bbox.x0 < box.x0 and box.x1 < figure.bbox.x1 and box.y0 > 0, text.get_text()


def test_a_whole_diagnosis():
    size = {'instances': 3, 'mAP_N': {'0.3': 0.75, '0.5': 0.25}, 'average_mAP_N': 0.5,
            'missed': {'0.3': 0.0, '0.5': 0.25}, 'average_missed': 0.125}
    report = dict(
        tiou=0.5, averaged_tious=[0.3, 0.5],
        impact=dict(mAP=0.5, background=0.1, **{'wrong label': 0.2}),
        average_impact=dict(mAP=0.4, background=0.3, **{'wrong label': 0.05}),
        profile=[{'true positive': 0.5, 'wrong label': 0.2, 'background': 0.3}],
        sensitivity=dict(all=dict(all=dict(size, instances=12)),
                         length=dict(XS=dict(size, range='<= 3 s'))))
    figures = draw_diagnosis(report, 'mine')
    assert list(figures) == ['false_positives', 'sensitivity', 'sensitivity_tiou', 'missed',
                             'missed_tiou']
    for name, number in (('sensitivity', '50.0'), ('missed', '12.5')):
        axes = figures[name].axes[0]
        assert [t.get_text() for t in axes.get_xticklabels()] == ['XS\n≤ 3 s\n25 %']
        assert number in [t.get_text() for t in axes.texts]
        assert 'mine, average over tIoU 0.3, 0.5' in [t.get_text() for t in figures[name].texts]
    for name, values in (('sensitivity_tiou', [75, 25]), ('missed_tiou', [0, 25])):
        lines = {line.get_gid(): line for line in figures[name].axes[0].get_lines()}
        assert lines['length:XS'].get_label() == 'XS: ≤ 3 s (25 %)'
        for line in lines.values():
            assert line.get_xdata().tolist() == [0.3, 0.5]
            assert line.get_ydata().tolist() == values
    words = [t.get_text() for t in figures['false_positives'].texts]
    assert 'mine, tIoU 0.5, mAP 50.0' in words and 'average mAP gained without these' in words
    gains = {p.get_gid(): p.get_width() for p in figures['false_positives'].axes[1].patches}
    assert gains == dict(background=30, **{'wrong label': 5})
    report['averaged_tious'] = [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95]
    words = [t.get_text() for t in draw_diagnosis(report)['missed'].texts]
    assert ', average over 10 tIoU from 0.5 to 0.95' in words
