"""Where the features of a video lie: a file in every folder, or a data set in a file of all."""
import os
import os.path as osp
from collections.abc import Sequence
from functools import partial
from typing import Any, Optional, Union

from ..utils import TALDataError, matching_name, name_problem
from .feature_files import HDF5_FORMATS


def per_folder(value: Any, number: int, name: str) -> list:
    """Give every folder its value.

    Args:
        value: One for all folders, or a list or tuple of one per folder.
        number (int): How many folders there are.
        name (str): What the value is, for the error.

    Returns:
        list: ``number`` values.

    Raises:
        ValueError: If a list has another length.
    """
    if not isinstance(value, (list, tuple)):
        return [value] * number
    if len(value) != number:
        raise ValueError(f'{name} must be one for all feature folders, or a list of one each: got '
                         f'{list(value)} for {number} folder(s)')
    return list(value)


class FeatureNames:
    """Finds the features of a video by its name.

    Args:
        folders (Sequence[str]): Folders of feature files, or HDF5 files that hold a data set per
            video.
        file_prefix, file_suffix, file_pattern, feature_key: See :class:`.TALDataset`; one for all
            folders, or a list of one each.

    Raises:
        ValueError: If a list has not one value per folder, or a pattern makes no name or the same
            for every video.
    """

    def __init__(self,
                 folders: Sequence[str],
                 file_prefix: Union[str, Sequence[str]] = '',
                 file_suffix: Union[str, Sequence[Optional[str]], None] = None,
                 file_pattern: Union[str, Sequence[str]] = '{prefix}{video}{suffix}',
                 feature_key: Union[str, Sequence[Optional[str]], None] = None):
        settings = dict(file_prefix=file_prefix, file_suffix=file_suffix,
                        file_pattern=file_pattern, feature_key=feature_key)
        columns = [per_folder(value, len(folders), name) for name, value in settings.items()]
        self.rows = list(zip(folders, *columns))
        self._listings: dict[str, list[str]] = {}
        for _, _, _, pattern, _ in self.rows:
            _check_pattern(pattern)

    def locate(self, video: str) -> tuple[list[str], list[Optional[str]]]:
        """Find the features of a video.

        Args:
            video (str): Its name.

        Returns:
            tuple: A path per folder, and the key of the array in each (None: the only one).

        Raises:
            TALDataError: If the name would leave a folder, or a folder has several files of it
                that differ in their Unicode form only.
        """
        paths, keys = [], []
        for folder, prefix, suffix, pattern, key in self.rows:
            holds_all = osp.splitext(folder)[1].lower() in HDF5_FORMATS
            if suffix is None:
                suffix = '' if holds_all else '.npy'
            name = pattern.format(prefix=prefix, video=video, suffix=suffix)
            paths.append(folder if holds_all else self._path(folder, name, video))
            keys.append(name if holds_all else key)
        return paths, keys

    def _path(self, folder: str, name: str, video: str) -> str:
        """Path of a file in a folder, as the folder spells it."""
        bad = partial(TALDataError.of, 'feature files', folder, video=video)
        why = name_problem(video)
        if why is not None:
            raise bad('video name', why)
        path = osp.join(folder, name)
        if name.isascii() or osp.exists(path):
            return path
        # accents may have been decomposed by the system that packed the files
        found = folder
        for part in name.split('/'):
            if found not in self._listings:
                self._listings[found] = os.listdir(found or '.') if osp.isdir(found or '.') else []
            try:
                match = matching_name(part, self._listings[found])
            except ValueError as error:
                raise bad('feature', f'{path} is not there, and {error}') from error
            if match is None:
                return path
            found = osp.join(found, match)
        return found


def _check_pattern(pattern: str) -> None:
    try:
        name = pattern.format(prefix='', video='<video>', suffix='')
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f'file_pattern {pattern!r} can hold {{prefix}}, {{video}} and {{suffix}} '
                         f'only ({type(error).__name__}: {error})') from error
    if '<video>' not in name:
        raise ValueError(f'file_pattern {pattern!r} must hold {{video}}: it gives every video the '
                         'same file')
