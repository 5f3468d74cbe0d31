"""Lists what a user hands to the inferencer, one dict an input."""
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...datasets.feature_files import FEATURE_FORMATS
from ...datasets.feature_manifest import find_manifest
from ...datasets.labels.names import VIDEO_SUFFIXES

_KEYS = {'feats', 'path', 'video_name', 'duration', 'fps', 'stride', 'window', 'feature_key',
         'layout'}


def list_inputs(inputs: Any) -> list:
    """List the inputs one by one, each as a dict with ``feats`` or ``path`` and a name.

    Args:
        inputs: An array or tensor, a path, a folder, a dict, or a sequence of these.

    Returns:
        list[dict]: In order; the files of a folder sorted by name.

    Raises:
        FileNotFoundError: If a file or folder is missing, or a folder has nothing to use.
        TypeError: If an input is none of the above.
        ValueError: If a file is no feature and no video file, or a dict has unknown keys.
    """
    if isinstance(inputs, (str, Path, Mapping, np.ndarray, torch.Tensor)):
        inputs = [inputs]
    if not isinstance(inputs, Iterable):
        raise TypeError(f'input must be an array, a path, a dict or a list of these, got '
                        f'{type(inputs).__name__}')
    found = []
    for i, item in enumerate(inputs):
        if isinstance(item, (np.ndarray, torch.Tensor)):
            _check_array(item, i)
            found.append(dict(feats=item, video_name=f'input_{i}'))
        elif isinstance(item, (str, Path)):
            found += _of_folder(Path(item)) if Path(item).is_dir() else [
                dict(path=str(p)) for p in _expand(Path(item))]
        elif isinstance(item, Mapping):
            unknown = set(item) - _KEYS
            if unknown or ('feats' in item) == ('path' in item):
                raise ValueError(f'input {i}: a dict needs either "feats" or "path" and may have '
                                 f'{sorted(_KEYS - {"feats", "path"})}; got {sorted(item)}')
            item = dict(item)
            if 'path' in item:
                paths = item['path']
                paths = [paths] if isinstance(paths, (str, Path)) else paths
                item['path'] = [str(q) for p in paths for q in _expand(Path(p))]
                if len(item['path']) == 1:
                    item['path'] = item['path'][0]
            else:
                _check_array(item['feats'], i)
                item.setdefault('video_name', f'input_{i}')
            found.append(item)
        else:
            raise TypeError(f'input {i} must be an array, a path or a dict, got '
                            f'{type(item).__name__}')
    return found


def is_video(item: Mapping) -> bool:
    """Whether an input of :func:`list_inputs` is a video file."""
    return isinstance(item.get('path'), str) \
        and Path(item['path']).suffix.lower() in VIDEO_SUFFIXES


def _check_array(feats: Any, position: int) -> None:
    dtype = getattr(feats, 'dtype', None)
    if not isinstance(feats, (np.ndarray, torch.Tensor)) or (
            feats.is_complex() if isinstance(feats, torch.Tensor) else dtype.kind not in 'fiu'):
        raise TypeError(f'input {position}: features must be an array or a tensor of real numbers, '
                        f'got {type(feats).__name__}{"" if dtype is None else f" of {dtype}"}')


def _of_folder(folder: Path) -> list[dict]:
    """All files of a folder, and those in its sub-folders that its manifest names."""
    manifest = find_manifest(folder)
    named = {} if manifest is None else {
        folder / f'{name}.npy': name for name in manifest.videos}
    missing = next((path for path in named if not path.is_file()), None)
    if missing is not None:
        raise FileNotFoundError(f'{missing}: no such file, but the manifest of {folder} names it')
    others = _expand(folder) if manifest is None or any(map(_usable, folder.iterdir())) else []
    return [dict(path=str(path), **(dict(video_name=named[path]) if path in named else {}),
                 **({} if manifest is None else dict(manifest=manifest)))
            for path in sorted({*named, *others})]


def _usable(path: Path) -> bool:
    return path.suffix.lower() in FEATURE_FORMATS + VIDEO_SUFFIXES and path.name[0] != '.'


def _expand(path: Path) -> list:
    if path.is_dir():
        files = sorted(filter(_usable, path.iterdir()))
        if not files:
            raise FileNotFoundError(f'{path}: no feature or video file in this folder')
        return files
    if not path.is_file():
        raise FileNotFoundError(f'{path}: no such file')
    if path.suffix.lower() not in FEATURE_FORMATS + VIDEO_SUFFIXES:
        raise ValueError(f'{path}: neither a feature file ({" ".join(FEATURE_FORMATS)}) nor a '
                         f'video file ({" ".join(VIDEO_SUFFIXES)})')
    return [path]
