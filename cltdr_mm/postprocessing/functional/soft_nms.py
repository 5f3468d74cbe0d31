"""Soft-NMS of temporal segments (Bodla et al., Soft-NMS, ICCV 2017, eq. 2 and 3).

As the published ActionFormer, TriDet and CLTDR-GMG use it: repeatedly keep the candidate of the
largest score and multiply the scores of the others of its class by ``exp(-iou^2 / sigma)``
(Gaussian) or ``1 - iou`` where the IoU reaches a threshold (linear); others whose score falls below
``min_score`` are dropped. BSN (Lin et al., ECCV 2018), BMN and MMAction2 let the Gaussian act from
an IoU on that depends on the length of the one that is kept.
"""
from functools import lru_cache
from typing import Optional, Union

import numpy as np
import torch
from torch import Tensor

from ._torch_nms import METHODS, torch_soft_nms
from .checks import check_candidates

Array = Union[Tensor, np.ndarray]
BACKENDS = ('auto', 'numba', 'torch')


@lru_cache(maxsize=1)
def _load_kernels():
    """The compiled kernels, or None where numba is not installed."""
    try:
        from . import _kernels
    except ImportError:
        return None
    return _kernels


def soft_nms(segments: Array,
             scores: Array,
             labels: Optional[Array] = None,
             method: str = 'gaussian',
             sigma: float = 0.5,
             iou_threshold: float = 0.1,
             min_score: float = 0.001,
             max_num: int = -1,
             backend: str = 'auto',
             high_threshold: float = 0.9) -> tuple[Array, Array]:
    """Keep the best candidates, the scores of overlapping ones lowered.

    Args:
        segments (Tensor or np.ndarray): (M, 2) starts and ends in any unit, on any device; for
            ``'bsn'`` fractions of the video.
        scores (Tensor or np.ndarray): (M,), not negative.
        labels (Tensor or np.ndarray, optional): (M,) integers; only candidates of one label
            affect each other. Defaults to None: all affect all (class-agnostic).
        method (str): ``'gaussian'``, ``'linear'``, ``'hard'`` (score 0) or ``'bsn'``: the
            Gaussian where the IoU exceeds ``iou_threshold + (high_threshold - iou_threshold) *
            length`` of the one that is kept. Defaults to ``'gaussian'``.
        sigma (float): Width of the Gaussian. Defaults to 0.5.
        iou_threshold (float): IoU from which ``'linear'`` and ``'hard'`` act (unused by the
            Gaussian). Defaults to 0.1.
        min_score (float): Candidates below are dropped; the best one of each label stays
            whatever its score, as in the published operator. Defaults to 0.001.
        max_num (int): Largest number to keep, per label and in all; negative: no limit.
            Defaults to -1.
        backend (str): ``'numba'`` (compiled, on the CPU), ``'torch'`` (on the tensors' device)
            or ``'auto'``: numba where installed. All give the same result: they compute in
            float64 and break ties by the smaller label, then the smaller index.
        high_threshold (float): Used by ``'bsn'`` only. Defaults to 0.9.

    Returns:
        tuple: indices of the kept candidates (N,) int64, best first, and their new scores (N,) in
        the type of ``scores``, float64 for integers; NumPy arrays if ``scores`` is one.

    Raises:
        ValueError: If the candidates hold NaN or have wrong shapes (see
            :func:`.check_candidates`), or an argument is out of its range.
        ImportError: If ``backend='numba'`` and numba is not installed.
    """
    if isinstance(scores, np.ndarray):
        kept, kept_scores = soft_nms(
            _as_tensor(segments), _as_tensor(scores), None if labels is None else
            _as_tensor(labels), method, sigma, iou_threshold, min_score, max_num, backend,
            high_threshold)
        return kept.numpy(), kept_scores.numpy()
    segments, scores, labels = check_candidates(segments, scores, labels, 'soft_nms')
    if not scores.is_floating_point():
        scores = scores.double()
    if method not in METHODS:
        raise ValueError(f'soft_nms: method must be one of {sorted(METHODS)}, got {method!r}')
    if backend not in BACKENDS:
        raise ValueError(f'soft_nms: backend must be one of {BACKENDS}, got {backend!r}')
    if not sigma > 0:
        raise ValueError(f'soft_nms: sigma must be positive, got {sigma}')
    num = scores.numel()
    max_num = num if max_num < 0 else min(max_num, num)
    if max_num == 0:
        return torch.empty(0, dtype=torch.int64, device=scores.device), scores[:0]

    kernels = None if backend == 'torch' else _load_kernels()
    if kernels is None:
        if backend == 'numba':
            raise ImportError("soft_nms: backend='numba' needs numba: pip install numba")
        kept, kept_scores = torch_soft_nms(segments, scores, labels, METHODS[method], sigma,
                                           iou_threshold, high_threshold, min_score, max_num)
    else:
        kept, kept_scores = _numba_soft_nms(kernels, segments, scores, labels, METHODS[method],
                                            sigma, iou_threshold, high_threshold, min_score,
                                            max_num)
    return kept.to(scores.device), kept_scores.to(scores)


def _numba_soft_nms(kernels, segments: Tensor, scores: Tensor, labels: Optional[Tensor],
                    method: int, sigma: float, iou_threshold: float, high_threshold: float,
                    min_score: float, max_num: int) -> tuple[Tensor, Tensor]:
    """Run the compiled kernel; arguments checked, method as its number."""
    segments, scores = (_as_float_array(x) for x in (segments, scores))
    num = scores.size
    if labels is None:
        classes, num_classes = np.zeros(num, dtype=np.int64), 1
    else:
        classes = np.ascontiguousarray(labels.cpu().numpy())
        low, high = int(classes.min()), int(classes.max())
        if high - low < 4 * num + 1000:
            classes, num_classes = classes - low, high - low + 1
        else:  # labels far apart: number them without gaps
            values, classes = np.unique(classes, return_inverse=True)
            classes, num_classes = classes.reshape(-1), values.size
    # dropped candidates are marked by a score of -1, so a threshold below 0 says nothing
    kept, kept_scores = kernels.soft_nms_kernel(
        segments, scores, classes, num_classes, np.argsort(segments[:, 0]), method, float(sigma),
        float(iou_threshold), float(high_threshold), max(float(min_score), 0.), max_num)
    return torch.from_numpy(kept), torch.from_numpy(kept_scores)


def _as_tensor(array: Array) -> Tensor:
    """Copy of an array of any strides, read-only ones as well; tensors stay as they are."""
    return array if isinstance(array, Tensor) else torch.tensor(np.ascontiguousarray(array))


def _as_float_array(tensor: Tensor) -> np.ndarray:
    """Contiguous float32 or float64 array: the two types the kernels get compiled for."""
    if tensor.dtype not in (torch.float32, torch.float64):
        tensor = tensor.float()
    return np.ascontiguousarray(tensor.cpu().numpy())
