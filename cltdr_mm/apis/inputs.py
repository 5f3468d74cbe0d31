"""Turns what a user hands to the inferencer into what a model takes.

An input is a feature array, a feature file, a video file, a folder of such files, or a dict that
says more about one of them. Files go through the test pipeline of the config, so that a model
sees what it sees under the Runner.
"""
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Optional

import numpy as np
import torch
from mmengine.dataset import Compose

from ..datasets.annotations import read_annotation_file
from ..datasets.feature_files import FEATURE_FORMATS, FeatureFileError, feature_shape
from ..datasets.feature_names import per_folder
from ..datasets.feature_source import FeatureSource
from ..datasets.feature_values import as_rows, find_nonfinite
from ..datasets.transforms import LoadTALFeature
from ..datasets.windows import WindowSettings, sample_grid

VIDEO_SUFFIXES = ('.mp4', '.avi', '.mkv', '.mov', '.webm', '.m4v', '.mpg', '.mpeg', '.flv', '.wmv',
                  '.ts')
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
            found.append(dict(feats=item, video_name=f'input_{i}'))
        elif isinstance(item, (str, Path)):
            found += [dict(path=str(p)) for p in _expand(Path(item))]
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
                item.setdefault('video_name', f'input_{i}')
            found.append(item)
        else:
            raise TypeError(f'input {i} must be an array, a path or a dict, got '
                            f'{type(item).__name__}')
    return found


def _expand(path: Path) -> list:
    usable = FEATURE_FORMATS + VIDEO_SUFFIXES
    if path.is_dir():
        files = sorted(p for p in path.iterdir() if p.suffix.lower() in usable)
        if not files:
            raise FileNotFoundError(f'{path}: no feature or video file in this folder')
        return files
    if not path.is_file():
        raise FileNotFoundError(f'{path}: no such file')
    if path.suffix.lower() not in usable:
        raise ValueError(f'{path}: neither a feature file ({" ".join(FEATURE_FORMATS)}) nor a '
                         f'video file ({" ".join(VIDEO_SUFFIXES)})')
    return [path]


