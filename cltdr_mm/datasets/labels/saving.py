"""Makes an annotation file of labels, and a table of labels of an annotation or result file."""
import csv
import os
from collections.abc import Mapping, Sequence
from typing import Optional, Union

from terminaltables import AsciiTable

from ...utils import Problem, TALDataError, atomic_path, read_json, read_result_file
from ...utils.json_files import nearest, shown
from ..converters.common import save_annotations
from .activitynet import read_activitynet
from .formats import parse
from .reading import Labels
from .rows import TITLE, LabelFile, ReadOptions

CSV_COLUMNS = ('video', 'start', 'end', 'label', 'score', 'subset')


def save_labels(path: Union[str, os.PathLike], labels: Labels,
                subsets: Optional[Mapping[str, str]] = None,
                classes: Optional[Sequence[str]] = None) -> dict:
    """Write an annotation file, whole or not at all.

    Args:
        path (str): The JSON file.
        labels (Labels): What goes into it.
        subsets (Mapping[str, str], optional): Subset by video. Defaults to None: those that came
            with the labels.
        classes (Sequence[str], optional): Class names in the order wanted. Defaults to None: all
            labels, sorted.

    Returns:
        dict: What was written: ``version``, ``classes`` and ``database``.

    Raises:
        TALDataError: If a label is not among the classes, or the subset of a video is not known.
    """
    path = str(path)
    found = {row.label: row for row in labels.rows}
    classes = sorted(found) if classes is None else list(classes)
    index = {name: i for i, name in enumerate(classes)}
    problems = [Problem(row.file, row.video, row.place, f'{shown(row.label)} is not among the '
                        f'{len(classes)} classes ({nearest(row.label, tuple(classes))})')
                for row in labels.rows if row.label not in index]
    database: dict = {}
    for name, known in labels.videos.items():
        subset = known.subset if subsets is None else subsets[name]
        if subset is None:
            problems.append(Problem(path, name, 'subset', 'is not known: give a split, or a '
                                    'column of subsets'))
        database[name] = dict(subset=subset, duration=known.duration, fps=known.fps,
                              annotations=[])
    if problems:
        raise TALDataError(problems, TITLE)
    for row in sorted(labels.rows, key=lambda row: (row.start, row.end)):
        database[row.video]['annotations'].append(
            dict(segment=[row.start, row.end], label=row.label, label_id=index[row.label]))
    save_annotations(path, database, classes, TITLE)
    return dict(version=TITLE, classes=classes, database=database)


def labels_to_csv(source: Union[str, os.PathLike], path: Union[str, os.PathLike]) -> int:
    """Write the segments of an annotation file, or of a result file, as a table.

    Columns are ``CSV_COLUMNS``; a score is in result files only, a subset in annotation files
    only. Detections are rounded to milliseconds, their scores to four digits. A video without
    segments has a row with nothing else in it.

    Args:
        source (str): JSON file with a ``database`` or with ``results``.
        path (str): The table, with commas.

    Returns:
        int: How many segments there are.

    Raises:
        TALDataError: If the file cannot be used.
    """
    source = str(source)
    content = read_json(source, TITLE)
    rows: list[tuple] = []
    if 'results' in content:
        results = read_result_file(source, proposals=True)
        for video, entries in results.items():
            rows += [(video, *(round(time, 3) for time in entry['segment']),
                      entry.get('label', ''), float(f"{entry['score']:.4g}"), '')
                     for entry in entries] or [(video, '', '', '', '', '')]
    else:
        found = LabelFile(source)
        read_activitynet(found, parse(source, 'object'), ReadOptions())
        if found.problems:
            raise TALDataError(found.problems, TITLE)
        by_video: dict[str, list] = {video: [] for video in found.videos}
        for row in found.rows:
            by_video[row.video].append(row)
        for video, known in found.videos.items():
            subset = known.subset or ''
            rows += [(video, row.start, row.end, row.label, '', subset)
                     for row in by_video[video]] or [(video, '', '', '', '', subset)]
    with atomic_path(path) as temporary:
        with open(temporary, 'w', encoding='utf-8', newline='') as file:
            writer = csv.writer(file, lineterminator='\n')
            writer.writerow(CSV_COLUMNS)
            writer.writerows(rows)
    return sum(row[1] != '' for row in rows)


def summary_table(content: dict) -> str:
    """How many segments of every class, in how many videos, every subset has.

    Args:
        content (dict): From :func:`save_labels`.

    Returns:
        str: A table; a cell is such as ``'12 in 5'``, segments and videos.
    """
    subsets: dict[str, list] = {}
    for entry in content['database'].values():
        subsets.setdefault(entry['subset'], []).append(
            [annotation['label'] for annotation in entry['annotations']])

    def cell(videos: list, wanted: Sequence[str]) -> str:
        counts = [sum(label in wanted for label in labels) for labels in videos]
        return f'{sum(counts)} in {sum(count > 0 for count in counts)}'

    rows = [['segments in videos', *subsets]]
    rows += [[name, *(cell(videos, (name, )) for videos in subsets.values())]
             for name in content['classes']]
    rows.append(['all classes', *(cell(videos, content['classes'])
                                  for videos in subsets.values())])
    rows.append(['videos', *(str(len(videos)) for videos in subsets.values())])
    table = AsciiTable(rows)
    table.inner_footing_row_border = False
    return table.table
