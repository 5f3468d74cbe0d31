"""Video-level class scores from a file, for proposals without a class (ActivityNet-1.3)."""
import os
import sys
import zipfile
from collections.abc import Sequence
from functools import partial
from typing import Optional

import numpy as np
import torch
from mmaction.registry import TASK_UTILS
from torch import Tensor

from ..utils import TALDataError, matching_name, read_json
from ..utils.npy_files import npz_members, read_npy, read_npz_member
from .functional import fuse_scores
from .functional.score_fusion import FUSIONS

_TITLE = 'video-level scores'
_bad = partial(TALDataError.of, _TITLE)


@TASK_UTILS.register_module()
class ExternalScores:
    """Class-agnostic proposals times external video-level scores.

    Every proposal is given the ``topk`` classes that a video-level classifier finds likeliest, its
    score multiplied by theirs. The published code takes the square root of that product
    (``fusion='geometric_mean'``): the order of all detections, and so every metric, is the same.

    Files: ``.json`` ``{"classes": [...], "results": {video: [score, ...]}}`` (CUHK's own file says
    ``class``) or a plain ``{video: [score, ...]}``; ``.npz`` with one array a video (and, if
    wanted, ``classes``); ``.npy`` holding a structured array with fields ``video`` and ``scores``.
    A ``scores`` entry may be (K,) or (1, K). Pickles are refused: they can run code. The file is
    read when it is first needed, so that a model can be built without it;
    :class:`.SetupCheckHook` asks for it, and for the scores of every video, before a run
    begins.

    Args:
        score_file (str): Path of the file.
        classes (Sequence[str], optional): Class names in the order of the labels; with a file
            that names its classes, scores are brought into this order. Defaults to None: those of
            the data set, which :class:`.SetupCheckHook` and :class:`.TALInferencer` set
            (:meth:`set_classes`); where nobody does, a file must not name any.
        topk (int): Classes given to a proposal. Defaults to 2.
        fusion (str): ``'product'`` or ``'geometric_mean'``. Defaults to ``'product'``.
        softmax (bool): Whether the file holds logits, as TCANet's of HACS
            (``validation94.32.json``), of which the softmax over its classes is taken. (TCANet
            doubles it, which moves no detection.) Defaults to False.
        prefix (str): Put before a video's name to find it in the file, such as ``'v_'``; names
            that are there as they are come first. Defaults to ``''``.

    Raises:
        ValueError: If an argument is out of its range.
        TALDataError: On first use, if the file cannot be read as described or holds NaN.
    """

    def __init__(self,
                 score_file: str,
                 classes: Optional[Sequence[str]] = None,
                 topk: int = 2,
                 fusion: str = 'product',
                 prefix: str = '',
                 softmax: bool = False):
        if fusion not in FUSIONS:
            raise ValueError(f'ExternalScores: fusion must be one of {FUSIONS}, got {fusion!r}')
        if topk < 1:
            raise ValueError(f'ExternalScores: topk must be positive, got {topk}')
        self.score_file = str(score_file)
        self.topk = topk
        self.fusion = fusion
        self.prefix = prefix
        self.softmax = softmax
        self.classes = None if classes is None else list(classes)
        self._scores: Optional[dict[str, np.ndarray]] = None

    @property
    def scores(self) -> dict[str, np.ndarray]:
        """dict[str, np.ndarray]: Scores (K,) float64 by name of the video, read on first use."""
        if self._scores is None:
            file_classes, scores = _read_scores(self.score_file, self.softmax)
            if file_classes is not None:
                if self.classes is None:
                    raise _bad(self.score_file, 'classes', 'are named, in an order that may '
                               "not be the labels': give ExternalScores their names, "
                               'classes=[...]')
                self._reorder(scores, self.classes, file_classes)
            elif self.classes is not None:
                self._check_number(scores, len(self.classes))
            self._scores = scores
        return self._scores

    def set_classes(self, classes: Optional[Sequence[str]]) -> None:
        """Say the class names of the data set, unless the config has said some.

        Args:
            classes (Sequence[str], optional): In the order of the labels; None or none are
                ignored.
        """
        if self.classes is None and classes:
            self.classes = list(classes)

    def _reorder(self, all_scores: dict[str, np.ndarray], classes: list[str],
                 file_classes: list[str]) -> None:
        missing = [name for name in classes if name not in file_classes]
        if missing:
            raise _bad(self.score_file, 'classes', f'no scores for {missing[:10]}'
                       f'{" ..." if len(missing) > 10 else ""}')
        self._check_number(all_scores, len(file_classes))
        order = [file_classes.index(name) for name in classes]
        for video, scores in all_scores.items():
            all_scores[video] = scores[order]

    def _check_number(self, all_scores: dict[str, np.ndarray], num_classes: int) -> None:
        for video, scores in all_scores.items():
            if len(scores) != num_classes:
                raise _bad(self.score_file, 'scores',
                           f'{len(scores)} numbers for {num_classes} classes', video)

    def __contains__(self, video_name: str) -> bool:
        return self._key(video_name) is not None

    def _key(self, video_name: str) -> Optional[str]:
        """What the file calls a video."""
        try:
            names = (matching_name(name, self.scores)
                     for name in (video_name, self.prefix + video_name))
            return next((name for name in names if name is not None), None)
        except ValueError as error:
            raise _bad(self.score_file, 'scores', str(error), video_name) from error

    def check_videos(self, video_names: Sequence[str]) -> None:
        """Make sure that every video has scores, before testing starts.

        Args:
            video_names (Sequence[str]): Videos that will be tested.

        Raises:
            TALDataError: If the file lacks some, naming the file and the videos.
        """
        missing = [name for name in video_names if name not in self]
        if missing:
            shown = ', '.join(f"'{name}'" for name in missing[:10])
            raise _bad(self.score_file, 'scores', f'none for {len(missing)} of '
                       f'{len(video_names)} videos: {shown}{" ..." if len(missing) > 10 else ""}')

    def __call__(self, segments: Tensor, scores: Tensor,
                 video_name: str) -> tuple[Tensor, Tensor, Tensor]:
        """Proposals of one video with classes; see :func:`.fuse_scores`.

        Args:
            segments (Tensor): (M, 2).
            scores (Tensor): (M,).
            video_name (str): Where to look in the file.

        Returns:
            tuple[Tensor, Tensor, Tensor]: segments, scores and labels, ``topk`` times as many.

        Raises:
            TALDataError: If the file has no scores for the video.
        """
        self.check_videos([video_name])
        own = torch.from_numpy(self.scores[self._key(video_name)])
        return fuse_scores(segments, scores, own, self.topk, self.fusion)


