"""Films of moving shapes with planted actions, as pictures in memory: nothing is written here.

Some shapes sway where they are, before a still background with the noise of a camera. Now and then
one of them does something: it turns, grows and shrinks, bounces, blinks, shakes, or another one
crosses the picture. These are the actions. Other things happen that nobody labels: a shape strolls
away and comes back, tilts, changes its colour, or the light is dimmed. What a shape does begins and
ends as it stands there, so that only the motion tells when.
"""
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Optional

import numpy as np

from .shape_motions import ACTIONS, DISTRACTORS, EFFECTS, Event, Shape

#: Corners (P, 2) within a circle of radius 1.
_CORNERS = {
    3: np.array([[0, -1], [0.87, 0.5], [-0.87, 0.5]]),
    4: np.array([[-0.8, -0.8], [0.8, -0.8], [0.8, 0.8], [-0.8, 0.8]]),
    2: np.array([[-1, -0.35], [1, -0.35], [1, 0.35], [-1, 0.35]]),
    5: np.array([[r * np.sin(k * np.pi / 5), -r * np.cos(k * np.pi / 5)]
                 for k, r in enumerate([1, 0.45] * 5)]),
}
_COLOURS = np.array([[230, 80, 70], [80, 190, 100], [90, 140, 240], [240, 200, 70],
                     [220, 120, 220], [240, 240, 240]], float)
#: Where shapes may stand, from the centre, in parts of the shorter side.
_SLOTS = np.array([[-0.24, -0.2], [0.24, -0.2], [-0.24, 0.22], [0.24, 0.22]])


@dataclass
class ShapeSpec:
    """Sizes and difficulty of generated videos.

    Args:
        num_videos (int): Defaults to 12.
        min_seconds (float): Length of the shortest video. Defaults to 30.
        max_seconds (float): Length of the longest. Defaults to 60.
        fps (float): Frames per second. Defaults to 15.
        width (int): Pixels, an even number as video formats want it. Defaults to 160.
        height (int): Pixels, even. Defaults to 120.
        scale (float): Size of the shapes, in parts of the usual one. Defaults to 1.
        gap (float): Mean time from an action to the next one, seconds. Defaults to 2.5.
        overlap (float): Chance that another shape does something at the same time.
            Defaults to 0.15.
        distractors (float): Things a minute that nobody labels. Defaults to 8.
        noise (float): Standard deviation of the camera's noise, grey levels of 255. Defaults to 2.
        seed (int): The same seed gives the same frames. A video depends on the seed and its number
            alone, not on how many there are. Defaults to 0.

    Raises:
        ValueError: If a size makes no sense.
    """

    num_videos: int = 12
    min_seconds: float = 30.0
    max_seconds: float = 60.0
    fps: float = 15.0
    width: int = 160
    height: int = 120
    scale: float = 1.0
    gap: float = 2.5
    overlap: float = 0.15
    distractors: float = 8.0
    noise: float = 2.0
    seed: int = 0

    def __post_init__(self):
        if self.num_videos < 1:
            raise ValueError('shape videos: at least one video is needed')
        if not 1 <= self.min_seconds <= self.max_seconds < np.inf:
            raise ValueError('shape videos: needs 1 <= min_seconds <= max_seconds')
        if not 10 <= self.fps <= 120:
            raise ValueError('shape videos: needs fps from 10, so that shaking is seen, to 120, '
                             f'got {self.fps:g}')
        if min(self.width, self.height) < 32 or self.width % 2 or self.height % 2:
            raise ValueError('shape videos: needs an even width and height of 32 pixels or more')
        if not 0.5 <= self.scale <= 2:
            raise ValueError(f'shape videos: needs a scale from 0.5 to 2, got {self.scale:g}')
        if not (0 < self.gap < np.inf and 0 <= self.overlap <= 1
                and 0 <= self.distractors < np.inf and 0 <= self.noise < np.inf):
            raise ValueError('shape videos: needs gap > 0, overlap in [0, 1], and distractors and '
                             'noise that are not negative')


