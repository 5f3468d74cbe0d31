"""Segments from curves of where actions start and end."""
import numpy as np


def boundary_proposals(start: np.ndarray, end: np.ndarray,
                       threshold: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Pair likely starts with likely ends.

    A step is likely if its probability is a local maximum or above ``threshold`` times the
    largest one; the first and the last step always are. A pair scores the product of both.
    Source: BSN (Lin et al., ECCV 2018), sec. 3.3, proposal generation.

    Args:
        start (np.ndarray): (T,) probability that an action starts at a step.
        end (np.ndarray): (T,) the same for ends.
        threshold (float): See above. Defaults to 0.5.

    Returns:
        tuple[np.ndarray, np.ndarray]: (M, 2) float32 in [0, 1], from middle of a step to middle
        of a later one, and (M,) float32 scores.
    """

    def likely(curve: np.ndarray) -> np.ndarray:
        padded = np.pad(curve, 1, constant_values=np.inf)
        peak = (curve > padded[:-2]) & (curve > padded[2:])
        peak |= curve > threshold * curve.max()
        peak[[0, -1]] = True
        return np.flatnonzero(peak)

    first, last = (grid.ravel() for grid in np.meshgrid(likely(start), likely(end)))
    first, last = first[first < last], last[first < last]
    segments = (np.stack([first, last], axis=1) + 0.5) / len(start)
    return segments.astype(np.float32), (start[first] * end[last]).astype(np.float32)
