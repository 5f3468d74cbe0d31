"""Files that challenges take, made of detections in ActivityNet's layout and checked.

Layouts: Ego4D moment queries (EGO4D/episodic-memory), EPIC-Sounds detection and EPIC-KITCHENS-100
action detection (their C2 repositories and evaluation servers).
"""
import zipfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Optional, Union

from ..datasets.classes import class_names
from ..utils import Problem, TALDataError, atomic_path, read_json, write_json
from ..utils.json_files import nearest, shown
from ..utils.problems import MAX_SHOWN
from ..utils.result_files import entry_problem

Results = Mapping[str, Sequence[dict]]
#: What was used, as EPIC's challenges ask: pre-training, training labels, training data, 0 to 5.
SUPERVISION = ('sls_pt', 'sls_tl', 'sls_td')
_TITLE = 'submission'
#: The file in a ``.zip``.
_MEMBER = 'test.json'


def action_label(verb: int, noun: int) -> str:
    """How the action of a verb and a noun is written, such as ``'2,17'``."""
    return f'{verb},{noun}'


def epic_action_submission(results: Results, supervision: Sequence[int] = (2, 3, 4)) -> dict:
    """Detections of EPIC-KITCHENS-100's action task as its challenge takes them.

    Args:
        results (Mapping[str, Sequence[dict]]): By video ``label`` (``'verb,noun'``, the numbers of
            the classes), ``segment`` in seconds, ``score``.
        supervision (Sequence[int]): Levels of :data:`SUPERVISION`. Defaults to (2, 3, 4).

    Returns:
        dict: The content of ``test.json``.

    Raises:
        TALDataError: If an entry is no action; names video and field.
    """
    numbers = _labels(results, _as_action)
    made = {video: [dict(verb=verb, noun=noun, action=action_label(verb, noun),
                         score=entry['score'], segment=list(entry['segment']))
                    for entry, (verb, noun) in zip(_sorted(results[video]), numbers[video])]
            for video in results}
    return dict(version='0.2', challenge='action_detection',
                **dict(zip(SUPERVISION, supervision, strict=True)), results=made)


def epic_sounds_submission(results: Results, supervision: Sequence[int] = (2, 3, 4)) -> dict:
    """Detections of EPIC-Sounds as its challenge takes them.

    Args:
        results (Mapping[str, Sequence[dict]]): By video ``label`` (the class's name or number),
            ``segment`` in seconds, ``score``.
        supervision (Sequence[int]): Levels of :data:`SUPERVISION`. Defaults to (2, 3, 4).

    Returns:
        dict: The content of ``test.json``.

    Raises:
        TALDataError: If a label is no class; names video and field.
    """
    numbers = _labels(results, partial(_as_number, class_names('epic_sounds')))
    made = {video: [dict(interaction=number, score=entry['score'], segment=list(entry['segment']))
                    for entry, number in zip(_sorted(results[video]), numbers[video])]
            for video in results}
    return dict(version='0.1', challenge='audio_based_interaction_detection',
                **dict(zip(SUPERVISION, supervision, strict=True)), t_mod=0, results=made)


def ego4d_mq_submission(results: Results, retrieval: Optional[Results] = None) -> dict:
    """Detections of Ego4D's moment queries as its challenge takes them.

    It judges two lists, for the best suppression differs: mAP of one, recall of the other.

    Args:
        results (Mapping[str, Sequence[dict]]): By clip ``label`` (the class's name or number),
            ``segment`` in seconds, ``score``; judged by mAP.
        retrieval (Mapping[str, Sequence[dict]], optional): Likewise, judged by recall.
            Defaults to None: the same.

    Returns:
        dict: The content of the file. Entries are sorted by score: the official evaluation takes
        them as they come.

    Raises:
        TALDataError: If a label is no class, or the lists are not of the same clips.
    """
    names = class_names('ego4d_mq')
    lists = {}
    for key, part in (('detect_results', results),
                      ('retrieve_results', results if retrieval is None else retrieval)):
        numbers = _labels(part, partial(_as_number, names))
        lists[key] = {clip: [dict(label=names[number], segment=list(entry['segment']),
                                  score=entry['score'])
                             for entry, number in zip(_sorted(part[clip]), numbers[clip])]
                      for clip in part}
    return dict(version='1.0', challenge='ego4d_moment_queries', **lists)


def write_submission(content: dict, path: Union[str, Path]) -> None:
    """Check and write a file for a challenge.

    Args:
        content (dict): From one of the functions above.
        path (str or Path): JSON file, or ``.zip`` with a ``test.json`` in it, as servers take it.

    Raises:
        TALDataError: If :func:`check_submission` finds something; nothing is written then.
    """
    check_submission(content, path)
    if Path(path).suffix.lower() != '.zip':
        write_json(content, path)
        return
    with atomic_path(path) as temporary:
        inner = Path(temporary).with_suffix('.json')
        try:
            write_json(content, inner)
            with zipfile.ZipFile(temporary, 'w', zipfile.ZIP_DEFLATED) as archive:
                archive.write(inner, _MEMBER)
        finally:
            inner.unlink(missing_ok=True)


