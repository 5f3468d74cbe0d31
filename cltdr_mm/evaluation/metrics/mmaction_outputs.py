"""What MMAction2's localizers return, as samples with predictions."""
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...structures import boundary_proposals

#: Metainfo of a sample by which the curves of TEM come to seconds.
DURATIONS = ('duration_second', 'duration_frame', 'feature_frame')


def with_instances(output: Any, data_samples: Sequence) -> Any:
    """Give one output of a localizer ``pred_instances``, if it has none.

    BMN and TCANet return a dict with ``proposal_list``; TEM a name and the curves (T, 5) of action,
    start, end and steps, of which BSN's rule makes proposals.

    Args:
        output (dict or tuple): A sample with ``pred_instances``, or what one of them returns.
        data_samples (Sequence): Data samples of the batch; TEM's has :data:`DURATIONS` in its
            metainfo.

    Returns:
        dict: With ``video_name`` and ``pred_instances``: ``segments`` (M, 2) in seconds and
        ``scores`` (M,); an output that is none of these stays as it is.

    Raises:
        ValueError: If TEM's sample says no durations.
    """
    if isinstance(output, tuple) and len(output) == 2:
        name, curves = output
        segments, scores = boundary_proposals(curves[:, 1], curves[:, 2])
        segments = segments * _covered_seconds(name, data_samples)
    elif 'proposal_list' in output and 'pred_instances' not in output:
        name, found = output['video_name'], output['proposal_list']
        segments = np.array([proposal['segment'] for proposal in found], dtype=np.float64)
        scores = np.array([proposal['score'] for proposal in found], dtype=np.float64)
    else:
        return output
    return dict(video_name=name, pred_instances=dict(segments=segments, scores=scores))


def _covered_seconds(name: str, data_samples: Sequence) -> float:
    """Seconds of a video that its features cover."""
    sample = next(sample for sample in data_samples if sample.get('video_name') == name)
    missing = [key for key in DURATIONS if key not in sample]
    if missing:
        raise ValueError(f"TEM gives fractions of video '{name}', whose metainfo lacks "
                         f'{", ".join(missing)}: add them to meta_keys of PackLocalizationInputs')
    seconds, frames, covered = (sample.get(key) for key in DURATIONS)
    return covered / frames * seconds
