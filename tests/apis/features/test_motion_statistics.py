"""What the statistics say of moving shapes, and that they say the same of a clip alone."""
import pytest
import torch

from cltdr_mm.apis.features.motion_statistics import MotionStatistics

GRID, FRAMES, HEIGHT, WIDTH = 4, 8, 48, 64
CELLS = GRID * GRID
WHOLE = 7 * CELLS  # where the affine motion begins: right, down, growth, turn, ...


def clip(x=lambda t: 32., y=lambda t: 24., size=lambda t: 9., angle=lambda t: 0.,
         light=lambda t: 1., ground=0.1):
    """A bright bar, (1, 3, T, H, W)."""
    frames = []
    rows, columns = torch.meshgrid(torch.arange(float(HEIGHT)), torch.arange(float(WIDTH)),
                                   indexing='ij')
    for t in range(FRAMES):
        turn = torch.tensor(angle(t))
        dx, dy = columns - x(t), rows - y(t)
        along = dx * turn.cos() + dy * turn.sin()
        across = dy * turn.cos() - dx * turn.sin()
        inside = (size(t) - torch.maximum(along.abs(), 2 * across.abs()) + 0.5).clamp(0, 1)
        frames.append(ground + (0.9 - ground) * light(t) * inside)
    return torch.stack(frames)[None, None].expand(1, 3, -1, -1, -1)


def describe(**motion):
    return MotionStatistics(GRID)(clip(**motion))[0]


def test_still_pictures_do_not_move():
    found = describe()
    assert found.shape == (134, ) and MotionStatistics(2)(clip()).shape == (1, 50)
    assert torch.allclose(found[:3 * CELLS].view(3, CELLS)[0], found[:CELLS])
    torch.testing.assert_close(found[3 * CELLS:], torch.zeros(134 - 3 * CELLS))


@pytest.mark.parametrize('speed', [-1.0, 0.5, 1.5])
def test_translation_is_measured_in_pixels(speed):
    right, down = describe(x=lambda t: 32 + speed * t), describe(y=lambda t: 24 + speed * t)
    assert right[WHOLE] == pytest.approx(speed, rel=0.35)
    assert down[WHOLE + 1] == pytest.approx(speed, rel=0.35)
    assert abs(right[WHOLE + 1]) < 0.1 and abs(down[WHOLE]) < 0.1
    cells = right[5 * CELLS:6 * CELLS]
    assert cells[cells.abs().argmax()].sign() == torch.tensor(speed).sign()


@pytest.mark.parametrize('sign', [-1, 1])
def test_growth_and_turn_have_a_sign(sign):
    grown = describe(size=lambda t: 9 * (1 + 0.04 * sign * t))[WHOLE:]
    turned = describe(angle=lambda t: 0.12 * sign * t)[WHOLE:]
    for found, place in ((grown, 2), (turned, 3)):
        others = torch.cat([found[:place], found[place + 1:4]])
        assert found[place] * sign > 2 * others.abs().max()


def test_blinking_changes_the_light_but_not_the_place():
    found, moved = describe(light=lambda t: float(t % 4 < 2)), describe(x=lambda t: 32. + t)
    light = WHOLE + 13  # mean absolute change of the brightness of the whole
    assert found[light] > 20 * moved[light].abs()
    assert found[WHOLE:WHOLE + 2].abs().max() < 0.2


def test_clips_of_a_batch_do_not_mix():
    clips = torch.cat([clip(), clip(x=lambda t: 30. + t), clip(light=lambda t: t % 2)])
    module = MotionStatistics()
    torch.testing.assert_close(module(clips), torch.cat([module(c[None]) for c in clips]))
    assert not list(module.state_dict())
