"""What the transforms share."""
import numpy as np
from mmcv.transforms import BaseTransform


def sample_rows(results: dict, transform: BaseTransform) -> np.ndarray:
    """Features of a sample.

    Args:
        results (dict): The sample.
        transform (BaseTransform): Who asks, for the error.

    Returns:
        np.ndarray: ``rows`` (T, C).

    Raises:
        TypeError: If there is a key ``feats``: written for version 0.1.0, it would be ignored.
        KeyError: If there is no key ``rows``.
    """
    if 'feats' in results:
        raise TypeError(f'{type(transform).__name__}: `feats` (C, T) is gone since 0.2.0: '
                        'write `rows` (T, C)')
    return results['rows']
