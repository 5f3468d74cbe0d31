"""Reads labels in CVAT's XML 1.1, of a video: tracks of shapes, or tags of frames."""
import re
from collections.abc import Iterable, Iterator
from typing import Optional

from ...utils.json_files import shown
from ..converters.sources import Fields
from .rows import LabelFile, ReadOptions
from .xml_files import Element, attributes, collected


def read_cvat(found: LabelFile, root: Element, options: ReadOptions) -> None:
    """Read a track as a segment from where it appears to where it goes, tags as runs of frames.

    In exports as images, which have the tags, shapes count as tags of their frame. Frames are
    numbers from 0; each lasts until the next one of the task.

    Args:
        found (LabelFile): Takes what is found.
        root (Element): The file.
        options (ReadOptions): None is used.

    Raises:
        TALDataError: If the file is of another version, or no export of one video.
    """
    meta, version = root.find('meta'), root.findtext('version', '').strip()
    if version != '1.1' or meta is None:
        raise found.bad('version', f"must be '1.1', with a meta, got {shown(version)}")
    if meta.find('project') is not None:
        raise found.bad('meta.project', 'is a whole project, in which all tasks count their frames '
                        'from 0; export the tasks one by one')
    video = next((item.text or '' for item in meta.iter('source')), '').strip()
    if not video:
        raise found.bad('meta.source', 'is missing, the name of the video: this is no export of a '
                        'task with one')
    task = next((meta.find(kind) for kind in ('task', 'job') if meta.find(kind) is not None), meta)
    found.fact(video, 'meta', subset=task.findtext('subset', '').strip() or None)
    step, stop = _frames_of_task(found, task)
    for track in root.iter('track'):
        with collected(found, track, video) as fields:
            label = fields.text('label')
            for start, end, line in _shown(found, track, step, stop, video):
                found.row(f'line {line}, track {shown(track.get("id"))}', video, start, end, label,
                          in_frames=True)
    frames: dict[str, dict[int, int]] = {}  # lines by frame, by label
    for frame, item in _marks(found, root, video):
        with collected(found, item, video) as fields:
            frames.setdefault(fields.text('label'), {}).setdefault(frame, item.line)
    for label, lines in frames.items():
        for start, end in _runs(lines, step, stop):
            with found.collecting():
                found.row(f'line {lines[start]}, label', video, start, end, label, in_frames=True)


def _frames_of_task(found: LabelFile, task: Element) -> tuple[int, Optional[int]]:
    """How far apart its frames are, and the one behind its last."""
    text = task.findtext('frame_filter', '')
    step = re.search(r'step\s*=\s*([1-9]\d*)', text)
    if text.strip() and step is None:
        raise found.bad('meta.task.frame_filter', f'must be step=N, got {shown(text)}')
    stop = task.findtext('stop_frame', '').strip()
    return int(step.group(1)) if step else 1, int(stop) + 1 if re.fullmatch(r'\d+', stop) else None


def _shown(found: LabelFile, track: Element, step: int, stop: Optional[int],
           video: str) -> Iterator[tuple[int, int, int]]:
    """First frame, the one behind the last, and line of every part of a track that is shown."""
    states = []
    for shape in track:
        fields = attributes(found, shape, video)
        frame, outside = (_whole(fields, name) for name in ('frame', 'outside'))
        states.append((frame, outside, shape.line))
    states.sort()
    start: Optional[tuple[int, int]] = None
    for frame, outside, line in states:
        if outside and start is not None:
            yield (start[0], frame, start[1])
            start = None
        elif not outside and start is None:
            start = (frame, line)
    if start is not None:
        yield (start[0], _behind(states[-1][0], step, stop), start[1])


def _marks(found: LabelFile, root: Element, video: str) -> list[tuple[int, Element]]:
    """Tags, and shapes of images, with the frame that they are on."""
    marks = []
    for holder in (root, *root.iter('image')):
        for item in holder:
            if item.tag == 'track' or 'label' not in item.attrib:
                continue
            owner, field = (item, 'frame') if holder is root else (holder, 'id')
            with found.collecting():
                marks.append((_whole(attributes(found, owner, video), field), item))
    return marks


def _runs(frames: Iterable[int], step: int, stop: Optional[int]) -> Iterator[tuple[int, int]]:
    """First frame and the one behind the last of frames that follow one another."""
    frames = sorted(frames)
    start = 0
    for i, frame in enumerate(frames):
        if i + 1 == len(frames) or frames[i + 1] - frame > step:
            yield frames[start], _behind(frame, step, stop)
            start = i + 1


def _behind(frame: int, step: int, stop: Optional[int]) -> int:
    """The frame at which one that is shown ends; that of the task's end at the latest."""
    return frame + step if stop is None or stop <= frame else min(frame + step, stop)


def _whole(fields: Fields, name: str) -> int:
    """The number of a frame; raises TALDataError."""
    text = fields.text(name)
    if not re.fullmatch(r'\d{1,12}', text.strip(), re.ASCII):
        raise fields.bad(name, f'must be a whole number from 0, got {shown(text)}')
    return int(text)