def _read_scores(path: str, softmax: bool) -> tuple[Optional[list[str]], dict[str, np.ndarray]]:
    """Class names (or None) and scores by video of a file; raises TALDataError."""
    suffix = os.path.splitext(path)[1].lower()
    if suffix == '.json':
        content = read_json(path, _TITLE)
    elif suffix in ('.npz', '.npy'):
        try:
            if suffix == '.npz':
                with zipfile.ZipFile(path) as archive:
                    content = {key: read_npz_member(archive, info)
                               for key, info in npz_members(archive).items()}
                content = {key: _texts(array) if array.dtype.kind == 'U' else array
                           for key, array in content.items()}
            else:
                table = read_npy(path)
                content = dict(zip(_texts(table['video']), table['scores']))
                if len(content) < len(table):
                    raise ValueError('a video is there twice')
        except Exception as error:  # whatever a damaged file makes numpy and zipfile raise
            raise _bad(path, 'file', f'cannot be read as video-level scores '
                       f'({type(error).__name__}: {error})') from error
    else:
        raise _bad(path, 'file', f'expected .json, .npz or .npy, got {suffix!r} (a pickle '
                   'can run code when it is read: convert it to one of these)')
    classes = None
    for key in ('classes', 'class'):
        if key in content:
            classes = content.pop(key)
            if (not isinstance(classes, list) or not all(isinstance(n, str) for n in classes)
                    or len(set(classes)) < len(classes)):
                raise _bad(path, key, 'must be a list of different names')
            break
    if isinstance(content.get('results'), dict):
        content = content['results']
    scores = {video: _check_scores(path, video, value, softmax)
              for video, value in content.items()}
    if not scores:
        raise _bad(path, 'file', 'holds no video')
    return classes, scores


def _texts(array: np.ndarray) -> list[str]:
    """The texts in an array; raises ValueError if it holds something else."""
    if array.dtype.kind != 'U' or array.ndim != 1:
        raise ValueError(f'names must be a list of texts, got {array.dtype} of shape {array.shape}')
    # a damaged file may hold numbers that are no characters, and Python cannot even print them
    codes = np.ascontiguousarray(array).view(f'{array.dtype.str[0]}u4')
    if codes.max(initial=0) > sys.maxunicode:
        raise ValueError('names hold what is no text')
    return array.tolist()


def _check_scores(path: str, video: str, value, softmax: bool) -> np.ndarray:
    """One video's scores as (K,) float64; of logits, their softmax."""
    bad = partial(_bad, path, 'scores', video=video)
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise bad('not a list of numbers') from error
    if array.ndim == 2 and array.shape[0] == 1:
        array = array[0]
    if array.ndim != 1 or array.size == 0:
        raise bad(f'must be one number a class, got shape {array.shape}')
    if not np.isfinite(array).all():
        raise bad('NaN or infinite')
    if softmax:
        return torch.from_numpy(array).softmax(dim=0).numpy()
    if (array < 0).any():
        raise bad('must not be negative: of logits ExternalScores takes the softmax, with '
                  'softmax=True')
    return array
