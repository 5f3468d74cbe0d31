"""Max-pooling of tables of rows."""
from torch import Tensor

from ...structures import Layout
from .convolution import max_of_three


def max_pool(x: Tensor, layout: Layout) -> tuple[Tensor, Layout]:
    """Max-pooling of kernel 3 to half the grid, in which only seen rows take part.

    Args:
        x (Tensor): (R, C).
        layout (Layout): Of its rows.

    Returns:
        tuple[Tensor, Layout]: (R', C), zero in gaps, and its layout, ``layout.half``.
    """
    half, middle = layout.half, layout.every_second
    # beyond either end of a sequence its own last row stands in, which changes no maximum
    step = layout.step.index_select(0, middle)
    last = layout.last_row.index_select(0, middle)
    before = middle - (step > 0).to(middle.dtype)
    after = (middle + 1).minimum(last)
    out = max_of_three(x, before, middle, after)
    return x.new_zeros(half.num_rows, x.shape[1]).index_copy(0, half.seen_rows, out), half
