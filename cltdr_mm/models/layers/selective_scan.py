"""The selective scan of state-space layers, on tables of rows.

Source: Mamba (Gu and Dao, 2023), algorithm 2. For a channel e and a state n, at every step,

    h_t = exp(dt_t A) h_{t-1} + dt_t B_t u_t,    y_t = sum_n C_t h_t

with dt_t and u_t of the channel, B_t and C_t of the state, A < 0 of both.

Names: R rows of a table, G directions scanned side by side, E channels, N states. States lie in
memory as (G, N, E), so that every product runs along neighbouring channels.

Nothing of size R x E x N is kept: the rows are computed in chunks, and the backward pass, which is
written out, computes the states of a chunk again from the one it started with. All factors are
exponentials of something that is not positive: they may vanish, which is right, and never overflow.
"""
import functools
import importlib.util
from collections.abc import Callable
from typing import Optional

import torch
import torch.nn.functional as F
from torch import Tensor

from ...structures import Layout
from .convolution import is_exported

#: Rows of a chunk.
CHUNK = 32
#: The same in an exported graph, which holds for 2 ** DOUBLINGS of them.
EXPORTED_CHUNK, DOUBLINGS = 16, 14


class _Chunks:
    """The rows of a scan, chunk by chunk, in buffers that are used again."""

    def __init__(self, u: Tensor, dt: Tensor, decay: Tensor, b: Tensor, layout: Layout) -> None:
        self.u, self.dt, self.decay, self.b = u, dt, decay, b
        self.starts = range(0, u.shape[0], CHUNK)
        size = min(CHUNK, u.shape[0])
        self.factors = u.new_empty(size, *decay.shape)
        self.states = u.new_empty(size + 1, *decay.shape)
        # rows that know nothing of the row before: the first of a sequence, and those of a gap
        self.fresh = [set() for _ in self.starts]
        ends = [0, *(first + seen for first, seen in zip(layout.first, layout.seen))]
        for end in ends:
            for row in range(end, min(end + layout.gap + 1, u.shape[0])):
                self.fresh[row // CHUNK].add(row % CHUNK)

    def run(self, number: int, state: Tensor) -> tuple[slice, Tensor, Tensor]:
        """Scan one chunk.

        Args:
            number (int): Of the chunk.
            state (Tensor): (G, N, E) before its first row.

        Returns:
            tuple: Its rows; (K, G, N, E) what a state is multiplied by at each of them; and
            (K + 1, G, N, E) the state before them and after each.
        """
        start = self.starts[number]
        rows = slice(start, min(start + CHUNK, self.u.shape[0]))
        size = rows.stop - rows.start
        factors, states = self.factors[:size], self.states[:size + 1]
        dt = self.dt[rows]
        torch.mul(dt.unsqueeze(2), self.decay, out=factors).exp_()
        fresh = self.fresh[number]
        for row in fresh:
            factors[row].zero_()
        states[0].copy_(state)
        torch.mul((dt * self.u[rows]).unsqueeze(2), self.b[rows].unsqueeze(3), out=states[1:])
        steps = states.unbind()
        for row, (before, after, factor) in enumerate(zip(steps, steps[1:], factors.unbind())):
            if row not in fresh:  # a product with 0 would hand on what is no number
                after.addcmul_(factor, before)
        return rows, factors, states


def _without_autocast(function: Callable) -> Callable:
    """Keep the passes of an autograd function, given its context and tensors, in their type."""

    @functools.wraps(function)
    def run(ctx, tensor, *args):
        with torch.autocast(tensor.device.type, enabled=False):
            return function(ctx, tensor, *args)

    return run


class _SelectiveScan(torch.autograd.Function):
    """u, dt (R, G, E), decay (G, N, E), b, c (R, G, N) to y (R, G, E); u is zero in gaps."""

    @staticmethod
    @_without_autocast
    def forward(ctx, u, dt, decay, b, c, layout):
        u, dt, decay, b, c = (x.contiguous() for x in (u, dt, decay, b, c))
        chunks = _Chunks(u, dt, decay, b, layout)
        first = u.new_empty(len(chunks.starts), *decay.shape)
        out, state = torch.empty_like(u), torch.zeros_like(decay)
        for number in range(len(chunks.starts)):
            first[number] = state
            rows, _, states = chunks.run(number, state)
            out[rows] = (c[rows].unsqueeze(2) @ states[1:]).squeeze(2)
            state = states[-1]
        ctx.save_for_backward(u, dt, decay, b, c, first)
        ctx.layout = layout
        return out

    @staticmethod
    @torch.autograd.function.once_differentiable
    @_without_autocast
    def backward(ctx, grad):
        u, dt, decay, b, c, first = ctx.saved_tensors
        grad = grad.contiguous()
        chunks = _Chunks(u, dt, decay, b, ctx.layout)
        grad_u, grad_dt, grad_b, grad_c = (torch.empty_like(x) for x in (u, dt, b, c))
        grad_decay, carry = torch.zeros_like(decay), torch.zeros_like(decay)
        buffer = torch.empty_like(chunks.factors)
        for number in reversed(range(len(chunks.starts))):
            rows, factors, states = chunks.run(number, first[number])
            g = buffer[:len(factors)]  # (K, G, N, E) of the states
            # dC = sum_e dy h, and what y gives to the gradient of h
            grad_c[rows] = (states[1:] @ grad[rows].unsqueeze(3)).squeeze(3)
            torch.mul(c[rows].unsqueeze(3), grad[rows].unsqueeze(2), out=g)
            steps = g.unbind()
            steps[-1].add_(carry)
            for later, here, factor in zip(steps[:0:-1], steps[-2::-1], factors[1:].unbind()[::-1]):
                here.addcmul_(factor, later)
            torch.mul(factors[0], g[0], out=carry)
            # b_t = dt u B
            grad_b[rows] = (g @ (dt[rows] * u[rows]).unsqueeze(3)).squeeze(3)
            of_input = (b[rows].unsqueeze(2) @ g).squeeze(2)  # (K, G, E)
            torch.mul(of_input, dt[rows], out=grad_u[rows])
            # the exponent dt A: its gradient is g h_{t-1} exp(dt A)
            q = g.mul_(states[:-1]).mul_(factors)
            weighted = torch.mul(q, dt[rows].unsqueeze(2), out=factors)
            grad_decay += weighted.sum(0)
            grad_dt[rows] = q.mul_(decay).sum(2).addcmul_(of_input, u[rows])
        return grad_u, grad_dt, grad_decay, grad_b, grad_c, None


def _plain_scan(u: Tensor, dt: Tensor, decay: Tensor, b: Tensor, c: Tensor,
                layout: Layout) -> Tensor:
    """The scan in plain operators for any number of rows, for a graph that is exported.

    All chunks are scanned side by side from zero, then what each hands on to the next, by doubling;
    last, what came in is added to the states of every chunk.
    """
    num_rows = u.shape[0]
    # never a single chunk: a graph would have to know of it
    extra = (num_rows + 2 * EXPORTED_CHUNK - 1) // EXPORTED_CHUNK * EXPORTED_CHUNK - num_rows
    later_rows = (layout.step > 0)[:, None, None, None]
    factors = (dt.unsqueeze(2) * decay).exp() * later_rows  # (R, G, N, E)
    inputs = (dt * u).unsqueeze(2) * b.unsqueeze(3)
    factors, inputs = (F.pad(x, (0, 0, 0, 0, 0, 0, 0, extra)).unflatten(0, (-1, EXPORTED_CHUNK))
                       for x in (factors, inputs))  # (M, K, G, N, E)
    states, products = [inputs[:, 0]], [factors[:, 0]]
    for factor, step in zip(factors.unbind(1)[1:], inputs.unbind(1)[1:]):
        states.append(factor * states[-1] + step)
        products.append(factor * products[-1])
    num_chunks = factors.shape[0]

    def later(x: Tensor, chunks: int) -> Tensor:
        return F.pad(x, (0, 0, 0, 0, 0, 0, chunks, 0))[:num_chunks]

    state, product = states[-1], products[-1]
    for doubling in range(DOUBLINGS):
        state = state + product * later(state, 2**doubling)
        product = product * later(product, 2**doubling)
    states = torch.stack(states, 1) + torch.stack(products, 1) * later(state, 1).unsqueeze(1)
    out = (c.unsqueeze(2) @ states.flatten(0, 1)[:num_rows]).squeeze(2)
    return out.index_fill(0, layout.gap_rows, 0)


@functools.cache
def fast_kernel() -> Optional[Callable]:
    """``selective_scan_fn`` of the package mamba_ssm; None if it is not installed."""
    if importlib.util.find_spec('mamba_ssm') is None:
        return None
    from mamba_ssm.ops.selective_scan_interface import selective_scan_fn
    return selective_scan_fn


def kernel_scan(kernel: Callable, u: Tensor, dt: Tensor, a: Tensor, b: Tensor, c: Tensor,
                layout: Layout) -> Tensor:
    """The scan by another implementation, of whole sequences.

    Args:
        kernel (Callable): Of mamba_ssm's ``selective_scan_fn``: takes u and dt (B, D, T), A (D, N),
            B and C (B, G, N, T), G dividing D; gives (B, D, T).
        u (Tensor): See :func:`selective_scan`, as are the others.
        dt (Tensor): (R, G, E).
        a (Tensor): (G, E, N).
        b (Tensor): (R, G, N).
        c (Tensor): (R, G, N).
        layout (Layout): Of the rows.

    Returns:
        Tensor: (R, G, E), zero in gaps.
    """
    sizes = [x[0].numel() for x in (u, dt, b, c)]

    def scan(block: Tensor) -> Tensor:  # (b, T, 2 G E + 2 G N) to (b, T, G E)
        u, dt, b, c = (x.contiguous() for x in block.transpose(1, 2).split(sizes, dim=1))
        out = kernel(u, dt, a.flatten(0, 1), b.unflatten(1, (len(a), -1)),
                     c.unflatten(1, (len(a), -1)))
        return out.transpose(1, 2)

    table = torch.cat([x.flatten(1) for x in (u, dt, b, c)], dim=1)
    return layout.apply(scan, table).view_as(u)


def selective_scan(u: Tensor, dt: Tensor, a: Tensor, b: Tensor, c: Tensor,
                   layout: Layout) -> Tensor:
    """Scan every sequence of a table, from a state of zero at its first seen row.

    Computed in float32 at least, also under autocast. On a GPU with the package mamba_ssm installed
    its kernel does it.

    Args:
        u (Tensor): (R, G, E) inputs; what stands in gaps does not matter.
        dt (Tensor): (R, G, E) step sizes, not negative.
        a (Tensor): (G, E, N) decay rates, negative.
        b (Tensor): (R, G, N) how inputs enter the states.
        c (Tensor): (R, G, N) how states are read.
        layout (Layout): Of the rows; directions are scanned from the first row to the last.

    Returns:
        Tensor: (R, G, E), float32 or float64, zero in gaps. There is no second derivative.
    """
    dtype = torch.promote_types(u.dtype, torch.float32)
    u, dt, a, b, c = (x.to(dtype) for x in (u, dt, a, b, c))
    kernel = fast_kernel() if u.is_cuda and dtype == torch.float32 else None
    if kernel is not None and not is_exported():
        return kernel_scan(kernel, u, dt, a, b, c, layout)
    u = u.index_fill(0, layout.gap_rows, 0)
    scan = _plain_scan if is_exported() else _SelectiveScan.apply
    return scan(u, dt, a.transpose(1, 2), b, c, layout)
