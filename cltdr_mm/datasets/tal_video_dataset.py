"""Data sets of videos, whose frames a model is trained on."""
import os.path as osp
from typing import Any, Optional, Union

from mmaction.registry import DATASETS
from mmengine.logging import print_log

from ..utils import Problem, TALDataError, matching_name
from .annotation_checks import VideoAnnotation
from .frame_sampling import FrameSampling
from .labels.names import VIDEO_SUFFIXES
from .tal_dataset import TALDataset
from .video_checks import check_video_files
from .videos.sampled_frames import frames_within
from .videos.video_facts import list_videos

#: Arguments of TALDataset that say how features lie on disk.
_OF_FEATURES = ('file_suffix', 'feature_key', 'layout', 'feature_dim', 'check_features',
                'max_length_gap')


@DATASETS.register_module()
class TALVideoDataset(TALDataset):
    """Untrimmed videos as files of their frames, with labelled segments.

    Annotations, their checks and sliding windows are those of :class:`.TALDataset`. Of a video,
    frames are sampled at the rate ``fps``, which may differ from the file's, as
    :class:`.FrameSampling` says: ``frames_per_step`` for each step. A sample handed to the pipeline
    has, in place of what is said of features, ``video_path``, ``sampling`` (FrameSampling) and
    ``num_frames`` (of the video at that rate; None when videos are not checked).
    :class:`.SampleTALFrames` comes first in the pipeline.

    Args:
        ann_file (str): Annotation JSON.
        data_prefix (dict): ``video``: the folder of video files. Those in sub-folders have their
            path below the folder as their name, or, where that is but one file's, the name of the
            file alone. Any extension of a video will do. Defaults to ``dict(video='')``.
        feature_stride (int, optional): Frames from one step to the next, whatever entries of the
            annotation file say of features. Defaults to None: ``num_steps`` share every video.
        frames_per_step (int): Frames read for a step, of which ``feature_stride`` is a multiple.
            Defaults to 1.
        num_steps (int, optional): Steps of every video, without ``feature_stride``, as ActivityNet
            is resized. Defaults to None.
        feature_window (float): Twice the frames from a step's first frame to where the step is
            said to be. Defaults to 0: at its first frame, as published.
        window (dict, optional): See :class:`.TALDataset`; a float ``overlap`` leaves
            ``int(size * (1 - overlap))`` steps from a window to the next. Defaults to None.
        check_videos (str or bool): ``'full'`` reads the time stamps of all frames once, so that
            what is cut off or has a gap is found; ``'header'`` opens every file and decodes its
            first frame; False checks nothing but that the files are there. Defaults to ``'full'``.
        length_tolerance (float): Part of the duration by which a video may be longer or shorter,
            beside two steps. Defaults to 0.02.
        file_prefix, file_pattern (str): Name of a video file without its extension, see
            :class:`.TALDataset`.
        **kwargs: See :class:`.TALDataset`.

    Raises:
        ImportError: If videos are checked, and PyAV is not installed.
        TALDataError: If annotations or videos cannot be used, see ``on_error``.
        TypeError: If there is an argument that says how features lie on disk.
        ValueError: If an argument makes no sense.
    """

    DATA = 'video'

    def __init__(self,
                 ann_file: str,
                 data_prefix: dict = dict(video=''),  # noqa: B006  (as in the base; copied)
                 feature_stride: Optional[int] = None,
                 frames_per_step: int = 1,
                 num_steps: Optional[int] = None,
                 feature_window: float = 0.,
                 window: Optional[dict] = None,
                 check_videos: Union[str, bool] = 'full',
                 length_tolerance: float = 0.02,
                 **kwargs):
        foreign = sorted(set(kwargs) & set(_OF_FEATURES))
        if foreign:
            raise TypeError(f'{type(self).__name__} reads videos, it takes no {", ".join(foreign)}'
                            + ('; write check_videos' if 'check_features' in foreign else ''))
        if check_videos not in ('full', 'header', False):
            raise ValueError("check_videos must be 'full', 'header' or False, got "
                             f'{check_videos!r}')
        if not isinstance(data_prefix.get(self.DATA, ''), str):
            raise TypeError(f"data_prefix['video'] must be one folder, got {data_prefix!r}")
        self.sampling = FrameSampling(feature_stride, frames_per_step, num_steps, feature_window)
        if window and num_steps:
            raise ValueError('window cuts videos of a stride; num_steps makes one window of each')
        self.files: dict[str, Any] = {}
        super().__init__(ann_file, data_prefix=data_prefix, feature_stride=feature_stride,
                         window=_whole_steps(window), check_features=check_videos,
                         length_tolerance=length_tolerance, file_suffix='', **kwargs)

    def absent_data(self) -> list[Problem]:
        """List the files of the folder; what is wrong with it as a whole."""
        folder, = self.data_prefix[self.DATA]
        try:
            files = list_videos(folder or '.')
        except TALDataError as error:
            return error.problems
        # in folders of people or subsets, which names of videos do not mention
        alone: dict[str, Any] = {}
        for name, path in files.items():
            bare = name.rsplit('/', 1)[-1]
            alone[bare] = None if bare in alone else path
        self.files = {**alone, **files}
        return []

    def parse_data_info(self, raw_data_info: VideoAnnotation) -> dict:
        """Turn one checked annotation into a sample, see :meth:`.TALDataset.parse_data_info`."""
        info = super().parse_data_info(raw_data_info)
        folder, = self.data_prefix[self.DATA]
        path, = info.pop('feature_paths')
        name = osp.relpath(path, folder or '.').replace(osp.sep, '/')
        try:
            found = matching_name(name, self.files)
        except ValueError as error:
            raise TALDataError.of('videos', path, 'video', str(error),
                                  info['video_name']) from error
        if found is not None and self.files[found] is None:
            raise TALDataError.of('videos', path, 'video', 'several sub-folders have a file of '
                                  'this name', info['video_name'])
        if found is None:
            raise TALDataError.of('videos', path, 'video', 'there is no file of this name '
                                  f'({" ".join(VIDEO_SUFFIXES)})', info['video_name'])
        for key in ('feature_key', 'layout', 'max_length_gap'):
            del info[key]
        return dict(info, video_path=str(self.files[found]), sampling=self.sampling,
                    stride=self.sampling.stride, window=self.sampling.window,
                    num_frames=None)

    def cut(self, info: dict) -> list[dict]:
        """Cut a video's sample into its sliding windows, segments to what the frames show."""
        # a step shows the time from its first frame to that of the next step
        windows = super().cut(dict(info, window=info['stride']))
        return [dict(sample, window=info['window']) for sample in windows]

    def check_data(self, infos: list[dict]) -> tuple[list[dict], list[Problem]]:
        """Check the videos, see :meth:`.TALDataset.check_data`; adds ``num_frames``."""
        if self.check_features == 'full':
            print_log(f'{type(self).__name__}: reading the time stamps of {len(infos)} videos',
                      logger='current')
        lengths, problems = check_video_files(infos, self.feature_spec,
                                              self.check_features == 'full')
        checked = []
        for info, seconds in zip(infos, lengths):
            if seconds is not None:
                frames = frames_within(seconds, info['fps'])
                checked.append(dict(info, num_frames=frames,
                                    num_steps=self.sampling.total_steps(frames)))
        return checked, problems


def _whole_steps(window: Optional[dict]) -> Optional[dict]:
    """An overlap in steps, as published: int(size * (1 - overlap)) lie between two windows."""
    overlap = (window or {}).get('overlap', 0.5)
    if not window or 'size' not in window or not isinstance(overlap, float) or not 0 <= overlap < 1:
        return window  # whose errors the base raises
    size = window['size']
    return dict(window, overlap=size - max(1, int(size * (1 - overlap))))
