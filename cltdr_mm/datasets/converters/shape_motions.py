"""What the shapes of :mod:`.shape_world` do: how each action changes one at every moment."""
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

#: Median length in seconds and repetitions a second of what is labelled, by class name.
ACTIONS = dict(
    blink=(2.5, 2.0), bounce=(4.0, 1.0), cross=(3.0, 0.0), pulse=(4.0, 0.6), rotate=(3.0, 0.7),
    shake=(1.8, 3.0))
#: The same of what is not.
DISTRACTORS = dict(dim=(3.0, 0.0), recolour=(3.0, 0.0), stroll=(4.0, 0.0), tilt=(2.5, 0.0))


@dataclass
class Event:
    """Something that happens in a video.

    Args:
        start (float): Seconds.
        end (float): Seconds.
        kind (str): Key of ``ACTIONS`` or ``DISTRACTORS``.
        actor (int): Number of the shape that does it.
        repeats (int): Turns, jumps and the like in that time.
        sign (float): 1 or -1, which way round.
    """

    start: float
    end: float
    kind: str
    actor: int
    repeats: int
    sign: float


@dataclass
class Shape:
    """A shape as it stands there, or as it is at a moment.

    Args:
        x (float): Of its centre, pixels.
        y (float): The same, downwards.
        size (float): Radius, pixels.
        colour (np.ndarray): RGB (3,), 0 to 255.
        corners (np.ndarray): (P, 2), in radii.
        angle (float): Radians. Defaults to 0.
        shown (bool): Defaults to True.
        light (float): How bright the whole picture is. Defaults to 1.
        sway (np.ndarray): Radius, turns a second and phase of how it sways, (3,). Defaults to none.
    """

    x: float
    y: float
    size: float
    colour: np.ndarray
    corners: np.ndarray
    angle: float = 0.0
    shown: bool = True
    light: float = 1.0
    sway: np.ndarray = field(default_factory=lambda: np.zeros(3))


def _bump(phase: float) -> float:
    """From 0 to 1 and back, without a jerk."""
    return float(np.sin(np.pi * phase)**2)


def _rotate(shape: Shape, event: Event, phase: float, size: tuple) -> None:
    shape.angle += event.sign * 2 * np.pi * event.repeats * phase


def _pulse(shape: Shape, event: Event, phase: float, size: tuple) -> None:
    shape.size *= 1 + 0.9 * _bump(event.repeats * phase)


def _bounce(shape: Shape, event: Event, phase: float, size: tuple) -> None:
    shape.y -= 0.2 * size[1] * abs(np.sin(np.pi * event.repeats * phase))


def _shake(shape: Shape, event: Event, phase: float, size: tuple) -> None:
    shape.x += event.sign * 0.05 * size[1] * np.sin(2 * np.pi * event.repeats * phase)


def _blink(shape: Shape, event: Event, phase: float, size: tuple) -> None:
    shape.shown = event.repeats * phase % 1 >= 0.5


def _cross(shape: Shape, event: Event, phase: float, size: tuple) -> None:
    way = phase if event.sign > 0 else 1 - phase
    shape.shown, shape.x = True, (size[0] + 2 * shape.size) * way - shape.size


def _stroll(shape: Shape, event: Event, phase: float, size: tuple) -> None:
    shape.x += event.sign * 0.15 * size[1] * _bump(phase)
    shape.y += 0.06 * size[1] * _bump(phase)


def _tilt(shape: Shape, event: Event, phase: float, size: tuple) -> None:
    shape.angle += event.sign * 0.7 * _bump(phase)


def _recolour(shape: Shape, event: Event, phase: float, size: tuple) -> None:
    shape.colour = shape.colour + _bump(phase) * (300 - 2 * shape.colour)  # its complement


def _dim(shape: Shape, event: Event, phase: float, size: tuple) -> None:
    shape.light *= 1 - 0.5 * _bump(phase)


#: How each kind changes a shape, at a phase from 0 to 1 of an event, in a picture of some (W, H).
EFFECTS: dict[str, Callable] = dict(
    blink=_blink, bounce=_bounce, cross=_cross, dim=_dim, pulse=_pulse, recolour=_recolour,
    rotate=_rotate, shake=_shake, stroll=_stroll, tilt=_tilt)
