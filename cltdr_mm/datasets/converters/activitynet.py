"""ActivityNet-1.3 and HACS Segments: published annotation files to our layout."""
from typing import Optional

from ...utils import TALDataError, read_json
from ..annotations import read_annotation_file
from ..benchmarks import ActivityNet13Dataset, HACSDataset
from .common import read_csv, save_annotations


def _annotations(name: str, items: list, index: dict, left_out: list[str]) -> list[dict]:
    """Annotations with their label ids, empty ones noted and left out."""
    kept = []
    for position, item in enumerate(items):
        start, end = item['segment']
        if end == start:
            left_out.append(f'{name}: annotations[{position}] is empty, at {start:g} s')
            continue
        annotation = dict(segment=[start, end], label=item['label'])
        if item['label'] in index:  # otherwise the check before writing reports the label
            annotation['label_id'] = index[item['label']]
        kept.append(annotation)
    return kept


def convert_activitynet(source: str, video_info: str, out_file: str) -> tuple[dict, list[str]]:
    """Convert ActivityNet-1.3 as BMN ships it.

    Twelve of its annotations are empty and are left out. Names lose their ``v_``, as in the
    submission layout and in files of video-level scores; feature files keep it
    (``file_prefix='v_'``).

    Args:
        source (str): ``anet_anno_action.json``.
        video_info (str): ``video_info_new.csv``, for subset and frame rate.
        out_file (str): JSON to write.

    Returns:
        tuple: The database written, and what was left out (list of str).

    Raises:
        TALDataError: If the files have problems or do not fit each other.
    """
    classes = ActivityNet13Dataset.METAINFO['classes']
    index = {name: i for i, name in enumerate(classes)}
    rows = {row['video']: row for row in read_csv(video_info, ('video', 'subset', 'rfps'))}
    database, left_out = {}, []
    for name, video in read_json(source, 'ActivityNet-1.3').items():
        if name not in rows:
            raise TALDataError.of('ActivityNet-1.3', video_info, 'video',
                                  f'is missing, {source} has it', name)
        try:
            short = name[2:] if name.startswith('v_') else name
            database[short] = dict(
                subset=rows[name]['subset'], duration=video['duration_second'],
                fps=float(rows[name]['rfps']),
                annotations=_annotations(short, video['annotations'], index, left_out))
        except (KeyError, TypeError, ValueError) as error:
            raise TALDataError.of('ActivityNet-1.3', source, 'entry',
                                  f'not as published ({error!r})', name) from error
    save_annotations(out_file, database, classes, 'ActivityNet-1.3',
                     ActivityNet13Dataset.DURATION_TOLERANCE)
    return database, left_out


def convert_hacs(source: str, out_file: str,
                 subset: Optional[str] = None) -> tuple[dict, list[str]]:
    """Convert HACS Segments (``HACS_segments_v1.1.1.json``).

    The file tells no frame rates: datasets need ``fps`` or ``default_fps``, that of the features.

    Args:
        source (str): The published file.
        out_file (str): JSON to write.
        subset (str, optional): Only this subset. Defaults to None: all.

    Returns:
        tuple: The database written, and what was left out (list of str).

    Raises:
        TALDataError: If the file has problems.
    """
    classes = HACSDataset.METAINFO['classes']
    index = {name: i for i, name in enumerate(classes)}
    database, left_out = {}, []
    for name, video in read_annotation_file(source)['database'].items():
        try:
            if subset is not None and video['subset'] != subset:
                continue
            items = video.get('annotations') or []
            # published segments are numbers or numbers in quotes, by version
            items = [dict(item, segment=[float(t) for t in item['segment']]) for item in items]
            database[name] = dict(
                subset=video['subset'], duration=float(video['duration']),
                annotations=_annotations(name, items, index, left_out))
        except (KeyError, TypeError, ValueError) as error:
            raise TALDataError.of('HACS', source, 'entry', f'not as published ({error!r})',
                                  name) from error
    save_annotations(out_file, database, classes, 'HACS Segments',
                     HACSDataset.DURATION_TOLERANCE, default_fps=1.0)
    return database, left_out