def read_submission(path: Union[str, Path]) -> dict:
    """Read a file for a challenge, JSON or ``.zip``, and check it, see :func:`check_submission`."""
    content = read_json(path, _TITLE, member=_MEMBER)
    check_submission(content, path)
    return content


def check_submission(content: dict, path: Union[str, Path]) -> None:
    """Check what is handed in: fields, ranges, and that every number is one.

    Args:
        content (dict): Of the file.
        path (str or Path): The file, for errors.

    Raises:
        TALDataError: If something is wrong; names file, video and field of each.
    """
    challenge = content.get('challenge')
    if challenge not in _CHALLENGES:
        raise TALDataError.of(_TITLE, path, 'challenge', f'must be one of {sorted(_CHALLENGES)}, '
                              f'got {shown(challenge)}')
    version, levels, keys, wrong = _CHALLENGES[challenge]
    problems = []

    def bad(field: str, message: str, video: Optional[str] = None) -> None:
        problems.append(Problem(str(path), video, field, message))

    if content.get('version') != version:
        bad('version', f'must be {version!r}, got {shown(content.get("version"))}')
    for name, highest in levels.items():
        value = content.get(name)
        if not _is_number(value, highest + 1):
            bad(name, f'must be a whole number from 0 to {highest}, got {shown(value)}')
    for key in keys:
        results = content.get(key)
        if not isinstance(results, dict) or not results:
            bad(key, 'must be an object with a list of detections a video, got '
                f'{type(results).__name__}' + (' without any' if results == {} else ''))
            continue
        for video, entries in results.items():
            if not isinstance(entries, list):
                bad(key, f'must be a list, got {type(entries).__name__}', video)
                continue
            if not entries and challenge == 'ego4d_moment_queries':
                bad(key, 'has no detection, which the official evaluation does not take', video)
            for i, entry in enumerate(entries):
                found = entry_problem(entry, ('segment', 'score')) or wrong(entry)
                if found is not None:
                    bad(f'{key}[{i}]{found[0]}', found[1], video)
            if len(problems) > 10 * MAX_SHOWN:
                break
    if not problems and len(keys) == 2:
        one, other = (set(content[key]) for key in keys)
        for clip in sorted(one ^ other):
            bad(keys[clip in one], 'lacks it', clip)
    if problems:
        raise TALDataError(problems, _TITLE)


def _is_number(value: Any, end: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < end


def _wrong_number(entry: dict, **ends: int) -> Optional[tuple[str, str]]:
    """The first field that is no whole number below its end, and why."""
    for name, end in ends.items():
        if name not in entry:
            return f'.{name}', 'is missing'
        if not _is_number(entry[name], end):
            return f'.{name}', f'must be a whole number from 0 to {end - 1}, got ' + shown(
                entry[name])
    return None


def _wrong_action(entry: dict) -> Optional[tuple[str, str]]:
    found = _wrong_number(entry, verb=len(class_names('epic100_verb')),
                          noun=len(class_names('epic100_noun')))
    if found is not None:
        return found
    if entry.get('action') != action_label(entry['verb'], entry['noun']):
        return '.action', (f'must be {action_label(entry["verb"], entry["noun"])!r}, got '
                           f'{shown(entry.get("action"))}')
    return None


def _wrong_moment(entry: dict) -> Optional[tuple[str, str]]:
    names = class_names('ego4d_mq')
    label = entry.get('label')
    if label in names:
        return None
    return '.label', f'{shown(label)} is no class ({nearest(str(label), names)})'


_LEVELS = dict.fromkeys(SUPERVISION, 5)
#: By challenge: version, whole numbers and the highest they may be, lists, what is wrong in one.
_CHALLENGES = dict(
    action_detection=('0.2', _LEVELS, ('results', ), _wrong_action),
    audio_based_interaction_detection=(
        '0.1', dict(_LEVELS, t_mod=5), ('results', ),
        lambda entry: _wrong_number(entry, interaction=len(class_names('epic_sounds')))),
    ego4d_moment_queries=('1.0', {}, ('detect_results', 'retrieve_results'), _wrong_moment))


def _sorted(entries: Sequence[dict]) -> list[dict]:
    """By falling score; of equal scores the earlier one first."""
    return sorted(entries, key=lambda entry: -entry['score'])


def _labels(results: Results, read: Callable) -> dict[str, list]:
    """What the labels of detections mean, by video, in the order of :func:`_sorted`."""
    numbers, problems = {}, []
    for video, entries in results.items():
        numbers[video] = []
        for entry in _sorted(entries):
            try:
                numbers[video].append(read(entry['label']))
            except ValueError as error:
                problems.append(Problem('results', video, 'label', str(error)))
        if len(problems) > 10 * MAX_SHOWN:
            break
    if problems:
        raise TALDataError(problems, _TITLE)
    return numbers


def _as_number(names: tuple[str, ...], label: Any) -> int:
    if label in names:
        return names.index(label)
    if _is_number(label, len(names)):
        return label
    raise ValueError(f'{shown(label)} is no class ({nearest(str(label), names)})')


def _as_action(label: Any) -> tuple[int, int]:
    try:
        verb, noun = map(int, label.split(','))
    except (AttributeError, ValueError):
        raise ValueError(f"must be 'verb,noun', the numbers of the classes, got {shown(label)}"
                         ) from None
    return verb, noun
