"""Finds out about a user's own data what a config has to say: subsets, classes, feature files."""
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Optional

from ..utils import TALDataError
from .annotations import file_classes
from .feature_files import FEATURE_FORMATS, HDF5_FORMATS, FeatureFileError, feature_shape
from .feature_manifest import find_manifest
from .feature_names import FeatureNames

#: How annotation files call their subsets, lower-case.
SUBSET_NAMES = dict(training=('training', 'train'), validation=('validation', 'valid', 'val'),
                    test=('test', 'testing'))


@dataclass(frozen=True)
class Subsets:
    """What the subsets of an annotation file are for, by the names they have there.

    Args:
        training (str, optional): None for all videos, in a file that knows no subsets.
        validation (str, optional): None if there is none.
        test (str, optional): None if there is none.
    """

    training: Optional[str]
    validation: Optional[str] = None
    test: Optional[str] = None

    def named(self) -> dict[str, Optional[str]]:
        """Names by what they are for, without those that there are not."""
        found = dict(training=self.training, validation=self.validation, test=self.test)
        return {role: name for role, name in found.items() if role == 'training' or name}


def find_subsets(database: Mapping[str, Any], ann_file: str, **asked: Optional[str]) -> Subsets:
    """Tell the subsets of an annotation file apart.

    Args:
        database (Mapping[str, Any]): Of the file.
        ann_file (str): Its path, for messages.
        **asked (str, optional): ``training``, ``validation`` or ``test``: the name of that subset
            in the file, where it has another than usual.

    Returns:
        Subsets: The names.

    Raises:
        TALDataError: If a subset that is asked for is not there, two subsets have the same
            purpose, or none is there to train on.
    """
    bad = partial(TALDataError.of, 'annotation file', ann_file, 'subset')
    there = {entry['subset'] for entry in database.values()
             if isinstance(entry, Mapping) and isinstance(entry.get('subset'), str)}
    found: dict[str, Optional[str]] = {}
    for role, usual in SUBSET_NAMES.items():
        wanted = asked.get(role)
        names = sorted(name for name in there if (
            name == wanted if wanted else name.lower() in usual and name not in asked.values()))
        if wanted and not names:
            raise bad(f'there is no {wanted!r}; the file has {sorted(there)}')
        if len({name.lower() for name in names}) > 1:
            raise bad(f'{" and ".join(names)} could both be for {role}: say which '
                      f'(--{role} NAME)')
        found[role] = names[0] if names else None
    if there and found['training'] is None:
        raise bad(f'none is called training; the file has {sorted(there)}: say which to train on '
                  '(--training NAME)')
    used = [name for name in found.values() if name is not None]
    twice = sorted(name for name in set(used) if used.count(name) > 1)
    if twice:
        raise bad(f'{twice[0]!r} would be for more than one purpose: '
                  f'{ {role: name for role, name in found.items() if name} }')
    return Subsets(**found)