class SampleMaker:
    """Makes model inputs of :func:`list_inputs`'s dicts.

    Args:
        pipeline (Sequence): Transforms of the test pipeline, or their configs.
        source (FeatureSource): What the config's data set says about features.
        in_channels (int, optional): Channels that the model takes; None if it does not say.
        extractor (VideoFeatureExtractor, optional): For video files. Defaults to None.
        sliding (WindowSettings, optional): Sliding windows of the config's data set. Defaults to
            None.
        class_agnostic (bool): Whether that data set knows no classes. Defaults to False.
    """

    def __init__(self, pipeline: Sequence, source: FeatureSource, in_channels: Optional[int],
                 extractor=None, sliding: Optional[WindowSettings] = None,
                 class_agnostic: bool = False):
        self.pipeline = Compose(list(pipeline))
        self.source = source
        self.in_channels = in_channels
        self.extractor = extractor
        self.sliding = sliding
        self.class_agnostic = class_agnostic

    def complete(self, items: list, annotations: Optional[str] = None, **overrides) -> list:
        """Give every input its name and numbers, and check what can be checked without reading.

        Args:
            items (list[dict]): From :func:`list_inputs`; their own numbers go first.
            annotations (str, optional): Annotation file that knows the videos' ``duration``,
                ``fps``, ``feature_stride`` and ``feature_window``. Defaults to None.
            **overrides: ``duration``, ``fps``, ``stride``, ``window``, ``layout`` for all inputs;
                before the annotation file's and the config's.

        Returns:
            list[dict]: Inputs with everything that :meth:`samples` needs.

        Raises:
            ValueError: If two inputs have one name, a video is not in ``annotations``, a file
                cannot be used, or the frame rate or duration is unknown.
        """
        database = None
        if annotations is not None:
            database = read_annotation_file(str(annotations))['database']
        done, names = [], {}
        for item in items:
            where = item.get('path', 'array')
            where = where if isinstance(where, str) else ', '.join(where)
            item = dict(item, source=where)
            if 'video_name' not in item:
                item['video_name'] = self._name(item)
            name = item['video_name']
            if name in names:
                raise ValueError(f'two inputs are called {name}: {names[name]} and {where}; name '
                                 f'them with dict(path=..., video_name=...)')
            names[name] = where
            self._fill(item, database, annotations, overrides)
            if not self._is_video(item):
                self._check_shape(item)
            elif self.extractor is None:
                raise ValueError(f'{where}: a video needs a feature extractor; make the inferencer '
                                 f'with extractor=VideoFeatureExtractor(...) or give features')
            done.append(item)
        return done

    def _name(self, item: dict) -> str:
        path = item['path'] if isinstance(item['path'], str) else item['path'][0]
        name = Path(path).name
        prefixes, suffixes = (
            [value] if isinstance(value, str) else value or ()
            for value in (self.source.prefix, self.source.suffix))
        suffix = next((s for s in suffixes if s and name.endswith(s)), Path(name).suffix)
        name = name[:len(name) - len(suffix)]
        prefix = next((p for p in prefixes if p and name.startswith(p)), '')
        return name[len(prefix):]

    @staticmethod
    def _is_video(item: dict) -> bool:
        return isinstance(item.get('path'), str) \
            and Path(item['path']).suffix.lower() in VIDEO_SUFFIXES

    def _fill(self, item, database, annotations, overrides) -> None:
        entry = {}
        if database is not None:
            if item['video_name'] not in database:
                raise ValueError(f'{item["source"]}: video {item["video_name"]} is not in '
                                 f'{annotations}')
            entry = database[item['video_name']]
        source = self.source
        known = dict(
            duration=entry.get('duration'),
            fps=source.fps or entry.get('fps') or source.default_fps,
            stride=entry.get('feature_stride', source.stride),
            window=entry.get('feature_window', source.window),
            layout=source.layout, feature_key=source.key)
        given = {k: v for k, v in overrides.items() if v is not None}
        for key, value in {**known, **given}.items():
            item.setdefault(key, value)
        if item['window'] is None:
            item['window'] = item['stride']
        for key in ('duration', 'fps', 'stride', 'window'):
            if item[key] is not None and not (np.isfinite(item[key]) and item[key] > 0):
                raise ValueError(f'{item["source"]}: {key} must be positive, got {item[key]}')

    def _check_shape(self, item: dict) -> None:
        """Find out which way round the features lie, how many they are, how long they last."""
        where = item['source']
        if item['fps'] is None:
            raise ValueError(f'{where}: the frame rate is unknown; give fps=')
        try:
            if 'feats' in item:
                shapes = [tuple(item['feats'].shape)]
            else:
                paths = [item['path']] if isinstance(item['path'], str) else item['path']
                item['feature_paths'] = paths
                keys = per_folder(item['feature_key'], len(paths), 'feature_key')
                shapes = [tuple(feature_shape(p, key)) for p, key in zip(paths, keys)]
            if any(len(shape) != 2 or 0 in shape for shape in shapes):
                raise FeatureFileError(f'must be a matrix that is not empty, has shape '
                                       f'{", ".join(map(str, shapes))}')
        except ValueError as error:  # FeatureFileError too
            raise ValueError(f'{where}: {error}') from error
        time_major = sum(s[1] for s in shapes), min(s[0] for s in shapes)
        channel_major = sum(s[0] for s in shapes), min(s[1] for s in shapes)
        if item['layout'] == 'channel_major':
            (channels, steps), other = channel_major, time_major
        else:
            (channels, steps), other = time_major, channel_major
        if self.in_channels is not None and channels != self.in_channels:
            if other[0] != self.in_channels:
                raise ValueError(f'{where}: features of shape {", ".join(map(str, shapes))}, but '
                                 f'the model takes {self.in_channels} channels')
            steps = other[1]
            item['layout'] = ('time_major' if item['layout'] == 'channel_major'
                              else 'channel_major')
        item['num_steps'] = steps
        if item['duration'] is None:
            if item['stride'] is None:
                raise ValueError(f'{where}: these features are resampled to a fixed length; give '
                                 f'duration= (seconds)')
            item['duration'] = sample_grid(item, steps).extent

    def samples(self, item: dict) -> list:
        """Make the model's inputs of one video: one, or one per sliding window.

        Args:
            item (dict): From :meth:`complete`.

        Returns:
            list[dict]: ``inputs`` and ``data_samples``, as the pipeline packs them.

        Raises:
            ValueError: If features cannot be used (NaN, wrong channels, damaged file); names the
                file. Of the pipeline's own transforms, their errors.
        """
        if self._is_video(item):
            item = self._extract(item)
        cuts = [dict()] if self.sliding is None else self.sliding.cut(item['num_steps'])
        keys = ('video_name', 'duration', 'fps', 'stride', 'window', 'layout', 'feature_key',
                'feature_paths')
        base = dict({k: item[k] for k in keys if k in item}, class_agnostic=self.class_agnostic)
        if 'feats' not in item:
            return [self.pipeline(dict(base, **cut)) for cut in cuts]
        return [self._pack_array(item, base, cut) for cut in cuts]

    def _extract(self, item: dict) -> dict:
        rows, grid, duration = self.extractor(item['path'])
        if self.in_channels is not None and rows.shape[1] != self.in_channels:
            raise ValueError(f'{item["path"]}: the feature extractor makes {rows.shape[1]} '
                             f'channels, but the model takes {self.in_channels}')
        return dict(item, feats=rows, layout='time_major', fps=grid.fps, stride=grid.stride,
                    window=grid.window, duration=duration, num_steps=len(rows))

    def _pack_array(self, item: dict, base: dict, cut: dict) -> dict:
        """What LoadTALFeature does, for features that are in memory already."""
        steps = list(self.pipeline.transforms)
        if not steps or not isinstance(steps[0], LoadTALFeature):
            raise ValueError('arrays replace LoadTALFeature, and the pipeline does not begin with '
                             'it; give files instead')
        feats = item['feats']
        feats = feats.detach().cpu().float().numpy() if isinstance(feats, torch.Tensor) else feats
        feats = feats.T if item['layout'] == 'channel_major' else feats
        start, stop = cut.get('window_start', 0), None
        if cut:
            stop = start + cut['window_size']
        grid = sample_grid(item, len(feats))
        rows = as_rows([feats[start:stop]])  # a copy: a transform may write into it
        where = find_nonfinite(rows)
        if where is not None:
            raise ValueError(f'{item["video_name"]}: NaN or inf at step {start + where[0]}, '
                             f'channel {where[1]}')
        if cut:
            grid = grid.crop(start, len(rows))
        results = dict(base, **cut, rows=rows, grid=grid)
        for transform in steps[1:]:
            results = transform(results)
        return results
