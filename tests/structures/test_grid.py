import numpy as np
import pytest
import torch

from cltdr_mm.structures import FeatureGrid


def test_formula_of_the_paper():
    grid = FeatureGrid(fps=30., stride=4., window=16., num_steps=100)
    # (second * fps - 0.5 * window) / stride
    assert grid.to_grid(10.) == pytest.approx((300 - 8) / 4)
    assert grid.to_seconds(73.) == pytest.approx(10.)


@pytest.mark.parametrize('change', [
    lambda g: g, lambda g: g.crop(20, 50), lambda g: g.resize(37),
    lambda g: g.resize(64).crop(3, 10)])
def test_round_trip(change):
    grid = change(FeatureGrid(fps=29.97, stride=5., window=16., num_steps=100))
    for seconds in (torch.rand(7, 2, dtype=torch.float64) * 50, np.random.rand(3, 2) * 9, 4.25):
        assert grid.to_seconds(grid.to_grid(seconds)) == pytest.approx(seconds, abs=1e-9)


def test_crop_keeps_the_time_of_a_step():
    grid = FeatureGrid(fps=30., stride=4., window=16., num_steps=100)
    assert grid.crop(20, 50).to_seconds(5.) == grid.to_seconds(25.)
    assert grid.crop(20, 50).crop(10, 5).to_seconds(0.) == grid.to_seconds(30.)


def test_resize_keeps_what_is_covered():
    grid = FeatureGrid(fps=25., stride=16., window=16., num_steps=321)
    small = grid.resize(160)
    assert small.extent == pytest.approx(grid.extent)
    # half a step before the first centre lies the first frame
    assert small.to_seconds(-0.5) == pytest.approx(0.)


@pytest.mark.parametrize('kwargs, word', [
    (dict(fps=0., stride=4., window=16., num_steps=1), 'fps'),
    (dict(fps=30., stride=-1., window=16., num_steps=1), 'stride'),
    (dict(fps=30., stride=4., window=-16., num_steps=1), 'window'),
    (dict(fps=float('nan'), stride=4., window=16., num_steps=1), 'fps')])
def test_bad_numbers(kwargs, word):
    with pytest.raises(ValueError, match=word):
        FeatureGrid(**kwargs)


def test_bad_crops_and_resizes():
    grid = FeatureGrid(fps=30., stride=4., window=16., num_steps=10)
    with pytest.raises(ValueError, match='crop'):
        grid.crop(5, 6)
    with pytest.raises(ValueError, match='before cropping'):
        grid.crop(5, 5).resize(4)
    with pytest.raises(ValueError, match='num_steps'):
        grid.resize(0)
