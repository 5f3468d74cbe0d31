"""Pooling of (B, C, T) sequences that looks at valid steps only."""
import torch
import torch.nn.functional as F
from torch import Tensor


def downsample_mask(mask: Tensor, stride: int = 2) -> Tensor:
    """Mask of a grid ``stride`` times coarser, as strided convolution and pooling produce it.

    Args:
        mask (Tensor): (B, T) bool.
        stride (int): Defaults to 2.

    Returns:
        Tensor: (B, ceil(T / stride)): a coarse step is valid when the step at its centre is, so a
        video of n steps keeps ceil(n / stride).
    """
    return mask[:, ::stride]


def masked_max_pool1d(x: Tensor,
                      mask: Tensor,
                      kernel_size: int = 3,
                      stride: int = 2,
                      padding: int = 1) -> Tensor:
    """Max-pooling in which padding never wins.

    Args:
        x (Tensor): (B, C, T).
        mask (Tensor): (B, T) bool, True where valid.
        kernel_size (int): Odd. Defaults to 3.
        stride (int): Defaults to 2.
        padding (int): ``kernel_size // 2`` keeps the grid centred. Defaults to 1.

    Returns:
        Tensor: (B, C, ceil(T / stride)) with that padding, zero at invalid steps.
    """
    lowest = x.masked_fill(~mask[:, None], float('-inf'))
    out = F.max_pool1d(lowest, kernel_size, stride, padding)
    return out.masked_fill(~downsample_mask(mask, stride)[:, None], 0)


def masked_mean(x: Tensor, mask: Tensor) -> Tensor:
    """Mean over the valid steps.

    Args:
        x (Tensor): (B, C, T).
        mask (Tensor): (B, T) bool.

    Returns:
        Tensor: (B, C, 1); zero where a row has no valid step.
    """
    valid = mask[:, None].to(x.dtype)
    # Counted in integers: half precision cannot count beyond a few hundred steps.
    count = mask.sum(dim=1).clamp(min=1)[:, None, None]
    return (x * valid).sum(dim=-1, keepdim=True) / count.to(x.dtype)


def masked_max(x: Tensor, mask: Tensor) -> Tensor:
    """Maximum over the valid steps.

    Args:
        x (Tensor): (B, C, T).
        mask (Tensor): (B, T) bool.

    Returns:
        Tensor: (B, C, 1); zero where a row has no valid step.
    """
    best = x.masked_fill(~mask[:, None], float('-inf')).amax(dim=-1, keepdim=True)
    return torch.where(mask.any(dim=1)[:, None, None], best, torch.zeros_like(best))
