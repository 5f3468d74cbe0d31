"""Proposals from result files, for localizers that refine them."""
from collections.abc import Sequence
from functools import partial
from typing import Optional, Union

import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from ...utils import TALDataError, matching_name, read_result_file


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
            together hold all videos; of a video in several, the last file counts. They are read
            once, when :class:`.SetupCheckHook` asks for the videos, or with the first sample.
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
        grid, table = results['grid'], self._table(results['video_name'])
        fractions = (grid.to_grid(table[:, :2]) + 0.5) / grid.num_steps
        rows = np.concatenate([fractions.clip(0, 1), table[:, 2:]], axis=1).astype(np.float32)
        rows = rows[rows[:, 1] > rows[:, 0]]
        results['proposals'] = rows if len(rows) else np.array([[0, 1, 1]], np.float32)
        return results

    def check_videos(self, video_names: Sequence[str]) -> None:
        """Make sure that every video has an entry, before a run begins.

        Args:
            video_names (Sequence[str]): Videos of the data set.

        Raises:
            TALDataError: If the files lack some, naming files and videos, or cannot be used.
        """
        problems = []
        for name in video_names:
            try:
                self._table(name)
            except TALDataError as error:
                problems += error.problems
        if problems:
            raise TALDataError(problems, 'proposals')

    def _table(self, video: str) -> np.ndarray:
        """(P, 3) proposals of a video; the files are read on first use."""
        if self._tables is None:
            self._tables = self._read()
        bad = partial(TALDataError.of, 'proposals', ', '.join(self.proposal_files), 'results',
                      video=video)
        try:
            name = matching_name(video, self._tables)
        except ValueError as error:
            raise bad(str(error)) from error
        if name is None:
            raise bad('no entry for this video')
        return self._tables[name]

    def _read(self) -> dict[str, np.ndarray]:
        """Per video (P, 3) float64: start and end in seconds, score; best first."""
        tables = {}
        for path in self.proposal_files:
            for name, entries in read_result_file(path, ('segment', 'score')).items():
                rows = [(*entry['segment'], entry['score']) for entry in entries]
                table = np.array(rows, dtype=np.float64).reshape(-1, 3)
                if (np.abs(table[:, 2]) > np.finfo(np.float32).max).any():
                    raise TALDataError.of('proposals', path, 'results', 'a score is too large',
                                          name)
                best = np.argsort(-table[:, 2], kind='stable')[:self.max_proposals]
                tables[name] = table[best]
        return tables

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(proposal_files={self.proposal_files}, '
                f'max_proposals={self.max_proposals})')
