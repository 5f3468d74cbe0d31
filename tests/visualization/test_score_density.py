import numpy as np
import pytest

from cltdr_mm.visualization import draw_score_tiou
from cltdr_mm.visualization.score_density import BINS, MAX_STARS

NUMBERS = dict(
    all=dict(candidates=1234567, pearson=0.5, spearman=None),
    overlapping=dict(candidates=3, pearson=0.25, spearman=0.125),
    strong=dict(candidates=30, mean_tiou=None),
    instances=dict(count=3, with_candidate=3, mean_score=0.7, mean_tiou=0.6, best_mean_tiou=0.9))


def model(candidates=1000, instances=3, seed=0):
    g = np.random.default_rng(seed)
    return dict(scores=g.random(candidates), tious=g.random(candidates), numbers=NUMBERS,
                instance_scores=g.random(instances), instance_tious=g.random(instances))


def parts(axes):
    lines = {line.get_gid(): line for line in axes.get_lines()}
    image, = (i for i in axes.get_images() if i.get_gid() == 'density')
    return image, lines


def test_every_candidate_counts():
    one = model()
    one['scores'][:3], one['tious'][:3] = (0, 1, 1), (0, 0, 1)  # corners
    figure = draw_score_tiou(dict(mine=one, other=model(50, seed=1)), 'T')
    axes = {a.get_label(): a for a in figure.axes}
    assert list(axes) == ['mine', 'other', 'scale']
    image, lines = parts(axes['mine'])
    shown = image.get_array().filled(0)
    assert shown.sum() == 1000 and shown.shape == (BINS, BINS)
    expected = np.zeros((BINS, BINS))  # rows are tIoUs
    for score, tiou in zip(one['scores'], one['tious']):
        expected[min(int(tiou * BINS), BINS - 1), min(int(score * BINS), BINS - 1)] += 1
    np.testing.assert_array_equal(shown, expected)
    assert image.norm is parts(axes['other'])[0].norm, 'one scale for all'
    np.testing.assert_array_equal(lines['stars'].get_xdata(), one['instance_scores'])
    np.testing.assert_array_equal(lines['stars'].get_ydata(), one['instance_tious'])
    means = dict(zip(lines['mean'].get_xdata().round(2), lines['mean'].get_ydata()))
    assert len(means) == 10
    for middle, mean in means.items():
        tenth = abs(one['scores'] - middle) < 0.05 + 1e-9
        assert mean == pytest.approx(one['tious'][tenth].mean())
    assert len(parts(axes['other'])[1]['mean'].get_xdata()) < 3, 'of few candidates no mean'


def test_words_stay_in_the_picture():
    names = ('a rather long name of a model ' * 3, 'b')
    figure = draw_score_tiou({name: model() for name in names}, 'T' * 99)
    texts = [t.get_text() for t in figure.texts]
    assert '1,234,567 candidates: Pearson 0.50, Spearman –' in texts
    assert '3 with tIoU > 0: Pearson 0.25, Spearman 0.12' in texts
    assert '30 strongest: mean tIoU –' in texts
    assert "stars: mean tIoU 0.60; the best candidates' 0.90" in texts
    figure.canvas.draw()
    boxes = [t.get_window_extent() for t in figure.texts]
    assert all(0 < b.x0 and b.x1 < figure.bbox.x1 and b.y1 < figure.bbox.y1 for b in boxes)
    panels = [a.get_window_extent() for a in figure.axes]
    first = [b for b in boxes if b.x0 < panels[1].x0 - 5 and b.y1 < boxes[-1].y1]
    assert first and all(b.x1 < panels[1].x0 for b in first), 'no words run into the next panel'


def test_part_of_many_instances_is_said():
    one = model(instances=MAX_STARS + 1)
    figure, again = (draw_score_tiou(dict(mine=one)) for _ in range(2))
    stars = parts(figure.axes[0])[1]['stars'].get_xydata()
    assert len(stars) == MAX_STARS
    assert {tuple(s) for s in stars} < set(zip(one['instance_scores'], one['instance_tious']))
    assert f'stars shown: {MAX_STARS} of {MAX_STARS + 1}, seed 0' in [
        t.get_text() for t in figure.texts]
    np.testing.assert_array_equal(stars, parts(again.axes[0])[1]['stars'].get_xydata())
    other = parts(draw_score_tiou(dict(mine=one), seed=1).axes[0])[1]['stars'].get_xydata()
    assert not np.array_equal(stars, other)


def test_instances_without_a_candidate_have_no_star():
    one = model(instances=4)
    one['instance_scores'][1] = one['instance_tious'][1] = 0
    instances = dict(NUMBERS['instances'], count=4)
    figure = draw_score_tiou(dict(mine=dict(one, numbers=dict(NUMBERS, instances=instances))))
    assert len(parts(figure.axes[0])[1]['stars'].get_xdata()) == 3
    assert 'no star: 1 instances without own candidate, tIoU 0' in [
        t.get_text() for t in figure.texts]
    figure.canvas.draw()
    panel = figure.axes[0].get_window_extent()
    assert all(t.get_window_extent().y0 > panel.y1 for t in figure.texts)


def test_a_model_without_candidates():
    figure = draw_score_tiou(dict(mine=model(candidates=0)))
    image, lines = parts(figure.axes[0])
    assert image.get_array().count() == 0 and len(lines['mean'].get_xdata()) == 0
    figure.canvas.draw()


def test_what_cannot_be_drawn():
    with pytest.raises(ValueError, match='no model'):
        draw_score_tiou({})
    for bad in (1.5, float('nan')):
        one = model()
        one['scores'][3] = bad
        with pytest.raises(ValueError, match='mine: scores must be from 0 to 1'):
            draw_score_tiou(dict(mine=one))
