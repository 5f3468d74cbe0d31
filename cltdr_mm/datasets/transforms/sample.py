"""What the transforms share."""
import numpy as np
from mmcv.transforms import BaseTransform

GONE = '`feats` (C, T) is gone: write `rows` (T, C)'


class Sample(dict):
    """A sample of a pipeline, which knows a key that version 0.1.0 had."""

    def __getitem__(self, key):
        return super().__getitem__(key) if key != 'feats' else self.get(key)

    def get(self, key, default=None):
        """A value of the sample; raises TypeError if it is asked for ``feats``."""
        if key == 'feats' and key not in self:
            raise TypeError(GONE)
        return super().get(key, default)


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
        raise TypeError(f'{type(transform).__name__}: {GONE}')
    return results['rows']
