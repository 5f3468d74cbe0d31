"""The dataset class of all benchmarks and of a user's own data."""
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Optional, Union

import numpy as np
from mmaction.registry import DATASETS, TRANSFORMS
from mmengine.dataset import BaseDataset
from mmengine.fileio import join_path
from mmengine.logging import print_log
from mmengine.utils import is_abs

from ..utils import Problem, TALDataError, report_problems
from .annotation_checks import VideoAnnotation
from .annotations import load_annotations, read_class_file
from .feature_checks import FeatureSpec, absent_folders, check_features
from .feature_source import FeatureSource
from .feature_streams import Numbers
from .sample_filter import training_samples
from .windows import WindowSettings, cut_windows


@DATASETS.register_module()
class TALDataset(BaseDataset):
    """Untrimmed videos as feature sequences with labelled segments.

    Annotations and features are checked when the dataset is built, before any training: see
    ``docs/datasets/custom.md`` for the list. A sample handed to the pipeline is a dict with
    ``video_name``, ``subset``, ``duration`` (s), ``fps``, ``stride`` and ``window`` (frames;
    both None with ``feature_stride=None``), ``feature_paths`` and ``feature_key`` (a list each,
    one per folder), ``layout``, ``num_steps`` (None when features are not checked),
    ``class_agnostic``, ``gt_segments`` (N, 2) float64 in seconds, ``gt_labels`` (N,) int64; with
    sliding windows also ``window_start``, ``window_size`` (steps), ``window_index`` and
    ``num_windows``. Annotations of the class's ``IGNORED_LABELS`` are left out, and counted in
    the log.

    Args:
        ann_file (str): Annotation JSON, see :mod:`cltdr_mm.datasets.annotations`.
        data_prefix (dict): ``feats``: the folder of feature files, or a list of folders whose
            features are concatenated along channels (RGB and flow), or an HDF5 file that holds
            one data set per video. Defaults to ``dict(feats='')``.
        feature_stride (float or Sequence[float], optional): Frames between two feature steps.
            Defaults to None: what the manifest beside the features says; without one, they were
            resampled to a fixed length, and share the video evenly. An entry may have its own. A
            list has one for each folder: the grid is the first one's, and the others are
            interpolated at the times of its steps.
        feature_window (float or Sequence[float], optional): Frames that one step sees, which lies
            in their middle; 0 puts step t at frame t * stride. Defaults to None: the manifest's,
            else as many as the stride. An entry may have its own. A list as of the strides.
        subset (str or Sequence[str], optional): Subsets of the annotation file to use. Defaults
            to None: all videos.
        fps (float, optional): Frame rate at which features were taken, for all videos, whatever
            the annotation file says. Defaults to None: the manifest's, else the entry's own.
        default_fps (float, optional): Frame rate of entries that have none. Defaults to None.
        file_prefix (str or Sequence[str]): Fills ``{prefix}``; this and the next three are one
            for all folders, or a list of one per folder. Defaults to ''.
        file_suffix (str or Sequence[str]): Fills ``{suffix}``; the extension is part of it.
            Defaults to '.npy'.
        file_pattern (str or Sequence[str]): Name of a feature file within its folder, or of a
            data set within an HDF5 file for all videos (there the suffix defaults to '').
            Defaults to ``'{prefix}{video}{suffix}'``.
        feature_key (str or Sequence[str], optional): Array within files that hold several.
            Defaults to None.
        layout (str): ``'time_major'`` for (T, C) on disk, ``'channel_major'`` for (C, T).
            Defaults to ``'time_major'``.
        feature_dim (int, optional): Channels expected, all folders together. Defaults to None:
            what most videos have.
        class_agnostic (bool): Whether every label becomes 0. What a model finds in such samples
            is a proposal, without a class unless ``fusion`` of a post-processor brings one.
            Defaults to False.
        window (dict, optional): Sliding windows for very long videos: ``size`` in steps,
            ``overlap`` in steps (int) or as part of the size (float, default 0.5),
            ``min_visible`` part of a segment's length that a window must show to keep it
            (default 0.5). Each window is a sample. Defaults to None.
        on_error (str): ``'raise'`` reports all problems in one error; ``'skip'`` leaves the
            videos or annotations concerned out and logs a table of them. Defaults to
            ``'raise'``.
        check_features (str or bool): ``'full'`` reads every feature file once, also for NaN and
            inf; ``'header'`` checks presence, channels and length; False checks nothing but
            what loading meets. Defaults to ``'full'``.
        duration_tolerance (float, optional): Seconds by which a segment may leave the video.
            Defaults to None: the class's ``DURATION_TOLERANCE``.
        length_tolerance (float): Part of the duration by which the features may cover more or
            less, beside a stride and a window (two strides, where those are longer). Defaults
            to 0.1.
        max_length_gap (int): Steps by which the folders of one video may differ; they are cut
            to the shortest. Defaults to 2.
        exempt_videos (Sequence[str], optional): Videos with known errors in the published
            annotations, whose segments and feature length are not held against the duration.
            Defaults to None: the class's ``EXEMPT_VIDEOS``.
        check_label_id (bool): Whether ``label_id`` must agree with the classes. Defaults to
            True.
        filter_cfg (dict, optional): For training: ``filter_empty_gt`` drops samples without a
            segment (default True), ``min_steps`` drops shorter feature sequences (default 1),
            ``min_part`` drops segments that are no longer than this part of their video (default
            0).
        metainfo (dict, optional): ``classes`` may be left out when the annotation file lists
            them itself. This and all others are those of :class:`mmengine.dataset.BaseDataset`.

    Raises:
        TALDataError: If annotations or features cannot be used, see ``on_error``.
        ValueError: If an argument makes no sense.
    """

    METAINFO: dict = dict()
    DURATION_TOLERANCE: float = 0.1
    EXEMPT_VIDEOS: Sequence[str] = ()
    IGNORED_LABELS: Sequence[str] = ()
    DATA: str = 'feats'  # what data_prefix says the folder of

    def __init__(self,
                 ann_file: str,
                 data_prefix: dict = dict(feats=''),  # noqa: B006  (as in the base; copied)
                 feature_stride: Numbers = None,
                 feature_window: Numbers = None,
                 subset: Union[str, Sequence[str], None] = None,
                 fps: Optional[float] = None,
                 default_fps: Optional[float] = None,
                 file_prefix: Union[str, Sequence[str]] = '',
                 file_suffix: Union[str, Sequence[Optional[str]], None] = None,
                 file_pattern: Union[str, Sequence[str]] = '{prefix}{video}{suffix}',
                 feature_key: Union[str, Sequence[Optional[str]], None] = None,
                 layout: str = 'time_major',
                 feature_dim: Optional[int] = None,
                 class_agnostic: bool = False,
                 window: Optional[dict] = None,
                 on_error: str = 'raise',
                 check_features: Union[str, bool] = 'full',
                 duration_tolerance: Optional[float] = None,
                 length_tolerance: float = 0.1,
                 max_length_gap: int = 2,
                 exempt_videos: Optional[Sequence[str]] = None,
                 check_label_id: bool = True,
                 metainfo: Optional[dict] = None,
                 data_root: Optional[str] = '',
                 filter_cfg: Optional[dict] = None,
                 indices: Union[int, Sequence[int], None] = None,
                 serialize_data: bool = True,
                 pipeline: Sequence[Union[dict, Callable]] = (),
                 test_mode: bool = False,
                 lazy_init: bool = False,
                 max_refetch: int = 1000):
        if check_features not in ('full', 'header', False):
            raise ValueError("check_features must be 'full', 'header' or False, got "
                             f'{check_features!r}')
        if on_error not in ('raise', 'skip'):
            raise ValueError(f"on_error must be 'raise' or 'skip', got {on_error!r}")
        self.subset, self.class_agnostic = subset, class_agnostic
        self.source = FeatureSource(
            stride=feature_stride, window=feature_window, fps=fps, default_fps=default_fps,
            layout=layout, prefix=file_prefix, suffix=file_suffix, pattern=file_pattern,
            key=feature_key)
        self.window = WindowSettings.from_cfg(window)
        self.on_error, self.check_features = on_error, check_features
        exempt = tuple(self.EXEMPT_VIDEOS if exempt_videos is None else exempt_videos)
        tolerance = self.DURATION_TOLERANCE if duration_tolerance is None else duration_tolerance
        self.annotation_checks = dict(
            fps=fps, default_fps=default_fps, duration_tolerance=tolerance,
            exempt_videos=exempt, check_label_id=check_label_id,
            require_annotations=not test_mode, ignored_labels=self.IGNORED_LABELS)
        self.feature_spec = FeatureSpec(
            layout=layout, feature_dim=feature_dim, length_tolerance=length_tolerance,
            max_length_gap=max_length_gap, exempt_videos=exempt)
        # Built here, not by the base, so that the steps are found without a default scope too.
        steps = [TRANSFORMS.build(step) if isinstance(step, dict) else step for step in pipeline]
        super().__init__(
            ann_file=ann_file, metainfo=metainfo, data_root=data_root, data_prefix=data_prefix,
            filter_cfg=filter_cfg, indices=indices, serialize_data=serialize_data,
            pipeline=steps, test_mode=test_mode, lazy_init=lazy_init,
            max_refetch=max_refetch)

    @classmethod
    def _load_metainfo(cls, metainfo: Optional[dict] = None) -> dict:
        """As the base, which would take a word that names no file for a list of letters."""
        classes = metainfo.get('classes') if isinstance(metainfo, Mapping) else None
        if isinstance(classes, str):
            metainfo = dict(metainfo, classes=read_class_file(classes))
        return super()._load_metainfo(metainfo)

    def _join_prefix(self) -> None:
        """Join ``data_root`` with ``ann_file`` and every folder; say how files are named there."""
        def joined(path: str) -> str:
            return path if is_abs(path) or not self.data_root else join_path(self.data_root, path)

        unknown = set(self.data_prefix) - {self.DATA}
        if unknown:
            raise ValueError(f'data_prefix takes {self.DATA}, got {sorted(unknown)}')
        folders = self.data_prefix.get(self.DATA, '')
        folders = [folders] if isinstance(folders, str) else folders
        if (not isinstance(folders, (list, tuple)) or not folders
                or not all(isinstance(folder, str) for folder in folders)):
            raise TypeError(f'data_prefix[{self.DATA!r}] must be a folder or a list of folders, '
                            f'got {self.data_prefix.get(self.DATA)!r}')
        self.ann_file = joined(self.ann_file)
        folders = self.data_prefix[self.DATA] = [joined(folder) for folder in folders]
        self.feature_names = self.source.names(folders)
        self.source = self.source.with_manifests(folders)
        self.annotation_checks.update(fps=self.source.fps, rates=self.source.rates)
        if self.source.settings is not None:  # kept in checkpoints
            self._metainfo['features'] = self.source.settings

    def load_data_list(self) -> list[dict]:
        """Read, check and (with sliding windows) cut up all videos of the subset.

        Returns:
            list[dict]: One dict per sample, see the class.

        Raises:
            TALDataError: If ``on_error`` is ``'raise'`` and something is wrong.
        """
        videos, problems, classes = load_annotations(
            self.ann_file, self._metainfo.get('classes'), self.subset, **self.annotation_checks)
        self._metainfo.setdefault('classes', classes)
        title = f'{type(self).__name__} {self.ann_file}'
        ignored = sum((Counter(video.ignored) for video in videos), Counter())
        for label, count in ignored.items():
            print_log(f'{type(self).__name__} {self.ann_file}: {count} annotations labelled '
                      f"'{label}' are left out: it is no class", logger='current')
        absent = self.absent_data()
        if absent:
            raise TALDataError(problems + absent, title)
        # A bad annotation spoils no feature: check both, so that one run reports everything.
        infos = []
        for video in videos:
            try:
                infos.append(self.parse_data_info(video))
            except TALDataError as error:
                problems += [replace(problem, file=self.ann_file)
                             if problem.field == 'video name' else problem
                             for problem in error.problems]
        if self.check_features or self.window:
            infos, bad = self.check_data(infos)
            problems += bad
        report_problems(problems, self.on_error, title)
        if self.window:
            infos = [sample for info in infos for sample in self.cut(info)]
        return infos

    def absent_data(self) -> list[Problem]:
        """Say which folders are not there; a problem each, not one each video."""
        return absent_folders(self.data_prefix[self.DATA]) if self.check_features else []

    def check_data(self, infos: list[dict]) -> tuple[list[dict], list[Problem]]:
        """Check the files of videos.

        Args:
            infos (list[dict]): From :meth:`parse_data_info`.

        Returns:
            tuple: Those that can be used, with ``num_steps``; and what is wrong with others.
        """
        full = self.check_features == 'full'
        if full:
            print_log(f'{type(self).__name__}: reading the features of {len(infos)} videos '
                      'in search of NaN and inf', logger='current')
        steps, bad = check_features(infos, self.feature_spec, full)
        return [dict(info, num_steps=n) for info, n in zip(infos, steps) if n is not None], bad

    def cut(self, info: dict) -> list[dict]:
        """Cut a video's sample into its sliding windows, see :func:`.cut_windows`."""
        return cut_windows(info, self.window)

    def parse_data_info(self, raw_data_info: VideoAnnotation) -> dict:
        """Turn one checked annotation into a sample.

        Args:
            raw_data_info (VideoAnnotation): From the annotation file.

        Returns:
            dict: See the class.

        Raises:
            TALDataError: If its name cannot name its files, see :meth:`.FeatureNames.locate`.
        """
        video = raw_data_info
        paths, keys = self.feature_names.locate(video.video_name)
        stride, window = self.source.timing(video, self.ann_file)
        labels = np.zeros_like(video.labels) if self.class_agnostic else video.labels
        return dict(
            video_name=video.video_name, subset=video.subset, duration=video.duration,
            fps=video.fps, stride=stride, window=window, feature_paths=paths,
            feature_key=keys, layout=self.source.layout, num_steps=None,
            stream_grids=self.source.streams,
            max_length_gap=self.feature_spec.max_length_gap, class_agnostic=self.class_agnostic,
            gt_segments=video.segments, gt_labels=labels)

    def filter_data(self) -> list[dict]:
        """Drop samples that ``filter_cfg`` asks to drop; none in test mode.

        Returns:
            list[dict]: The samples that stay.

        Raises:
            ValueError: If ``filter_cfg`` has an unknown key, no sample stays, or none came.
        """
        if not self.data_list:
            raise ValueError(f'{self.ann_file}: no sample is left: no video of subset '
                             f'{self.subset!r} passed the checks')
        if self.test_mode:
            return self.data_list
        kept = training_samples(self.data_list, self.filter_cfg, type(self).__name__)
        if not kept:
            raise ValueError(f'{self.ann_file}: no sample is left to train on')
        return kept

    def get_cat_ids(self, idx: int) -> list[int]:
        """Labels of one sample, as ``ClassBalancedDataset`` wants them.

        Args:
            idx (int): Position of the sample.

        Returns:
            list[int]: Different labels in the sample.
        """
        return sorted(set(self.get_data_info(idx)['gt_labels'].tolist()))
