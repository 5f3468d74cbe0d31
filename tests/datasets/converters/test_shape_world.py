import numpy as np
import pytest

from cltdr_mm.datasets.converters.shape_world import ACTIONS, DISTRACTORS, ShapeSpec, ShapeVideo


def video(index=0, **kwargs):
    return ShapeVideo(ShapeSpec(**dict(dict(min_seconds=20, max_seconds=30), **kwargs)), index)


def test_frames_come_from_the_seed_and_the_number():
    first, again = list(video().frames()), list(video(num_videos=99).frames())
    assert len(first) == video().num_frames == round(15 * video().duration)
    assert first[0].shape == (120, 160, 3) and first[0].dtype == np.uint8
    np.testing.assert_array_equal(first, again)
    for other in (video(1), video(seed=1)):
        assert not np.array_equal(first[0], next(other.frames()))


def test_an_event_changes_its_own_time_only():
    """Every kind: without it, the picture is the same before and after, and another meanwhile."""
    seen = set()
    for index in range(20):
        film = video(index, noise=0, distractors=30)
        whole = np.array(list(film.frames()), int)
        times = np.arange(len(whole)) / film.spec.fps
        for event in {event.kind: event for event in film.events}.values():
            if event.kind in seen:
                continue
            seen.add(event.kind)
            film.events.remove(event)
            changed = (np.array(list(film.frames()), int) != whole).any((1, 2, 3))
            film.events.append(event)
            inside = (event.start <= times) & (times < event.end)
            assert not changed[~inside].any(), event
            # blinking is to be seen half of the time; who crosses is outside at both ends
            assert changed[inside].mean() > (0.4 if event.kind == 'blink' else 0.85), event
    assert seen == {*ACTIONS, *DISTRACTORS}


def test_a_video_is_untrimmed():
    """Background, all classes, now and then two at a time, none of them by the same shape."""
    labels, busy, total, overlaps = [], 0.0, 0.0, 0
    for index in range(12):
        film = video(index, min_seconds=30, max_seconds=60)
        assert 30 <= film.duration <= 60
        ends = 0.0
        for action in film.actions:
            assert 0 <= action.start < action.end <= film.duration
            assert 0.5 < action.end - action.start < 12
            overlaps += action.start < ends
            busy += max(0, action.end - max(action.start, ends))
            ends = max(ends, action.end)
            labels.append(action.kind)
        total += film.duration
        for actor in range(len(film.shapes)):
            own = sorted((e.start, e.end) for e in film.events if e.actor == actor)
            assert all(end < start for (_, end), (start, _) in zip(own, own[1:]))
        assert len(film.events) > len(film.actions)
    counts = [labels.count(name) for name in ACTIONS]
    assert sum(counts) == len(labels) and min(counts) >= 8 and max(counts) <= 2 * min(counts)
    assert 0.3 < busy / total < 0.7 and overlaps > 3


@pytest.mark.parametrize('kwargs', [
    dict(num_videos=0), dict(min_seconds=0.5), dict(min_seconds=9, max_seconds=8), dict(fps=5),
    dict(fps=float('nan')), dict(width=161), dict(height=30), dict(gap=0), dict(overlap=1.5),
    dict(distractors=-1), dict(noise=float('inf'))])
def test_impossible_sizes(kwargs):
    with pytest.raises(ValueError, match='shape videos: '):
        ShapeSpec(**kwargs)
