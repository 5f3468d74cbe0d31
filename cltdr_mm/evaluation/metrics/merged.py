"""From the predictions of a Runner's samples to the detections of a data set."""
from collections.abc import Mapping, Sequence
from typing import Any, Optional

import numpy as np
import torch
from mmengine.structures import InstanceData

from ...structures import merge_windows
from ..structures import Detections

_COLUMNS = ('segments', 'scores', 'labels')


def merged_detections(windows: Mapping[str, Mapping[int, dict]],
                      names: Sequence[str],
                      postprocessor: Optional[Any] = None) -> tuple[Detections, bool]:
    """Put the windows of every video together.

    Args:
        windows (Mapping[str, Mapping[int, dict]]): By video and position of the window:
            ``segments`` (M, 2), ``scores`` (M,), ``labels`` (M,), which proposals do without, and
            ``duration`` in seconds.
        names (Sequence[str]): Videos in the order wanted; of some there may be nothing.
        postprocessor (Any, optional): See :func:`.merge_windows`. Defaults to None.

    Returns:
        tuple[Detections, bool]: Detections by video, each video's by score, ``videos`` being
        positions in ``names``; and whether they have labels. Without, all labels are 0.
    """
    merged = []
    for name in names:
        parts = [part for _, part in sorted(windows.get(name, {}).items())]
        merged.append(None if not parts else merge_windows(
            [InstanceData(**{key: torch.from_numpy(part[key]) for key in _COLUMNS if key in part})
             for part in parts],
            dict(video_name=name, duration=parts[0]['duration']), postprocessor))
    labelled = all('labels' in instances for instances in merged if instances is not None)
    columns = [(np.zeros((0, 2)), np.zeros(0), *np.zeros((2, 0), dtype=np.int64))]
    for v, instances in enumerate(merged):
        if instances is not None:
            labels = instances.labels if labelled else np.zeros(len(instances))
            columns.append((to_array(instances.segments, np.float64),
                            to_array(instances.scores, np.float64), to_array(labels, np.int64),
                            np.full(len(instances), v, dtype=np.int64)))
    return Detections(*map(np.concatenate, zip(*columns))), labelled


def check_values(detections: Detections, names: Sequence[str],
                 num_classes: Optional[int] = None) -> None:
    """Refuse detections that nobody can judge.

    Args:
        detections (Detections): As :func:`merged_detections` gives them.
        names (Sequence[str]): Its videos.
        num_classes (int, optional): Number of classes. Defaults to None: labels do not count.

    Raises:
        ValueError: If a number is not finite or a label no class; names the first such video.
    """
    bad = ~detections.finite
    if bad.any():
        raise ValueError(f"TALMetric: predictions of video '{names[detections.videos[bad][0]]}'"
                         ' hold NaN or infinity')
    if num_classes is None:
        return
    bad = (detections.labels < 0) | (detections.labels >= num_classes)
    if bad.any():
        video = detections.videos[bad][0]
        labels = detections.labels[detections.videos == video]
        raise ValueError(f"TALMetric: video '{names[video]}' has predicted labels from "
                         f'{labels.min()} to {labels.max()}, but there are {num_classes} classes')


def to_array(values: Any, dtype: Optional[type] = None) -> np.ndarray:
    """Tensor or array as an array on the CPU."""
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu()
        values = (values.float() if values.dtype == torch.bfloat16 else values).numpy()
    return np.asarray(values, dtype=dtype)


def missing_windows(windows: Mapping[str, Mapping[int, dict]],
                    names: Sequence[str]) -> list[str]:
    """List what has no prediction.

    Args:
        windows (Mapping[str, Mapping[int, dict]]): By video and position of the window; each says
            ``num_windows`` of its video.
        names (Sequence[str]): Videos that there should be.

    Returns:
        list[str]: Videos, and windows of those that have some.
    """
    missing = [name for name in names if name not in windows]
    return missing + [
        f'{name} (window {index})' for name, parts in windows.items()
        for index in range(next(iter(parts.values()))['num_windows']) if index not in parts]


def listing(names: Sequence[str]) -> str:
    """The first ten of some names, for a message, and how many more there are."""
    return ', '.join(names[:10]) + (f' and {len(names) - 10} more' if len(names) > 10 else '')