class ShapeVideo:
    """One video: what happens in it, and its frames.

    Args:
        spec (ShapeSpec): Sizes and difficulty.
        index (int): Number of the video, from 0.
    """

    def __init__(self, spec: ShapeSpec, index: int):
        self.spec, self.index = spec, index
        self._rng = rng = np.random.default_rng([spec.seed, index])
        seconds = rng.uniform(spec.min_seconds, spec.max_seconds)
        self.num_frames = max(1, round(seconds * spec.fps))
        self.shapes = self._cast(int(rng.integers(3, len(_SLOTS) + 1)))
        self.events: list[Event] = []
        self._plan()

    @property
    def duration(self) -> float:
        """float: Seconds, of all frames."""
        return self.num_frames / self.spec.fps

    @property
    def actions(self) -> list[Event]:
        """list[Event]: What is labelled, by start."""
        return sorted((event for event in self.events if event.kind in ACTIONS),
                      key=lambda event: (event.start, event.end))

    def frames(self) -> Iterator[np.ndarray]:
        """Draw the video.

        Yields:
            np.ndarray: (height, width, 3) uint8 RGB, of the moments k / fps.
        """
        spec = self.spec
        rng = np.random.default_rng([spec.seed, self.index, 1])
        scene = self._background(rng)  # (H, W, 3)
        grain = rng.standard_normal((2 * spec.height, 2 * spec.width, 1)).astype(np.float32)
        grain *= spec.noise
        for number in range(self.num_frames):
            time = number / spec.fps
            image = scene.copy()
            light = self._draw(image, time)
            # one large picture of noise, looked at from somewhere else every time
            top, left = rng.integers(spec.height), rng.integers(spec.width)
            noise = grain[top:top + spec.height, left:left + spec.width]
            yield (image * np.float32(light) + noise).clip(0, 255).astype(np.uint8)

    def _cast(self, count: int) -> list[Shape]:
        """Shapes where they stand, and after them the one that crosses."""
        spec, rng = self.spec, self._rng
        side = min(spec.width, spec.height)
        slots = rng.permutation(len(_SLOTS))[:count]
        colours = rng.permutation(len(_COLOURS))
        kinds = rng.choice(list(_CORNERS), count + 1)
        shapes = []
        for number in range(count + 1):
            x, y = (_SLOTS[slots[number]] if number < count else np.zeros(2))
            x, y = x + rng.uniform(-0.04, 0.04), y + rng.uniform(-0.04, 0.04)
            shapes.append(Shape(
                x=spec.width / 2 + x * side, y=spec.height / 2 + y * side,
                size=spec.scale * rng.uniform(0.08, 0.11) * side, colour=_COLOURS[colours[number]],
                corners=_CORNERS[int(kinds[number])], angle=rng.uniform(0, 2 * np.pi),
                sway=np.array([0.015 * side, rng.uniform(0.15, 0.35),
                               rng.uniform(0, 2 * np.pi)])))
        return shapes

    def _plan(self) -> None:
        """Fill the time with actions, then with distractors where a shape has nothing to do."""
        rng, spec = self._rng, self.spec
        deck: list[str] = []
        position = 0.5 + float(rng.exponential(spec.gap))
        while True:
            deck = deck or list(rng.permutation(list(ACTIONS)))  # so that all classes turn up
            first = self._add(str(deck.pop()), position)
            if first is None:
                break
            end = first.end
            if rng.random() < spec.overlap:
                deck = deck or list(rng.permutation(list(ACTIONS)))
                second = self._add(str(deck.pop()), float(rng.uniform(position, end)))
                end = max(end, second.end if second else 0)
            position = end + 0.5 + float(rng.exponential(spec.gap))
        for _ in range(rng.poisson(spec.distractors * self.duration / 60)):
            kind = str(rng.choice(list(DISTRACTORS)))
            self._add(kind, float(rng.uniform(0, self.duration)))

    def _add(self, kind: str, start: float) -> Optional[Event]:
        """Let a shape that is free do something, if there is one, and time for it."""
        rng = self._rng
        median, rate = {**ACTIONS, **DISTRACTORS}[kind]
        length = median * float(np.exp(0.25 * rng.standard_normal()))
        end = start + length
        last = len(self.shapes) - 1  # waits outside the picture
        free = [last] if kind == 'cross' else list(range(last))
        free = [actor for actor in free if not any(
            event.actor == actor and event.start < end + 0.3 and start < event.end + 0.3
            for event in self.events)]
        if end > self.duration - 0.2 or not free:
            return None
        repeats = max(1, round(length * rate * rng.uniform(0.8, 1.25)))
        event = Event(start, end, kind, int(rng.choice(free)), repeats, float(rng.choice([-1, 1])))
        self.events.append(event)
        return event

    def _background(self, rng: np.random.Generator) -> np.ndarray:
        """A dark wall with soft spots, (H, W, 3) float32."""
        import cv2

        spots = rng.uniform(25, 75, (4, 5, 3)).astype(np.float32)
        size = (self.spec.width, self.spec.height)
        return cv2.resize(spots, size, interpolation=cv2.INTER_CUBIC)

    def _draw(self, image: np.ndarray, time: float) -> float:
        """Draw the shapes as they are at a moment; returns how bright the light is."""
        import cv2

        light, last = 1.0, len(self.shapes) - 1
        for number, idle in enumerate(self.shapes):
            radius, turns, begin = idle.sway
            swing = 2 * np.pi * turns * time + begin
            shape = Shape(
                idle.x + radius * np.sin(swing), idle.y + 0.6 * radius * np.cos(0.7 * swing),
                idle.size, idle.colour, idle.corners, idle.angle + 0.08 * np.sin(0.8 * swing),
                shown=number < last)
            for event in self.events:
                if event.actor == number and event.start <= time < event.end:
                    phase = (time - event.start) / (event.end - event.start)
                    EFFECTS[event.kind](shape, event, phase, (self.spec.width, self.spec.height))
            light *= shape.light
            if shape.shown:
                cos, sin = np.cos(shape.angle), np.sin(shape.angle)
                points = shape.size * shape.corners @ np.array([[cos, sin], [-sin, cos]])
                points = np.round(16 * (points + (shape.x, shape.y))).astype(np.int32)  # (P, 2)
                cv2.fillPoly(image, [points], shape.colour.tolist(), shift=4)
        return light
