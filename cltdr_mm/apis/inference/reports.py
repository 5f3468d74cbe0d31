"""Makes the page that shows detections and labels beside the videos, to be corrected."""
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Optional, Union
from urllib.parse import quote

from ...datasets.labels import VideoFacts
from ...datasets.videos.video_facts import match_videos
from ...datasets.videos.video_frames import check_video, frame_rate
from ...utils import atomic_path

PathLike = Union[str, os.PathLike]


def write_report(results: PathLike,
                 out: PathLike,
                 annotations: Optional[PathLike] = None,
                 videos: Union[PathLike, Mapping[str, PathLike], None] = None,
                 facts: Optional[Mapping[str, VideoFacts]] = None,
                 min_score: Optional[float] = None) -> list[str]:
    """Write the page, one file of HTML.

    Args:
        results (str): Result file.
        out (str): The page.
        annotations (str, optional): Annotation file with the labels. Defaults to None: there are
            none yet.
        videos (str | Mapping[str, str], optional): Folder of the videos, or their files by name;
            the page links to them, from where it lies. Defaults to None.
        facts (Mapping[str, VideoFacts], optional): Durations and frame rates, where the
            annotations do not say them. Defaults to None: those of the videos.
        min_score (float, optional): See :func:`.report_content`. Defaults to None.

    Returns:
        list[str]: Remarks on what a reader of the page may miss.

    Raises:
        ImportError: If plotly is not installed, or PyAV, where a duration has to be read from a
            video.
        TALDataError: If a file cannot be used; names file, video and field.
    """
    from ...visualization.files import TimelineSource  # not above: it imports matplotlib
    from ...visualization.report import report_content, report_page

    source = TimelineSource(annotations, results)
    names = list(dict.fromkeys([*source.results, *source.database]))
    files = videos or {}
    if not isinstance(files, Mapping):
        files = match_videos(files, names)
    unknown = [name for name in source.results if name not in source.database]
    facts = dict(facts or {})
    for name in unknown:
        if name in files and name not in facts:
            facts[name] = VideoFacts(check_video(files[name]), frame_rate(files[name]))
    folder = Path(out).absolute().parent
    links = {name: _link(path, folder) for name, path in files.items()}
    content = report_content(source, links, facts, min_score)
    page = report_page(content, f'Detections in {Path(results).name}')
    with atomic_path(out) as temporary:
        Path(temporary).write_text(page, encoding='utf-8')
    remarks = []
    missing = [name for name in source.results if name not in files]
    if files and missing:
        remarks.append(f'{len(missing)} of {len(source.results)} videos have no file, such as '
                       f'{missing[0]!r}')
    loose = [name for name in unknown if name not in facts]
    if loose:
        remarks.append(
            f'durations and rates of {len(loose)} videos are not known, such as of {loose[0]!r}: '
            'labels saved from the page will lack them (give the videos, or annotations)')
    return remarks


def _link(path: PathLike, folder: Path) -> str:
    """Address of a file as seen from a folder; of one on another drive of Windows, the whole."""
    path = Path(path).absolute()
    try:
        return quote(os.fsencode(Path(os.path.relpath(path, folder)).as_posix()))
    except ValueError:
        return path.as_uri()
