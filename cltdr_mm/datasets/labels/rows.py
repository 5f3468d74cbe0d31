"""What a file of labels says, in one form whatever its format: rows, and facts about videos."""
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Optional

from ...utils import Problem, TALDataError
from ...utils.json_files import nearest, shown
from ..converters.sources import Fields

TITLE = 'labels'


@dataclass
class VideoFacts:
    """What is known of a video besides its labels; None where it is not.

    Args:
        duration (float, optional): Seconds. Defaults to None.
        fps (float, optional): Frames per second. Defaults to None.
        subset (str, optional): Subset it is in. Defaults to None.
        group (str, optional): What it shares with videos that must be in the same subset, such as
            a person. Defaults to None.
        broken (str, optional): Why its file cannot be read. Defaults to None: it can, or was not
            looked at.
    """

    duration: Optional[float] = None
    fps: Optional[float] = None
    subset: Optional[str] = None
    group: Optional[str] = None
    broken: Optional[str] = None


@dataclass(frozen=True)
class LabelRow:
    """One labelled segment.

    Args:
        video (str): The video; of a reader, as the file names it.
        start (float): Seconds; of a reader, frames from 0 if ``in_frames``.
        end (float): Likewise.
        label (str): Class.
        file (str): Where it is from.
        place (str): Where in that file, such as ``'line 3'``.
        in_frames (bool): Whether the times are numbers of frames still. Defaults to False.
    """

    video: str
    start: float
    end: float
    label: str
    file: str
    place: str
    in_frames: bool = False


@dataclass
class ReadOptions:
    """What a user may say about how files are to be read.

    Args:
        columns (dict[str, str], optional): Which column, or which field of a task, is the video,
            the label and so on. Defaults to None: by its name.
        tiers (Sequence[str], optional): Tiers that are read. Defaults to None: the only one.
        group (str, optional): Column or field that holds the group. Defaults to None.
    """

    columns: Optional[dict] = None
    tiers: Optional[Sequence[str]] = None
    group: Optional[str] = None


class LabelFile:
    """Collects what a reader finds in one file, problems included.

    Args:
        path (str): The file.

    Attributes:
        rows (list[LabelRow]): In the order of the file.
        videos (dict[str, VideoFacts]): All videos that the file names, as it names them.
        names_are_paths (bool): Whether names of videos are paths or names of files, of which
            folder and extension may have to go.
        problems (list[Problem]): What is wrong.
        remarks (list[str]): What a user should know.
    """

    def __init__(self, path: str):
        self.path = path
        self.rows: list[LabelRow] = []
        self.videos: dict[str, VideoFacts] = {}
        self.names_are_paths = True
        self.problems: list[Problem] = []
        self.remarks: list[str] = []

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """Add the problems of an error to those of the file, and go on behind the block."""
        try:
            yield
        except TALDataError as error:
            self.problems += error.problems

    def bad(self, place: str, message: str, video: Optional[str] = None) -> TALDataError:
        """The error of a place in the file."""
        return TALDataError.of(TITLE, self.path, place, message, video)

    def fields(self, values: Any, place: str = '', video: Optional[str] = None) -> Fields:
        """Look at the values of an object; raises TALDataError if they are none."""
        return Fields(TITLE, self.path, values, video, place)

    def fact(self, video: str, place: str, **facts: Any) -> None:
        """Note that there is a video, and what is known of it.

        Args:
            video (str): Its name in the file.
            place (str): Where the file says so.
            **facts: Fields of :class:`VideoFacts`; None for what is not known.

        Raises:
            TALDataError: If a number is not positive, or the file said something else before.
        """
        known = self.videos.setdefault(video, VideoFacts())
        for name, value in facts.items():
            before = getattr(known, name)
            if value is None or value == before:
                continue
            if name in ('duration', 'fps') and not value > 0:
                raise self.bad(f'{place}, {name}', f'must be positive, got {value:g}', video)
            if before is not None:
                raise self.bad(f'{place}, {name}', f'is {shown(value)}, but was {shown(before)} '
                               'for this video before', video)
            setattr(known, name, value)

    def group_of(self, fields: Fields, name: Optional[str]) -> Optional[str]:
        """The group that an object names, a text or a whole number; None if it names none.

        Raises:
            TALDataError: If it is something else.
        """
        value = None if name is None else fields.values.get(name)
        if value is None or isinstance(value, str):
            return value or None
        if isinstance(value, bool) or not isinstance(value, int):
            raise fields.bad(name, f'must be a text or a whole number, got {shown(value)}')
        return str(value)

    def row(self, place: str, video: str, start: float, end: float, label: str,
            in_frames: bool = False) -> None:
        """Add a labelled segment; blanks around the label go.

        Raises:
            TALDataError: If there is nothing else in the label.
        """
        self.videos.setdefault(video, VideoFacts())
        if not label.strip():
            raise self.bad(place, 'the label is empty', video)
        self.rows.append(
            LabelRow(video, start, end, label.strip(), self.path, place, in_frames))

    def chosen_tiers(self, counts: dict[str, int], wanted: Optional[Sequence[str]],
                     kind: str) -> list[str]:
        """The tiers that are to be read: those wanted, or the only one with labels.

        Args:
            counts (dict[str, int]): How many labels each tier has.
            wanted (Sequence[str], optional): Names of tiers; None for the only one.
            kind (str): What the format calls them.

        Raises:
            TALDataError: If several have labels and none is wanted, or none of those wanted is
                there.
        """
        filled = [name for name, count in counts.items() if count]
        listed = ', '.join(f'{shown(name)} ({counts[name]})' for name in filled) or 'none'
        if wanted is None:
            if len(filled) > 1:
                raise self.bad('tiers', f'{len(filled)} {kind} have labels: {listed}; say which '
                               'are to be read (tiers)')
            return filled
        there = [name for name in wanted if name in counts]
        if not there:
            near = nearest(wanted[0], tuple(counts)) if counts and wanted else 'none'
            raise self.bad('tiers', f'there is none of {shown(list(wanted))}, but {near}')
        for name in wanted:
            if name not in counts:
                self.remarks.append(f'{self.path}: there is no {shown(name)} among its {kind}')
        return there
