"""Result files in ActivityNet's submission layout: detections, or proposals without a label.

::

    {"version": "VERSION 1.3", "external_data": {},
     "results": {"<video>": [{"label": "Diving", "segment": [1.0, 3.5], "score": 0.9}]}}

Segments are in seconds; a label is a class name, or the class's ``label_id``.
"""
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Optional, Union

from .json_files import keep_duplicates, number_problem, read_json, shown
from .problems import MAX_SHOWN, Problem, TALDataError

TITLE = 'result file'


def read_result_file(path: Union[str, Path],
                     fields: Sequence[str] = ('segment', 'score', 'label'),
                     proposals: bool = False) -> dict[str, list]:
    """Read a result file and check every entry, but not what its labels mean.

    Args:
        path (str or Path): JSON file, compressed when it ends in ``.gz``.
        fields (Sequence[str]): What an entry must have; proposals have no ``'label'``.
        proposals (bool): Whether a file in which no entry has a label will do where ``fields``
            asks for labels. Defaults to False.

    Returns:
        dict[str, list[dict]]: Entries by video, both in the file's order.

    Raises:
        TALDataError: If the file cannot be read or entries are malformed, naming each, or if it
            holds proposals where detections are wanted.
    """
    bad = partial(TALDataError.of, TITLE, path, 'results')
    content = read_json(path, TITLE, keep_duplicates)
    if 'results' not in content:
        hint = ': is it an annotation file?' if 'database' in content else ''
        raise bad(f'is missing; the file has {sorted(content)[:10]}{hint}')
    results = content['results']
    if not isinstance(results, dict):
        raise bad('must be an object with one list of detections a video, got '
                  f'{type(results).__name__}')
    for twice in getattr(content, 'duplicates', ()) or getattr(results, 'duplicates', ()):
        raise bad(f'{twice!r} is given twice')
    unlabelled = 'label' in fields and _no_labels(results)
    if unlabelled and proposals:
        fields = [field for field in fields if field != 'label']
    problems = []
    for video, entries in results.items():
        if not isinstance(entries, list):
            problems.append(Problem(
                str(path), video, 'results', f'must be a list, got {type(entries).__name__}'))
            continue
        for i, entry in enumerate(entries):
            found = entry_problem(entry, fields)
            if found is not None:
                problems.append(Problem(str(path), video, f'results[{i}]{found[0]}', found[1]))
        if len(problems) > 10 * MAX_SHOWN:
            break
    if unlabelled and problems and all(p.field.endswith('.label') for p in problems):
        first = problems[0]
        raise TALDataError.of(
            TITLE, path, first.field, f'{first.message}, as in every entry of the file: these are '
            'proposals, which have no class; ProposalMetric judges them, by AR@AN', first.video)
    if problems:
        raise TALDataError(problems, TITLE)
    return results


def _no_labels(results: dict) -> bool:
    """Whether no entry has a label, as in a file of proposals."""
    return not any(isinstance(entry, dict) and 'label' in entry for entries in results.values()
                   if isinstance(entries, list) for entry in entries)


def entry_problem(entry: Any, fields: Sequence[str]) -> Optional[tuple[str, str]]:
    """Say why an entry of a result or annotation file cannot be used.

    Args:
        entry: The entry, of any type.
        fields (Sequence[str]): What it must have, of ``'segment'`` (two finite numbers in order),
            ``'score'`` (a finite number) and ``'label'`` (anything).

    Returns:
        Optional[tuple[str, str]]: Where (``'.score'``, or ``''`` for the entry as a whole) and
        why; None if it can be used.
    """
    if not isinstance(entry, dict):
        return '', f'must be an object, got {type(entry).__name__}'
    for twice in getattr(entry, 'duplicates', ()):
        return f'.{twice}', 'field given twice'
    for field in fields:
        if field not in entry:
            return f'.{field}', 'is missing'
    for field in fields:
        values = (entry[field], )
        if field == 'label':
            continue
        if field == 'segment':
            values = entry[field]
            if not isinstance(values, list) or len(values) != 2:
                return '.segment', f'must be [start, end] in seconds, got {shown(values)}'
        for value in values:
            why = number_problem(value)
            if why is not None:
                return f'.{field}', why
        if field == 'segment' and values[1] < values[0]:
            return '.segment', f'end {values[1]:g} s is before start {values[0]:g} s'
    return None


def result_content(results: dict[str, list]) -> dict:
    """Put detections in the layout of a result file, ready for :func:`.write_json`.

    Args:
        results (dict[str, list[dict]]): ``segment``, ``score`` and, if they have a class,
            ``label`` of each, by video.
    """
    return dict(version='VERSION 1.3', results=results, external_data={})
