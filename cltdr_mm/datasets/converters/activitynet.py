"""ActivityNet-1.3, HACS Segments, FineAction: published annotation files to our layout."""
from collections.abc import Sequence
from typing import Optional

from ...utils import TALDataError
from ..benchmarks import ActivityNet13Dataset, FineActionDataset, HACSDataset
from .common import save_annotations
from .sources import Fields, by_name, read_csv, read_database, read_object


def _annotations(video: Fields, items: list, index: dict, left_out: list[str],
                 quoted: bool = False) -> list[dict]:
    """Annotations with their label ids, empty ones noted and left out."""
    kept = []
    for position, item in enumerate(items):
        item = Fields(video.title, video.file, item, video.video, f'annotations[{position}]')
        (start, end), label = item.segment(quoted=quoted), item.text('label')
        if end == start:
            left_out.append(f'{video.video}: annotations[{position}] is empty, at {start:g} s')
            continue
        annotation = dict(segment=[start, end], label=label)
        if label in index:  # otherwise the check before writing reports the label
            annotation['label_id'] = index[label]
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
    title, classes = 'ActivityNet-1.3', ActivityNet13Dataset.METAINFO['classes']
    index = {name: i for i, name in enumerate(classes)}
    info = by_name(read_csv(video_info, title, ('video', 'subset', 'rfps')), 'video',
                   lambda row: (row.text('subset'), row.number('rfps', quoted=True)))
    database, left_out = {}, []
    for name, entry in read_object(source, title).items():
        short = name[2:] if name.startswith('v_') else name
        video = Fields(title, source, entry, short)
        if name not in info:
            raise TALDataError.of(title, video_info, 'video', f'is missing, {source} has it', name)
        if short in database:
            raise video.bad('', 'is there with v_ and without')
        subset, fps = info[name]
        items = video.items('annotations')
        database[short] = dict(
            subset=subset, duration=video.number('duration_second'), fps=fps,
            annotations=_annotations(video, items, index, left_out))
    save_annotations(out_file, database, classes, title, ActivityNet13Dataset.DURATION_TOLERANCE,
                     source=f'{source}, {video_info}')
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
        TALDataError: If the file has problems, or no video of the subset.
    """
    title, classes = 'HACS Segments', HACSDataset.METAINFO['classes']
    index = {name: i for i, name in enumerate(classes)}
    database, left_out, subsets = {}, [], set()
    for name, entry in read_database(source, title).items():
        video = Fields(title, source, entry, name)
        own = video.text('subset')
        subsets.add(own)
        if subset is not None and own != subset:
            continue
        items = [] if video.values.get('annotations') is None else video.items('annotations')
        # published segments are numbers or numbers in quotes, by version
        database[name] = dict(
            subset=own, duration=float(video.number('duration', quoted=True)),
            annotations=_annotations(video, items, index, left_out, quoted=True))
    if subset is not None and subset not in subsets:
        raise TALDataError.of(title, source, 'subset',
                              f'no video of subset {subset!r}; the file has {sorted(subsets)}')
    save_annotations(out_file, database, classes, title, HACSDataset.DURATION_TOLERANCE,
                     default_fps=1.0, source=source)
    return database, left_out


def convert_fineaction(source: str, out_file: str,
                       exclude: Sequence[str] = ()) -> tuple[dict, list[str]]:
    """Convert FineAction (``annotations_gt.json``).

    The classes are the labels of the file, in alphabetical order. It tells no frame rates.

    Args:
        source (str): The published file.
        out_file (str): JSON to write.
        exclude (Sequence[str]): Videos to leave out, such as those with known errors.
            Defaults to ().

    Returns:
        tuple: The database written, and what was left out (list of str).

    Raises:
        TALDataError: If the file has problems, or lacks a video to leave out.
    """
    title = 'FineAction'
    database, left_out, videos = {}, [], read_database(source, title)
    for name in exclude:
        if name not in videos:
            raise TALDataError.of(title, source, 'video', 'is to be left out and not there', name)
    for name, entry in videos.items():
        if name in exclude:
            left_out.append(f'{name}: excluded')
            continue
        video = Fields(title, source, entry, name)
        items = [] if video.values.get('annotations') is None else video.items('annotations')
        database[name] = dict(
            subset=video.text('subset'), duration=float(video.number('duration')),
            annotations=_annotations(video, items, {}, left_out))
    found = [item for entry in database.values() for item in entry['annotations']]
    classes = sorted({item['label'] for item in found})
    for item in found:
        item['label_id'] = classes.index(item['label'])
    save_annotations(out_file, database, classes, title, FineActionDataset.DURATION_TOLERANCE,
                     default_fps=1.0, source=source)
    return database, left_out
