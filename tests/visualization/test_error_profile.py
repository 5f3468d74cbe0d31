import numpy as np
import pytest

from cltdr_mm.visualization import draw_false_positive_profile, draw_sensitivity

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
    figure = draw_sensitivity(groups, 0.45, {'coverage': {'XS': 0.9, 'XL': 0.1}}, 'T')
    axes = figure.axes[0]
    heights = {p.get_gid(): p.get_height() for p in axes.patches}
    assert heights == {'coverage:XS': 20, 'coverage:XL': 70, 'length:XS': 0, 'length:S': 40}
    line = next(x for x in axes.get_lines() if x.get_gid() == 'overall')
    assert set(line.get_ydata()) == {45}
    assert [t.get_text() for t in axes.get_xticklabels()] == ['XS\n90%', 'XL\n10%', 'XS', 'S']
    assert '–' in [t.get_text() for t in axes.texts], 'a bin without instances says so'
    for bad in ({}, {'a': {}}):
        with pytest.raises(ValueError, match='no bin'):
            draw_sensitivity(bad, 0.5)
