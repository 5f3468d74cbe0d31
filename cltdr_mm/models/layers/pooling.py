"""Max-pooling of tables of rows."""
import torch
from torch import Tensor

from ...structures import Layout
from .convolution import is_exported


class _MaxOfThree(torch.autograd.Function):
    """Largest of three rows of a table for each row of the result, channel by channel."""

    @staticmethod
    def forward(ctx, x: Tensor, before: Tensor, middle: Tensor, after: Tensor) -> Tensor:
        first = x.index_select(0, before)
        out = torch.maximum(x.index_select(0, middle), first)
        is_first = first == out
        last = x.index_select(0, after)
        is_last = ~(out >= last)  # so that NaN passes
        out = torch.maximum(out, last)
        ctx.save_for_backward(before, middle, after, is_first, is_last)
        ctx.num_rows = x.shape[0]
        return out

    @staticmethod
    def backward(ctx, grad: Tensor):
        before, middle, after, is_first, is_last = ctx.saved_tensors
        of_last = grad * is_last
        rest = grad - of_last
        of_first = rest * is_first
        out = grad.new_zeros(ctx.num_rows, grad.shape[1])
        for rows, part in ((middle, rest - of_first), (before, of_first), (after, of_last)):
            out.index_add_(0, rows, part)
        return out, None, None, None


def max_of_three(x: Tensor, before: Tensor, middle: Tensor, after: Tensor) -> Tensor:
    """Max-pooling of kernel 3 over rows that are named.

    Args:
        x (Tensor): (R, C).
        before (Tensor): (N,) int64 rows; one that does not exist is named as its middle.
        middle (Tensor): (N,) int64 rows.
        after (Tensor): (N,) int64 rows.

    Returns:
        Tensor: (N, C).
    """
    if is_exported():  # a function of our own is not recorded
        return x[middle].maximum(x[before]).maximum(x[after])
    return _MaxOfThree.apply(x, before, middle, after)


def max_pool(x: Tensor, layout: Layout) -> tuple[Tensor, Layout]:
    """Max-pooling of kernel 3 to half the grid, in which only seen rows take part.

    Args:
        x (Tensor): (R, C).
        layout (Layout): Of its rows.

    Returns:
        tuple[Tensor, Layout]: (R', C), zero in gaps, and its layout, ``layout.half``.
    """
    half = layout.half
    return half.place(max_of_three(x, *layout.pooled_rows)), half
