"""Proposals from result files, for localizers that refine them."""
from collections.abc import Sequence
from typing import Optional, Union

import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from ...utils import TALDataError, read_result_file


@TRANSFORMS.register_module()
class LoadTALProposals(BaseTransform):
    """Look up the proposals of a video, as fractions of its feature sequence.

    Step t of T stands for the part [t / T, (t + 1) / T] of the sequence, so that grid position g
    is the fraction (g + 0.5) / T: this transform comes after all that change ``grid``. Proposals
    are clipped to the sequence, and those that lie outside are dropped.

    Required keys: ``video_name``, ``grid``. Added key: ``proposals`` float32 (P, 3), start, end
    and score, best first. A video that has an entry but no proposals is one itself:
    ``[[0, 1, 1]]``.

    Args:
        proposal_files (str or Sequence[str]): Result files in ActivityNet's layout (seconds) that
            together hold all videos; of a video in several, the last file counts. Each process
            reads them once, when it meets its first sample.
        max_proposals (int): The best of a video that are kept. Defaults to 100.

    Raises:
        TALDataError: If a file is no result file, a proposal is malformed, or a video is in none.
        ValueError: If there is no file or ``max_proposals`` is not positive.
    """

    def __init__(self, proposal_files: Union[str, Sequence[str]], max_proposals: int = 100):
        files = [proposal_files] if isinstance(proposal_files, str) else proposal_files
        if not files:
            raise ValueError('proposal_files must name a result file')
        if max_proposals < 1:
            raise ValueError(f'max_proposals must be positive, got {max_proposals}')
        self.proposal_files = tuple(files)
        self.max_proposals = max_proposals
        self._tables: Optional[dict[str, np.ndarray]] = None

    def transform(self, results: dict) -> dict:
        """Add the proposals of one sample.

        Args:
            results (dict): See the class.

        Returns:
            dict: The same dict with the added key.
        """
        if self._tables is None:
            self._tables = self._read()
        name, grid = results['video_name'], results['grid']
        if name not in self._tables:
            raise TALDataError.of('proposals', ', '.join(self.proposal_files), 'results',
                                  'no entry for this video', name)
        table = self._tables[name]
        fractions = (grid.to_grid(table[:, :2]) + 0.5) / grid.num_steps
        rows = np.concatenate([fractions.clip(0, 1), table[:, 2:]], axis=1).astype(np.float32)
        rows = rows[rows[:, 1] > rows[:, 0]]
        results['proposals'] = rows if len(rows) else np.array([[0, 1, 1]], np.float32)
        return results

    def _read(self) -> dict[str, np.ndarray]:
        """Per video (P, 3) float64: start and end in seconds, score; best first."""
        tables = {}
        for path in self.proposal_files:
            for name, entries in read_result_file(path, ('segment', 'score')).items():
                rows = [(*entry['segment'], entry['score']) for entry in entries]
                table = np.array(rows, dtype=np.float64).reshape(-1, 3)
                best = np.argsort(-table[:, 2], kind='stable')[:self.max_proposals]
                tables[name] = table[best]
        return tables

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(proposal_files={self.proposal_files}, '
                f'max_proposals={self.max_proposals})')
