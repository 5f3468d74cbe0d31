"""Reads labels in Label Studio's JSON export: labels on time lines, in seconds or in frames."""
from collections import Counter

from ...utils.json_files import shown
from ..converters.sources import Fields
from .names import file_of_url
from .rows import LabelFile, ReadOptions

#: Where a task may name its recording; the first that it has.
_MEDIA = ('video', 'video_url', 'audio', 'timeseries', 'csv', 'url', 'file')
_IN_SECONDS = ('labels', 'timeserieslabels')
_IN_FRAMES = 'timelinelabels'


def read_label_studio(found: LabelFile, tasks: list, options: ReadOptions) -> None:
    """Read the segments of all tasks.

    Args:
        found (LabelFile): Takes what is found.
        tasks (list): The file.
        options (ReadOptions): ``tiers``, names of control tags (``from_name``); ``columns``, with
            the field of a task's data that names the ``video``; ``group``, another such field.

    Raises:
        TALDataError: If it is not clear which control tag is meant.
        ValueError: If ``columns`` has another field.
    """
    unknown = set(options.columns or {}) - {'video'}
    if unknown:
        raise ValueError(f'columns: there is no field {sorted(unknown)[0]!r}, but video')
    results = []
    for number, task in enumerate(tasks):
        with found.collecting():
            fields = found.fields(task, f'[{number}]')
            fields.video = _recording(found, fields, options)
            results += [(fields.video, *result) for result in _results(found, fields)]
    counts = Counter(fields.values['from_name'] for _, _, fields in results
                     if isinstance(fields.values.get('from_name'), str))
    chosen = found.chosen_tiers(counts, options.tiers, 'control tags')
    for video, place, fields in results:
        if options.tiers is None or fields.values.get('from_name') in chosen:
            with found.collecting():
                _read_result(found, video, place, fields)


def _recording(found: LabelFile, task: Fields, options: ReadOptions) -> str:
    """Name of a task's recording; notes what else the task says of it."""
    place = f'{task.place}.data'
    data = found.fields(task.object('data'), place)
    texts = [key for key, value in data.values.items() if isinstance(value, str)]
    wanted = (options.columns or {}).get('video')
    known = [wanted] if wanted else [key for key in _MEDIA if key in texts] or texts
    if not known or (not wanted and known[0] not in _MEDIA and len(known) > 1):
        raise data.bad('', f'names no recording in {", ".join(_MEDIA)}; it has '
                       f'{shown(sorted(data.values))}; say which it is, such as '
                       '--columns video=FIELD')
    name = file_of_url(data.text(known[0]))
    if not name:
        raise data.bad(known[0], 'names no file')
    found.fact(name, place, group=found.group_of(data, options.group))
    return name


def _results(found: LabelFile, task: Fields) -> list[tuple[str, Fields]]:
    """What was labelled in a task, by its only annotation, or the one that is ground truth."""
    done = [(i, item) for i, item in enumerate(task.items('annotations'))
            if isinstance(item, dict) and not item.get('was_cancelled')]
    if len(done) > 1:
        done = [pair for pair in done if pair[1].get('ground_truth')] or done
    if len(done) != 1:
        raise task.bad('annotations', 'has none that was submitted: the task is not labelled yet'
                       if not done else f'has {len(done)}; mark one of them as ground truth')
    number, item = done[0]
    place = f'{task.place}.annotations[{number}]'
    items = found.fields(item, place, task.video).items('result')
    found_results = []
    for position, result in enumerate(items):
        with found.collecting():
            where = f'{place}.result[{position}]'
            found_results.append((where, found.fields(result, where, task.video)))
    return found_results


def _read_result(found: LabelFile, video: str, place: str, result: Fields) -> None:
    """Add the segments of one result."""
    kind = result.text('type')
    if kind == 'videorectangle':
        raise result.bad('type', "'videorectangle' is a box that moves, no segment in time; label "
                         'segments with TimelineLabels')
    if kind not in (*_IN_SECONDS, _IN_FRAMES):
        raise result.bad('type', f'{shown(kind)} is no segment in time, as {_IN_FRAMES}, '
                         f'{", ".join(_IN_SECONDS)} are; to read only some control tags, name '
                         'them (tiers)')
    value = found.fields(result.object('value'), f'{place}.value', video)
    if kind == 'labels' and 'text' in value.values:
        raise value.bad('', 'is a part of a text, no segment in time')
    labels = value.items(kind)
    if not labels or not all(isinstance(label, str) for label in labels):
        raise value.bad(kind, f'must be names of classes, got {shown(labels)}')
    if kind != _IN_FRAMES:
        segments = [(value.number('start', quoted=True), value.number('end', quoted=True))]
    else:
        segments = []
        for position, item in enumerate(value.items('ranges')):
            part = found.fields(item, f'{place}.value.ranges[{position}]', video)
            # the first frame is 1, and the last of a range belongs to it
            segments.append((part.number('start') - 1, part.number('end')))
        if not segments:
            raise value.bad('ranges', 'is empty')
    for start, end in segments:
        for label in labels:
            found.row(place, video, start, end, label, in_frames=kind == _IN_FRAMES)
