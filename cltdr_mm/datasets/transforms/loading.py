"""Reads the features of one sample."""
import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from ...utils import TALDataError
from ..feature_files import FeatureFileError, open_feature
from ..feature_names import per_folder
from ..feature_streams import aligned_rows, aligned_steps
from ..feature_values import as_rows, find_nonfinite
from ..windows import sample_grid
from .sample import Sample


@TRANSFORMS.register_module()
class LoadTALFeature(BaseTransform):
    """Load features, concatenate their folders, and move segments from seconds to grid steps.

    Required keys: ``video_name``, ``feature_paths``, ``duration``, ``fps``, ``stride``,
    ``window``. Optional keys: ``feature_key`` (one for all paths, or a list of one each),
    ``layout`` (``'time_major'``), ``max_length_gap`` (2), ``window_start`` and ``window_size`` for
    one window of a video, ``stream_grids``, stride and window of each path where they differ
    (``stride`` and ``window`` are the first one's then), ``gt_segments`` in seconds (without it,
    as in inference, none is made).

    Added keys: ``rows`` float32 (T, C), C-contiguous, ``grid`` (FeatureGrid); ``gt_segments``
    becomes float32 (N, 2) in grid steps.

    Raises:
        TALDataError: If a file is missing, damaged, empty or holds NaN or inf, or the folders
            disagree in length. A dataset that checks its features finds this before training.
    """

    def transform(self, results: dict) -> dict:
        """Load one sample.

        Args:
            results (dict): See the class.

        Returns:
            dict: The sample with the added keys.
        """
        arrays, total = self._open(results)
        start, stop = results.get('window_start', 0), total
        if 'window_size' in results:
            stop = min(start + results['window_size'], total)
        # A window of an array that had to be read whole is copied, or it would keep all of it.
        grids = results.get('stream_grids') or [None] * len(arrays)
        rows = as_rows([aligned_rows(array, grid, grids[0], start, stop)
                        for array, grid in zip(arrays, grids)], copy=stop - start < total)
        self._check_values(results, arrays, rows, start)
        grid = sample_grid(results, total)
        if len(rows) < total:
            grid = grid.crop(start, len(rows))
        results['rows'], results['grid'] = rows, grid
        if 'gt_segments' in results:
            segments = np.asarray(results['gt_segments'], dtype=np.float64).reshape(-1, 2)
            results['gt_segments'] = grid.to_grid(segments).astype(np.float32)
        return Sample(results)

    def _open(self, results: dict) -> tuple[list[np.ndarray], int]:
        """The (T_i, C_i) array of every folder, and the steps that all of them have."""
        paths = results['feature_paths']
        keys = per_folder(results.get('feature_key'), len(paths), 'feature_key')
        layout = results.get('layout', 'time_major')
        # What is cut or laid beside others is copied anyway; the rest is used as it is read.
        mapped = 'window_size' in results or len(paths) > 1
        arrays = []
        for path, key in zip(paths, keys):
            try:
                arrays.append(open_feature(path, key, layout, mapped))
            except FeatureFileError as error:
                raise self._error(results, path, 'feature', str(error)) from error
        lengths = aligned_steps([len(array) for array in arrays], results.get('stream_grids'))
        total = min(lengths)
        if total == 0:
            raise self._error(results, paths[0], 'feature length', 'the file has no steps')
        if max(lengths) - total > results.get('max_length_gap', 2):
            raise self._error(results, ', '.join(paths), 'feature length',
                              f'the folders disagree: {lengths} steps')
        return arrays, total

    def _check_values(self, results: dict, arrays: list[np.ndarray], rows: np.ndarray,
                      start: int) -> None:
        """Refuse NaN and inf, which are at a step and channel of one folder's file."""
        where = find_nonfinite(rows)
        if where is None:
            return
        step, channel = where
        for path, array in zip(results['feature_paths'], arrays):
            if channel < array.shape[1]:
                raise self._error(results, path, 'feature values', 'NaN or inf at step '
                                  f'{start + step}, channel {channel}')
            channel -= array.shape[1]

    @staticmethod
    def _error(results: dict, path: str, field: str, message: str) -> TALDataError:
        return TALDataError.of('loading', path, field, message, results['video_name'])
