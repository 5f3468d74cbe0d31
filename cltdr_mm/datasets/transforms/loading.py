"""Reads the features of one sample."""
import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from ...utils import TALDataError
from ..feature_files import FeatureFileError, as_float32, find_nonfinite, open_feature
from ..feature_names import per_folder
from ..windows import sample_grid


@TRANSFORMS.register_module()
class LoadTALFeature(BaseTransform):
    """Load features, concatenate their folders, and move segments from seconds to grid steps.

    Required keys: ``video_name``, ``feature_paths``, ``duration``, ``fps``, ``stride``,
    ``window``. Optional keys: ``feature_key`` (one for all paths, or a list of one each),
    ``layout`` (``'time_major'``), ``max_length_gap`` (2), ``window_start`` and ``window_size`` for
    one window of a video, ``gt_segments`` in seconds (without it, as in inference, none is made).

    Added keys: ``feats`` float32 (C, T), ``grid`` (FeatureGrid); ``gt_segments`` becomes float32
    (N, 2) in grid steps.

    Raises:
        TALDataError: If a file is missing, damaged, empty or holds NaN or inf, or the folders
            disagree in length. A dataset that checks its features finds this before training.
    """

    def transform(self, results: dict) -> dict:
        """Load one sample.

        Args:
            results (dict): See the class.

        Returns:
            dict: The same dict with the added keys.
        """
        paths = results['feature_paths']
        keys = per_folder(results.get('feature_key'), len(paths), 'feature_key')
        layout = results.get('layout', 'time_major')
        start, stop = results.get('window_start', 0), None
        if 'window_size' in results:
            stop = start + results['window_size']
        parts, lengths = [], []
        for path, key in zip(paths, keys):
            try:
                array = open_feature(path, key, layout)
                lengths.append(len(array))
                parts.append(as_float32(array[start:stop]))
            except FeatureFileError as error:
                raise self._error(results, path, 'feature', str(error)) from error
            where = find_nonfinite(parts[-1])
            if where is not None:
                raise self._error(results, path, 'feature values', 'NaN or inf at step '
                                  f'{start + where[0]}, channel {where[1]}')
        total = min(lengths)
        if total == 0:
            raise self._error(results, paths[0], 'feature length', 'the file has no steps')
        if max(lengths) - total > results.get('max_length_gap', 2):
            raise self._error(results, ', '.join(paths), 'feature length',
                              f'the folders disagree: {lengths} steps')
        feats = self._join(parts)
        grid = sample_grid(results, total)
        if start or feats.shape[1] < total:
            grid = grid.crop(start, feats.shape[1])
        results['feats'], results['grid'] = feats, grid
        if 'gt_segments' in results:
            segments = np.asarray(results['gt_segments'], dtype=np.float64).reshape(-1, 2)
            results['gt_segments'] = grid.to_grid(segments).astype(np.float32)
        return results

    @staticmethod
    def _join(parts: list[np.ndarray]) -> np.ndarray:
        """(T_i, C_i) arrays -> (sum C_i, min T_i)."""
        steps = min(len(part) for part in parts)
        feats = np.empty((sum(part.shape[1] for part in parts), steps), dtype=np.float32)
        row = 0
        for part in parts:
            feats[row:row + part.shape[1]] = part[:steps].T
            row += part.shape[1]
        return feats

    @staticmethod
    def _error(results: dict, path: str, field: str, message: str) -> TALDataError:
        return TALDataError.of('loading', path, field, message, results['video_name'])
