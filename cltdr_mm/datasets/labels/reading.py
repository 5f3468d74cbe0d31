"""Reads files of labels of any format, and what is known of their videos."""
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Optional, Union

from ...utils import Problem, TALDataError
from ...utils.json_files import number_problem, shown
from .checks import check_duplicates, check_facts, check_times, frames_hint, remarks_on
from .formats import read_file
from .names import VideoNames
from .rows import TITLE, LabelFile, LabelRow, ReadOptions, VideoFacts

Path = Union[str, os.PathLike]


@dataclass
class Labels:
    """Checked labels of some videos.

    Args:
        rows (list[LabelRow]): Segments in seconds, in the order of the files.
        videos (dict[str, VideoFacts]): All videos, those without a segment included; duration and
            fps of each are known.
        remarks (list[str]): What a user should know.
    """

    rows: list
    videos: dict
    remarks: list


def read_labels(paths: Union[Path, Sequence[Path]],
                format: Optional[str] = None,
                columns: Optional[Mapping[str, str]] = None,
                tiers: Optional[Sequence[str]] = None,
                group: Optional[str] = None,
                videos: Optional[Mapping[str, VideoFacts]] = None,
                duration: Optional[float] = None,
                fps: Optional[float] = None) -> Labels:
    """Read files of labels and check them.

    Args:
        paths (str or Sequence[str]): The files.
        format (str, optional): One of :data:`FORMATS`. Defaults to None: as each file looks.
        columns (Mapping[str, str], optional): Which column of a table is ``video``, ``start`` and
            so on. Defaults to None: by their usual names.
        tiers (Sequence[str], optional): Tiers of ELAN, attributes of VIA or control tags of Label
            Studio that are read. Defaults to None: the only one with labels.
        group (str, optional): Column, or field of an entry or task, that holds the group of a
            video. Defaults to None: none.
        videos (Mapping[str, VideoFacts], optional): All videos, with what is known of them; goes
            before what the files say. Those that are ``broken`` are left out with a remark; a
            label of one is an error. Defaults to None: those that the files name.
        duration (float, optional): Seconds, of videos of which nothing else says it. Defaults to
            None.
        fps (float, optional): Frames per second, likewise. Defaults to None.

    Returns:
        Labels: In which nothing is wrong.

    Raises:
        TALDataError: With all problems of all files.
        ValueError: If an option is wrong, or none of the formats has it.
    """
    paths = [str(p) for p in ([paths] if isinstance(paths, (str, os.PathLike)) else paths)]
    if not paths:
        raise ValueError('no file of labels is given')
    for name, value in (('duration', duration), ('fps', fps)):
        if value is not None and (number_problem(value) is not None or value <= 0):
            raise ValueError(f'{name} must be a positive number, got {shown(value)}')
    files = [read_file(path, format, ReadOptions(columns, tiers, group)) for path in paths]
    problems = [problem for file in files for problem in file.problems]
    names = VideoNames(videos or {})
    broken = {name: known.broken for name, known in (videos or {}).items() if known.broken}
    rows, said = [], {}
    for file in files:
        names_here = _find_names(file, names, broken, problems)
        for written, name in names_here.items():
            _merge(said.setdefault(name, VideoFacts()), file.videos[written], file.path, name,
                   problems)
        rows += [replace(row, video=names_here[row.video]) for row in file.rows
                 if row.video in names_here]
    facts = {name: replace(known) for name, known in (videos or {}).items()
             if name not in broken}
    for name, own in said.items():
        # where the videos themselves were looked at, numbers in other files do not count
        known = facts.setdefault(name, VideoFacts())
        numbers = dict(duration=known.duration or own.duration or duration,
                       fps=known.fps or own.fps or fps)
        _merge(known, replace(own, **numbers), paths[0], name, problems)
    for known in facts.values():
        known.duration = known.duration or duration
        known.fps = known.fps or fps
    hint = frames_hint(rows, facts)
    rows = [_in_seconds(row, said[row.video].fps or facts[row.video].fps) for row in rows]
    rows = [row for row in rows if row is not None]
    problems += check_times(rows, facts) + check_duplicates(rows)
    if not any(problem.video is None for problem in problems):
        # else a file could not be read, which may say what is not known
        problems += check_facts(facts, paths[0])
    if not problems:
        problems += _check_whole(rows, facts, paths[0], group)
    if problems:
        raise TALDataError(problems, TITLE, hint)
    remarks = [remark for file in files for remark in file.remarks]
    remarks += [f'video {shown(name)} is left out: {why}' for name, why in broken.items()]
    return Labels(rows, facts, remarks + remarks_on(rows, facts))


def _find_names(file: LabelFile, names: VideoNames, broken: Mapping[str, str],
                problems: list[Problem]) -> dict[str, str]:
    """Names of videos by what the file calls them; of those that cannot be used a problem."""
    found = {}
    for written in file.videos:
        try:
            name = names.find(written, file.names_are_paths)
            if name in broken:
                raise ValueError(f'was left out, it cannot be read: {broken[name]}; take its '
                                 'labels out too')
            found[written] = name
        except ValueError as error:
            place = next((row.place for row in file.rows if row.video == written), 'video')
            problems.append(Problem(file.path, written, place, f'the video {error}'))
    return found


def _merge(known: VideoFacts, more: VideoFacts, path: str, video: str,
           problems: list[Problem]) -> None:
    """Add facts about a video to those that are known; what contradicts them is a problem."""
    for field in fields(VideoFacts):
        before, value = getattr(known, field.name), getattr(more, field.name)
        if before is None:
            setattr(known, field.name, value)
        elif value is not None and value != before:
            problems.append(Problem(path, video, field.name, f'is {shown(value)}, but '
                                    f'{shown(before)} in another file'))


def _in_seconds(row: LabelRow, fps: Optional[float]) -> Optional[LabelRow]:
    """A segment with its times in seconds; None if they are frames, and the rate is not known."""
    if not row.in_frames:
        return row
    if fps is None:
        return None
    return replace(row, start=row.start / fps, end=row.end / fps, in_frames=False)


def _check_whole(rows: list[LabelRow], facts: Mapping[str, VideoFacts], path: str,
                 group: Optional[str]) -> list[Problem]:
    """What is missing in the labels as a whole."""
    if not rows:
        return [Problem(path, None, 'file', 'there is no label')]
    if group is not None and not any(known.group for known in facts.values()):
        return [Problem(path, None, 'group', f'no video has a group: there is no {group!r}')]
    return []
