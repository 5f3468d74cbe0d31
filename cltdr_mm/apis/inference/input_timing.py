"""Finds out durations and frame rates of inputs: from annotation files, and from their videos."""
import os
from collections.abc import Mapping
from typing import Optional

import numpy as np

from ...datasets.annotation_checks import VideoAnnotation
from ...datasets.annotations import load_timing, read_annotation_file
from ...datasets.videos.video_frames import check_video, frame_rate
from ...utils import matching_name


def known_timing(rates: Mapping[str, Optional[float]],
                 videos: Mapping[str, str],
                 annotations: Optional[str] = None,
                 ann_file: Optional[str] = None,
                 default_fps: Optional[float] = None) -> dict[str, VideoAnnotation]:
    """Gather what is known of inputs besides their features.

    Args:
        rates (Mapping[str, Optional[float]]): Inputs by name, with the frame rate that goes before
            all others, None where there is none.
        videos (Mapping[str, str]): Video files of inputs that are features, by name.
        annotations (str, optional): Annotation file, which must know all of them. Defaults to
            None: ``ann_file`` for those without a rate that it knows.
        ann_file (str, optional): Annotation file of the config, which need not be there. Defaults
            to None.
        default_fps (float, optional): Frame rate where annotations say none. Defaults to None.

    Returns:
        dict[str, VideoAnnotation]: By name, without segments; without the inputs of which nothing
        is known.

    Raises:
        ImportError: If a video has to be read, and PyAV is not installed.
        TALDataError: If an annotation file cannot be used, or an input is not in it.
        ValueError: If a video cannot be used; names it.
    """
    wanted = dict(rates)
    if annotations is None and ann_file and os.path.isfile(ann_file):
        unknown = [name for name, rate in rates.items() if rate is None]
        database = read_annotation_file(ann_file)['database'] if unknown else {}
        wanted = {name: None for name in unknown if matching_name(name, database) is not None}
        annotations = ann_file if wanted else None
    found = {} if annotations is None else load_timing(str(annotations), wanted, default_fps)
    for name, video in videos.items():
        if name not in found:
            fps = rates[name] or default_fps or frame_rate(video)
            found[name] = VideoAnnotation(name, '', check_video(video), fps, None, None,
                                          np.zeros((0, 2)), np.zeros(0, np.int64))
    return found
