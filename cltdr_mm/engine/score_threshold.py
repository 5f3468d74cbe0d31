"""From which score on the detections of a checkpoint are worth keeping.

Measured by the validation of a training, kept in the checkpoint by :class:`.TALCheckpointHook`.
"""
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional, Union

from .checkpoint_io import load_from_local

#: Where the ``meta`` of a checkpoint has it.
THRESHOLD = 'score_threshold'
#: What metrics call it, perhaps behind a prefix.
MEASURE = 'f1_threshold'


def checkpoint_score_threshold(path: Union[str, Path]) -> float:
    """Read the score of best F1 on the validation set, measured with the weights of a checkpoint.

    Args:
        path (str or Path): Checkpoint of this machine.

    Returns:
        float: Detections with this score or a higher one are kept; 0 where the validation found
        nothing that was right.

    Raises:
        FileNotFoundError: If there is no such file.
        TALDataError: If it cannot be loaded.
        ValueError: If the checkpoint has no threshold: it was never validated.
    """
    checkpoint = load_from_local(str(path), map_location='cpu', lazy=True)
    meta = checkpoint.get('meta') if isinstance(checkpoint, Mapping) else None
    value = meta.get(THRESHOLD) if isinstance(meta, Mapping) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f'{path}: was never validated, so that no threshold of its scores is '
                         'known; give one as a number (a test prints that of best F1)')
    return float(value)


def threshold_of(metrics: Mapping[str, Any]) -> Optional[float]:
    """Find the threshold among what was measured.

    Args:
        metrics (Mapping[str, Any]): By name, as the hooks of a Runner get them.

    Returns:
        Optional[float]: The first one; None if no metric measures it.
    """
    for name, value in metrics.items():
        if name.rpartition('/')[2] == MEASURE:
            return float(value)
    return None
