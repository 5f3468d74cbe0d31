"""NMS as registered parts: which candidates stay, and with which scores."""

from mmaction.registry import TASK_UTILS
from torch import Tensor

from .functional import hard_nms, soft_nms
from .functional.soft_nms import BACKENDS


def _check_backend(backend: str) -> str:
    if backend not in BACKENDS:
        raise ValueError(f'backend must be one of {BACKENDS}, got {backend!r}')
    return backend


@TASK_UTILS.register_module()
class SoftNMS:
    """Soft-NMS: scores of overlapping candidates are lowered (see :func:`.soft_nms`).

    Args:
        method (str): ``'gaussian'`` or ``'linear'``. Defaults to ``'gaussian'``.
        sigma (float): Width of the Gaussian. Defaults to 0.5.
        iou_threshold (float): IoU from which ``'linear'`` acts. Defaults to 0.1.
        class_wise (bool): Whether only candidates of one class affect each other; else all
            candidates do. Defaults to True.
        backend (str): ``'auto'``, ``'numba'`` or ``'torch'``. Defaults to ``'auto'``.

    Raises:
        ValueError: If an argument is out of its range.
    """

    def __init__(self,
                 method: str = 'gaussian',
                 sigma: float = 0.5,
                 iou_threshold: float = 0.1,
                 class_wise: bool = True,
                 backend: str = 'auto'):
        if method not in ('gaussian', 'linear'):
            raise ValueError(f"SoftNMS: method must be 'gaussian' or 'linear', got {method!r}")
        if not sigma > 0:
            raise ValueError(f'SoftNMS: sigma must be positive, got {sigma}')
        self.method = method
        self.sigma = sigma
        self.iou_threshold = iou_threshold
        self.class_wise = class_wise
        self.backend = _check_backend(backend)

    def __call__(self, segments: Tensor, scores: Tensor, labels: Tensor, min_score: float,
                 max_num: int) -> tuple[Tensor, Tensor]:
        """Indices (N,) of the candidates kept, best first, and their new scores (N,).

        Args:
            segments (Tensor): (M, 2).
            scores (Tensor): (M,).
            labels (Tensor): (M,).
            min_score (float): Candidates that fall below are dropped.
            max_num (int): Largest number to keep; negative: no limit.
        """
        return soft_nms(
            segments,
            scores,
            labels if self.class_wise else None,
            method=self.method,
            sigma=self.sigma,
            iou_threshold=self.iou_threshold,
            min_score=min_score,
            max_num=max_num,
            backend=self.backend)


@TASK_UTILS.register_module()
class HardNMS:
    """Hard NMS: a candidate that overlaps a better one goes (see :func:`.hard_nms`).

    Args:
        iou_threshold (float): IoU from which the lower score goes. Defaults to 0.5.
        class_wise (bool): Whether only candidates of one class suppress each other. Defaults to
            True.
        backend (str): ``'auto'``, ``'numba'`` or ``'torch'``. Defaults to ``'auto'``.

    Raises:
        ValueError: If ``backend`` is unknown.
    """

    def __init__(self, iou_threshold: float = 0.5, class_wise: bool = True, backend: str = 'auto'):
        self.iou_threshold = iou_threshold
        self.class_wise = class_wise
        self.backend = _check_backend(backend)

    def __call__(self, segments: Tensor, scores: Tensor, labels: Tensor, min_score: float,
                 max_num: int) -> tuple[Tensor, Tensor]:
        """Indices (N,) of the candidates kept, best first, and their scores (N,).

        Args:
            segments (Tensor): (M, 2).
            scores (Tensor): (M,).
            labels (Tensor): (M,).
            min_score (float): Only larger scores take part.
            max_num (int): Largest number to keep; negative: no limit.
        """
        return hard_nms(
            segments,
            scores,
            labels if self.class_wise else None,
            iou_threshold=self.iou_threshold,
            min_score=min_score,
            max_num=max_num,
            backend=self.backend)
