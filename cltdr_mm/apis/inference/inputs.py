"""Turns what a user hands to the inferencer into what a model takes.

An input is a feature array, a feature file, a video file, a folder of such files, or a dict that
says more about one of them. Files go through the test pipeline of the config, so that a model
sees what it sees under the Runner.
"""
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

import numpy as np
import torch
from mmengine.dataset import Compose

from ...datasets.annotation_checks import VideoAnnotation
from ...datasets.feature_checks import FeatureSpec, length_problem
from ...datasets.feature_files import FeatureFileError, feature_shape
from ...datasets.feature_names import per_folder
from ...datasets.feature_source import FeatureSource
from ...datasets.feature_streams import aligned_steps
from ...datasets.feature_values import as_rows, find_nonfinite
from ...datasets.transforms import LoadTALFeature
from ...datasets.videos.video_facts import SKIP_HINT, broken_video, match_videos
from ...datasets.windows import WindowSettings, sample_grid
from ...utils import Problem, TALDataError
from ...utils.feature_settings import differing
from ...utils.json_files import number_problem, shown
from .input_list import is_video
from .input_manifests import read_manifests
from .input_timing import known_timing


class SampleMaker:
    """Makes model inputs of :func:`.list_inputs`'s dicts.

    Args:
        pipeline (Sequence): Transforms of the test pipeline, or their configs.
        source (FeatureSource): What the config's data set says about features.
        in_channels (int, optional): Channels that the model takes; None if it does not say.
        extractor (VideoFeatureExtractor, optional): For video files. Defaults to None.
        sliding (WindowSettings, optional): Sliding windows of the config's data set. Defaults to
            None.
        spec (FeatureSpec, optional): How long the features of a video may be, as the config's
            data set has it. Defaults to None: as data sets have it without a word about it.
        class_agnostic (bool): Whether that data set knows no classes. Defaults to False.
        ann_file (str, optional): Its annotation file, which need not be there. Defaults to None.
    """

    def __init__(self, pipeline: Sequence, source: FeatureSource, in_channels: Optional[int],
                 extractor=None, sliding: Optional[WindowSettings] = None,
                 spec: Optional[FeatureSpec] = None, class_agnostic: bool = False,
                 ann_file: Optional[str] = None):
        self.pipeline = Compose(list(pipeline))
        self.source = source
        self.in_channels = in_channels
        self.extractor = extractor
        self.sliding = sliding
        self.spec = spec or FeatureSpec()
        self.class_agnostic = class_agnostic
        self.ann_file = ann_file
        self.broken: list[Problem] = []  # videos that cannot be read
        self.skip_broken = False

    def complete(self, items: list, annotations: Optional[str] = None,
                 videos: Optional[str] = None, skip_broken: bool = False, **overrides) -> list:
        """Give every input its name and numbers, and check what can be checked without reading.

        Args:
            items (list[dict]): From :func:`.list_inputs`; their own numbers go first.
            annotations (str, optional): Annotation file that knows the videos' ``duration``,
                ``fps``, ``feature_stride`` and ``feature_window``, checked as a data set checks
                it, its durations against the features. Defaults to None: that of the config's
                data set, if it is there, for inputs without a rate that are in it.
            videos (str, optional): Folder of the videos that features are of. Rates and durations
                that nothing else says are theirs. Defaults to None.
            skip_broken (bool): Whether video inputs that cannot be read are left out; they are
                then in ``broken``. Defaults to False.
            **overrides: ``duration``, ``fps``, ``stride``, ``window``, ``layout`` for all inputs;
                before the annotation file's and the config's.

        Returns:
            list[dict]: Inputs with everything that :meth:`samples` needs, and ``video``, the
            video's file or None.

        Raises:
            TypeError: If a value has the wrong type.
            ValueError: If two inputs have one name, a video's entry is missing or bad, a file
                cannot be used, or the frame rate or duration is unknown.
        """
        names: dict[str, str] = {}
        self.broken, self.skip_broken = [], skip_broken
        items = [dict(item) for item in items]
        for item in items:
            where = item.get('path', 'array')
            item['source'] = where = where if isinstance(where, str) else ', '.join(where)
            name = item.setdefault('video_name', self._name(item) if 'path' in item else None)
            if not isinstance(name, str):
                raise TypeError(f'{where}: video_name must be a string, got {shown(name)}')
            if name in names:
                raise ValueError(f'two inputs are called {name}: {names[name]} and {where}; rename '
                                 'one, or in Python name them: dict(path=..., video_name=...)')
            names[name] = where
            item.update({k: item.get(k, v) for k, v in overrides.items() if v is not None})
            self._check_numbers(item)
        read_manifests(items, self.source)
        features = [item['video_name'] for item in items if not is_video(item)]
        files = {} if videos is None or not features else {
            name: str(file) for name, file in match_videos(videos, features).items()}
        entries = known_timing({item['video_name']: self._known_rate(item) for item in items},
                               files, annotations, self.ann_file, self.source.default_fps)
        for item in items:
            self._fill(item, entries.get(item['video_name']))
            item['video'] = item['path'] if is_video(item) else files.get(item['video_name'])
            if not is_video(item):
                self._check_features(item)
            else:
                self._check_video(item)
        left_out = {problem.video for problem in self.broken}
        hint = SKIP_HINT if len(left_out) < len(items) else ''
        if left_out and not (skip_broken and hint):
            raise TALDataError(self.broken, 'inference', '' if skip_broken else hint)
        items = [item for item in items if item['video_name'] not in left_out]
        for step in self.pipeline.transforms:
            if hasattr(step, 'check_videos'):
                step.check_videos([item['video_name'] for item in items])
        return items

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
    def _check_numbers(item: dict) -> None:
        """Refuse what is said about an input and makes no sense."""
        for key in ('duration', 'fps', 'stride', 'window'):
            value = item.get(key)
            if isinstance(value, np.generic):
                item[key] = value = value.item()
            why = None if value is None else number_problem(value)
            if why is None and value is not None and value <= 0:
                why = f'must be positive, got {value}'
            if why is not None:
                raise ValueError(f'{item["source"]}: {key} {why}')
        if item.get('layout', 'time_major') not in ('time_major', 'channel_major'):
            raise ValueError(f"{item['source']}: layout must be 'time_major' or 'channel_major', "
                             f'got {shown(item["layout"])}')

    def _check_video(self, item: dict) -> None:
        """All of it must be there, and the extractor be that of the training features."""
        if self.extractor is None:
            raise ValueError(f'{item["source"]}: a video needs a feature extractor: --recognizer '
                             'of cltdr infer, in Python extractor=VideoFeatureExtractor(...); or '
                             'give features')
        other = differing(self.source.settings or {}, getattr(self.extractor, 'settings', {}))
        if other:
            raise ValueError(f'{item["source"]}: the recognizer would make other features than the '
                             f'model was trained on ({"; ".join(other)}, the model first)')
        if hasattr(self.extractor, 'check'):
            try:
                self.extractor.check(item['path'])
            except ValueError as error:
                self.broken.append(broken_video(item['video_name'], item['path'], error))

    def _known_rate(self, item: dict) -> Optional[float]:
        """The frame rate that goes before an annotation file's."""
        if is_video(item):
            return 1.  # any: the file itself knows
        return item.get('fps') or self.source.fps

    def _fill(self, item: dict, entry: Optional[VideoAnnotation]) -> None:
        """Add what the annotation file knows, then what the config knows."""
        source = self.source
        known = dict(fps=source.fps or source.default_fps, stride=source.stride,
                     window=source.window, layout=source.layout, feature_key=source.key)
        item['annotated'] = None
        if entry is not None:
            own = dict(duration=entry.duration, fps=entry.fps, stride=entry.stride,
                       window=entry.window)
            known.update({k: v for k, v in own.items() if v is not None})
            if item.get('duration') is None:
                item['annotated'] = entry.duration
        elif item.get('recorded') is not None:
            known['duration'] = item['recorded']
        for key, value in dict(dict(duration=None), **known).items():
            if item.get(key) is None:
                item[key] = value
        if item['window'] is None:
            item['window'] = item['stride']
        number = len(item['path']) if isinstance(item.get('path'), (list, tuple)) else 1
        item['stream_grids'] = source.streams if len(source.streams or ()) == number else None

    def _check_features(self, item: dict) -> None:
        """Find out which way round the features lie, how many they are, how long they last."""
        where = item['source']
        if item['fps'] is None:
            raise ValueError(f'{where}: the frame rate is unknown; give fps, or an annotation file '
                             'that knows it, or the folder of the videos')
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

        def sizes(steps_axis: int) -> tuple[int, list[int]]:
            """Channels of all files together, and the steps of each."""
            return (sum(shape[1 - steps_axis] for shape in shapes),
                    [shape[steps_axis] for shape in shapes])

        axis = int(item['layout'] == 'channel_major')
        channels, lengths = sizes(axis)
        if self.in_channels is not None and channels != self.in_channels:
            channels, lengths = sizes(1 - axis)
            if channels != self.in_channels:
                raise ValueError(f'{where}: features of shape {", ".join(map(str, shapes))}, but '
                                 f'the model takes {self.in_channels} channels')
            item['layout'] = ('channel_major', 'time_major')[axis]
        lengths = aligned_steps(lengths, item['stream_grids'])
        item['num_steps'] = min(lengths)
        if item['duration'] is None and item['stride'] is None:
            raise ValueError(f'{where}: these features are resampled to a fixed length, which '
                             'tells no duration; give duration (seconds), or an annotation file '
                             'that knows it')
        extent = None if item['stride'] is None else sample_grid(item, min(lengths)).extent
        if item['duration'] is None:
            item['duration'] = extent
        # what is said by hand is taken: it may be a part of the video
        self._check_length(item, lengths, item['annotated'] or extent or item['duration'])

    def _check_length(self, item: dict, lengths: list[int], duration: float) -> None:
        """The rule of a data set on the steps of a video of that duration."""
        why = length_problem(dict(item, duration=duration), lengths, self.spec)
        if why is not None:
            raise TALDataError.of('inference', item['source'], 'feature length', why,
                                  item['video_name'])

    def samples(self, item: dict) -> list:
        """Make the model's inputs of one video: one, or one per sliding window.

        Args:
            item (dict): From :meth:`complete`.

        Returns:
            list[dict]: ``inputs`` and ``data_samples``, as the pipeline packs them; none of a
            video that turns out to be broken and is left out.

        Raises:
            ValueError: If features cannot be used (NaN, wrong channels, damaged file); names the
                file. Of the pipeline's own transforms, their errors.
        """
        if is_video(item):
            item = self._extract(item)
            if item is None:
                return []
        cuts = [dict()] if self.sliding is None else self.sliding.cut(item['num_steps'])
        keys = ('video_name', 'duration', 'fps', 'stride', 'window', 'layout', 'feature_key',
                'feature_paths', 'stream_grids')
        base = dict({k: item[k] for k in keys if k in item}, class_agnostic=self.class_agnostic,
                    max_length_gap=self.spec.max_length_gap)
        if 'feats' not in item:
            return [self.pipeline(dict(base, **cut)) for cut in cuts]
        return [self._pack_array(item, base, cut) for cut in cuts]

    def _extract(self, item: dict) -> Optional[dict]:
        """Features of a video; None if it cannot be decoded, and is left out."""
        try:
            rows, grid, duration = self.extractor(item['path'])
        except ValueError as error:
            self.broken.append(broken_video(item['video_name'], item['path'], error))
            if self.skip_broken:
                return None
            raise TALDataError(self.broken, 'inference', SKIP_HINT) from error
        if self.in_channels is not None and rows.shape[1] != self.in_channels:
            raise ValueError(f'{item["path"]}: the feature extractor makes {rows.shape[1]} '
                             f'channels, but the model takes {self.in_channels}')
        item = dict(item, feats=rows, layout='time_major', fps=grid.fps, stride=grid.stride,
                    window=grid.window, duration=duration, num_steps=len(rows))
        self._check_length(item, [len(rows)], item['annotated'] or duration)
        return item

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
