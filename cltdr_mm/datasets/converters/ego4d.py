"""Ego4D Moment Queries: official annotation files, or others' JSON files, to our layout."""
from collections.abc import Iterator, Sequence
from typing import Optional

from ...utils import Problem, TALDataError
from ...utils.json_files import shown
from ..benchmarks import Ego4DMQDataset
from .common import save_annotations
from .sources import Fields, read_object

_TITLE = 'Ego4D Moment Queries'
#: As the files call them, and as they are written.
_SUBSETS = dict(train='train', training='train', val='val', validation='val', test='test')
#: Frame rates that a clip can have; published converters skip clips with others.
_RATES = 10., 100.


def convert_ego4d_mq(sources: Sequence[str], out_file: str,
                     skip_bad_rates: bool = False) -> tuple[dict, list[str]]:
    """Convert Ego4D Moment Queries.

    Of the official files the primary labels of all annotators count. A clip begins where its video
    does, if the file lets it begin before; one for training or validation without a primary label
    is left out.

    Args:
        sources (Sequence[str]): ``moments_train.json``, ``moments_val.json`` and
            ``moments_test_unannotated.json``, or some of them; or one file in the layout of OpenTAD
            (``ego4d_v2_220429.json``), of ActionFormer (``ego4d.json``) or of ASL
            (``ego4d_clip_annotations.json``).
        out_file (str): JSON to write.
        skip_bad_rates (bool): Whether clips are left out whose frames and seconds make less than 10
            or more than 100 frames a second. Defaults to False: they are an error that names each.

    Returns:
        tuple: The database written, and what was left out (list of str).

    Raises:
        TALDataError: If a file has problems, a clip is in several, or there is nothing to write.
        ValueError: If no file is given.
    """
    if not sources:
        raise ValueError('give at least one annotation file')
    classes = Ego4DMQDataset.METAINFO['classes']
    index = {name: i for i, name in enumerate(classes)}
    database, left_out, problems = {}, [], []
    for path in sources:
        for clip, entry in _read(path):
            if clip.video in database:
                raise clip.bad('', 'the clip is given twice')
            fps = entry.get('fps')
            if fps is not None and not _RATES[0] <= fps <= _RATES[1]:
                what = f'frames and seconds make {fps:g} frames a second'
                left_out.append(f'{clip.video}: {what}')
                problems.append(Problem(path, clip.video, 'fps', what))
                continue
            if not entry['annotations'] and entry['subset'] != 'test':
                left_out.append(f'{clip.video}: a clip of {entry["subset"]} without a label')
                continue
            for item in entry['annotations']:
                if item['label'] in index:  # otherwise the check before writing reports it
                    item['label_id'] = index[item['label']]
            database[clip.video] = entry
    if problems and not skip_bad_rates:
        raise TALDataError(problems, f'{_TITLE} (--skip-bad-rates leaves such clips out)')
    save_annotations(out_file, database, classes, _TITLE, Ego4DMQDataset.DURATION_TOLERANCE,
                     default_fps=30.0, source=', '.join(map(str, sources)))
    return database, left_out


def _read(path: str) -> Iterator[tuple[Fields, dict]]:
    """Clips of a file in any of the layouts, each with its entry."""
    content = read_object(path, _TITLE)
    if 'videos' in content:
        yield from _official(Fields(_TITLE, path, content))
        return
    # OpenTAD and ActionFormer have a database, ASL's file is one
    clips = Fields(_TITLE, path, content).object('database') if 'database' in content else content
    for name, values in clips.items():
        clip = Fields(_TITLE, path, values, name)
        duration = clip.number('duration')
        fps = None
        if 'frame' in clip.values:
            fps = _rate(clip, clip.number('frame'), duration)
        elif 'database' in content:
            fps = clip.number('fps')  # in ASL's file they are steps of features
        items = clip.values.get('annotations')
        yield clip, _entry(clip, clip.text('subset'), duration, fps, (
            Fields(_TITLE, path, item, name, f'annotations[{position}]')
            for position, item in enumerate([] if items is None else clip.items('annotations'))))


def _entry(clip: Fields, subset: str, duration: float, fps: Optional[float],
           items: Iterator[Fields]) -> dict:
    """An entry of a clip; items have ``segment`` and ``label``."""
    if subset not in _SUBSETS:
        raise clip.bad('subset', f'must be one of {sorted(_SUBSETS)}, got {shown(subset)}')
    entry = dict(subset=_SUBSETS[subset], duration=float(duration), annotations=[
        dict(segment=[*item.segment()], label=item.text('label')) for item in items])
    if fps is not None:
        entry['fps'] = float(fps)
    return entry


def _rate(clip: Fields, frames: float, seconds: float) -> float:
    if not seconds > 0:
        raise clip.bad('duration', f'must be positive, got {seconds:g}')
    return frames / seconds


def _official(content: Fields) -> Iterator[tuple[Fields, dict]]:
    """Clips of an official file, each with its entry."""
    for i, values in enumerate(content.items('videos')):
        video = Fields(_TITLE, content.file, values, place=f'videos[{i}]')
        video.video = video.text('video_uid')
        split = video.text('split')
        for j, values in enumerate(video.items('clips')):
            clip = Fields(_TITLE, content.file, values, video.video, f'videos[{i}].clips[{j}]')
            clip.video = clip.text('clip_uid')
            # what a clip shows before its video is not there
            start = max(clip.number('video_start_sec'), 0)
            duration = clip.number('video_end_sec') - start
            frames = clip.number('video_end_frame') - max(clip.number('video_start_frame'), 0)
            yield clip, _entry(clip, split, duration, _rate(clip, frames, duration),
                               _primary_labels(clip, start))


def _primary_labels(clip: Fields, clip_start: float) -> Iterator[Fields]:
    """Primary labels of all annotators, segments in seconds of the clip."""
    annotators = clip.values.get('annotations')
    for i, values in enumerate([] if annotators is None else clip.items('annotations')):
        place = f'{clip.place}.annotations[{i}]'
        annotator = Fields(_TITLE, clip.file, values, clip.video, place)
        for j, values in enumerate(annotator.items('labels')):
            label = Fields(_TITLE, clip.file, values, clip.video, f'{place}.labels[{j}]')
            if not isinstance(label.values.get('primary'), bool):
                raise label.bad('primary', 'must be true or false, got '
                                f'{shown(label.values.get("primary"))}')
            if label.values['primary']:
                times = (label.number(f'video_{end}_time') for end in ('start', 'end'))
                segment = [max(time - clip_start, 0) for time in times]
                yield Fields(_TITLE, clip.file, dict(label.values, segment=segment), clip.video,
                             label.place)