def find_classes(content: Mapping[str, Any],
                 ann_file: str) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Class names of an annotation file.

    Args:
        content (Mapping[str, Any]): From :func:`.read_annotation_file`.
        ann_file (str): Its path, for messages.

    Returns:
        tuple: Names (tuple of str), without a list in the file in the order of ``label_id`` or,
        where that gives none, sorted; and arguments of :class:`.TALDataset` that they ask for.

    Raises:
        TALDataError: If there is no label at all, or the list is none.
    """
    listed = file_classes(content, ann_file)
    ids: dict[str, Any] = {}
    for entry in content['database'].values():
        annotations = entry.get('annotations') if isinstance(entry, Mapping) else None
        for item in annotations if isinstance(annotations, list) else ():
            if isinstance(item, Mapping) and isinstance(item.get('label'), str):
                ids.setdefault(item['label'], item.get('label_id'))
    if listed is None and not ids:
        raise TALDataError.of('annotation file', ann_file, 'classes',
                              'there are none: no annotation has a label')
    names = listed or tuple(sorted(ids))
    if listed is None and all(i in ids.values() for i in range(len(ids))):
        names = tuple(sorted(ids, key=ids.get))
    settings: dict[str, Any] = {} if listed else dict(metainfo=dict(classes=list(names)))
    if any(ids.get(name) not in (None, i) for i, name in enumerate(names)):
        settings['check_label_id'] = False  # the file numbers them in another way
    return names, settings


def find_features(folders: Sequence[str], videos: Sequence[str]) -> dict[str, Any]:
    """How the feature files of some videos are named and laid out.

    Args:
        folders (Sequence[str]): One, or several whose channels are joined; or HDF5 files.
        videos (Sequence[str]): Names of the videos.

    Returns:
        dict: Arguments of :class:`.TALDataset`: ``data_prefix`` and ``feature_dim``, and where
        they are not the defaults ``file_suffix`` and ``layout``.

    Raises:
        TALDataError: If a folder is not there, or has a file of none of the videos.
    """
    suffixes = [_suffix(folder, videos) for folder in folders]
    own = suffixes[0] if len(set(suffixes)) == 1 else suffixes
    names = FeatureNames(folders, file_suffix=own)
    shapes = [[] for _ in folders]
    problem = None
    for video in videos:
        try:
            for i, (path, key) in enumerate(zip(*names.locate(video))):
                shapes[i].append(feature_shape(path, key))
        except (FeatureFileError, TALDataError) as error:
            problem = error  # the checks of the data set name each; one that can be read will do
    if not all(shapes):
        raise TALDataError.of('feature files', folders[0], 'feature',
                              f'none of the {len(videos)} videos can be read: {problem}')
    # what is the same in all files, while the other axis differs, are the channels
    rows = all(len({shape[0] for shape in found}) == 1 for found in shapes)
    columns = all(len({shape[1] for shape in found}) == 1 for found in shapes)
    turned = rows and not columns
    found: dict[str, Any] = dict(
        data_prefix=dict(feats=list(folders) if len(folders) > 1 else folders[0]))
    if own not in (None, '.npy'):
        found['file_suffix'] = own
    if turned:
        found['layout'] = 'channel_major'
    found['feature_dim'] = sum(
        Counter(shape[0 if turned else 1] for shape in part).most_common(1)[0][0]
        for part in shapes)
    return found


def find_timing(folders: Sequence[str], database: Mapping[str, Any], stride: Any = None,
                window: Optional[float] = None, fps: Optional[float] = None) -> dict[str, Any]:
    """How the steps of features lie in time, as it is said; a manifest is the data set's business.

    Args:
        folders (Sequence[str]): See :func:`find_features`.
        database (Mapping[str, Any]): Videos of the annotation file, by name.
        stride (float | str, optional): Frames between two steps; ``'resampled'`` for features of
            one length. Defaults to None: of the manifest, or of each video's own entry.
        window (float, optional): Frames that a step sees. Defaults to None: of the manifest.
        fps (float, optional): Frame rate of videos whose entry has none. Defaults to None.

    Returns:
        dict: Of ``feature_stride``, ``feature_window`` and ``default_fps``, arguments of
        :class:`.TALDataset`, those that are said.

    Raises:
        TALDataError: If nothing tells the stride.
    """
    manifest = any(find_manifest(folder) for folder in folders if os.path.isdir(folder))
    if stride is None and not manifest and not all(
            isinstance(entry, Mapping) and 'feature_stride' in entry
            for entry in database.values()):
        raise TALDataError.of('feature files', folders[0], 'stride', 'there is no manifest, and '
                              'nothing else says how many frames lie between two steps: say '
                              '--stride N (and --window N, where it differs), or --stride '
                              'resampled for features of one length')
    found = dict(feature_stride=None if stride == 'resampled' else stride, feature_window=window,
                 default_fps=fps)
    return {key: value for key, value in found.items() if value is not None}


def _suffix(folder: str, videos: Sequence[str]) -> Optional[str]:
    """Ending of the files of most videos in a folder; None in an HDF5 file."""
    bad = partial(TALDataError.of, 'feature files', folder)
    if os.path.splitext(folder)[1].lower() in HDF5_FORMATS and os.path.isfile(folder):
        return None
    if not os.path.isdir(folder):
        raise bad('folder', 'there is no such folder, and no HDF5 file: say where the '
                  'feature files are, --features FOLDER; cltdr features makes them of videos, '
                  'and training on frames needs none, but a config written by hand')
    names = FeatureNames([folder], file_suffix='')
    paths = [names.locate(video)[0][0] for video in videos]
    counts = {suffix: sum(os.path.isfile(path + suffix) for path in paths)
              for suffix in FEATURE_FORMATS}
    best = max(counts, key=counts.get)
    if not counts[best]:
        raise bad('feature', f'has no file of any of the {len(videos)} videos, such as '
                  f'{os.path.basename(paths[0])}.npy' if paths else 'no video to look for')
    return best
