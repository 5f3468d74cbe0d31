"""How a convolution of a table of rows is computed; the only place that looks at type and device.

A table (R, C) is convolved whole: between two sequences lie zero rows, so that neither sees the
other. Results in those gaps mean nothing.

- float32 on a CPU: oneDNN's convolution of channels-last images one row high, which a table is
  without a copy. The gradient of the input is such a convolution again, that of the weight is
  faster on channels-first copies.
- everything else, half precision above all: one matrix product for each tap of the kernel, on
  shifted rows.
- depth-wise: a multiply-add for each tap, which beats the libraries' kernels forward and backward.

Linear layers in float32 on a CPU go to oneDNN as well: on Intel's processors it is as fast as the
BLAS that torch comes with, on others twice. A graph that is exported holds plain operators.
"""
from typing import Optional

import torch
import torch.nn.functional as F
from torch import Tensor


def compute_dtype(x: Tensor, weight: Tensor) -> torch.dtype:
    """Type to multiply in: autocast's where it is on, else the wider of the two."""
    if torch.is_autocast_enabled(x.device.type) and x.dtype != torch.float64:
        return torch.get_autocast_dtype(x.device.type)
    return torch.promote_types(x.dtype, weight.dtype)


def is_exported() -> bool:
    """Whether operators are recorded for another runtime rather than run."""
    return torch.compiler.is_compiling() or torch.jit.is_tracing()


def by_onednn(x: Tensor) -> bool:
    """Whether products with a tensor, in the type to multiply in, are oneDNN's."""
    return (x.device.type == 'cpu' and x.dtype == torch.float32
            and torch.backends.mkldnn.is_available() and not is_exported())


def shifted_pairs(size: int, kernel_size: int,
                  before: Optional[int] = None) -> list[tuple[slice, slice, int]]:
    """Output rows, the input rows that a tap brings to them, and the tap; a row's own one first.

    Args:
        size (int): Number of rows.
        kernel_size (int): Number of taps.
        before (int, optional): How many of them see earlier rows. Defaults to None: half of the
            others, of an odd number.

    Returns:
        list[tuple[slice, slice, int]]: One for each tap; a tap that looks beyond either end brings
        nothing to the rows there.
    """
    before, pairs = kernel_size // 2 if before is None else before, []
    for shift in sorted(range(-before, kernel_size - before), key=abs):
        low, high = max(0, -shift), max(0, shift)
        if low + high < size:
            pairs.append((slice(low, size - high), slice(high, size - low), shift + before))
    return pairs


def _gemm_conv(x: Tensor, taps: Tensor) -> Tensor:
    """Convolve (R, C) by taps (k, D, C) as matrix products, (R, D)."""
    (_, _, middle), *others = shifted_pairs(x.shape[0], len(taps))
    out = x @ taps[middle].t()
    for to, of, tap in others:
        out[to].addmm_(x[of], taps[tap].t())
    return out


class _GemmConv(torch.autograd.Function):
    """Convolution as matrix products; the weight (D, C, k) may be of a wider type than x."""

    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor) -> Tensor:
        taps = weight.to(x.dtype).permute(2, 0, 1).contiguous()  # (k, D, C)
        ctx.save_for_backward(x, taps)
        ctx.weight_dtype = weight.dtype
        return _gemm_conv(x, taps)

    @staticmethod
    def backward(ctx, grad: Tensor):
        x, taps = ctx.saved_tensors
        grad = grad.to(x.dtype)
        grad_x = grad_weight = None
        with torch.autocast(x.device.type, enabled=False):
            if ctx.needs_input_grad[0]:
                grad_x = _gemm_conv(grad, taps.flip(0).transpose(1, 2))
            if ctx.needs_input_grad[1]:
                grad_weight = x.new_zeros(*taps.shape[1:], len(taps), dtype=ctx.weight_dtype)
                for to, of, tap in shifted_pairs(x.shape[0], len(taps)):
                    grad_weight[:, :, tap] = grad[to].t() @ x[of]
        return grad_x, grad_weight


def _image(x: Tensor) -> Tensor:
    """A table (R, C) as a channels-last image (1, C, 1, R), without a copy."""
    return x.t()[None, :, None]


def _image_conv(x: Tensor, weight: Tensor) -> Tensor:
    """Convolve (R, C) by a weight (D, C, k), (R, D)."""
    kernel = weight[:, :, None].contiguous(memory_format=torch.channels_last)
    return F.conv2d(_image(x), kernel, padding=(0, weight.shape[2] // 2))[0, :, 0].t()


class _ImageConv(torch.autograd.Function):
    """Convolution by oneDNN, in float32 on a CPU."""

    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return _image_conv(x, weight)

    @staticmethod
    def backward(ctx, grad: Tensor):
        x, weight = ctx.saved_tensors
        grad = grad.contiguous()
        grad_x = grad_weight = None
        with torch.autocast('cpu', enabled=False):
            if ctx.needs_input_grad[0]:
                grad_x = _image_conv(grad, weight.flip(2).transpose(0, 1))
            if ctx.needs_input_grad[1]:
                first = [y.t().contiguous()[None] for y in (grad, x)]  # (1, D, R), (1, C, R)
                _, grad_weight, _ = torch.ops.aten.convolution_backward(
                    *first, weight, None, [1], [weight.shape[2] // 2], [1], False, [0], 1,
                    [False, True, False])
        return grad_x, grad_weight


def dense_conv(x: Tensor, weight: Tensor) -> Tensor:
    """Convolution at stride 1, without bias.

    Args:
        x (Tensor): (R, C), zero in gaps, which are at least half as wide as the kernel.
        weight (Tensor): (D, C, k), k odd.

    Returns:
        Tensor: (R, D) in :func:`compute_dtype`, without meaning in gaps.
    """
    dtype = compute_dtype(x, weight)
    x = x.to(dtype).contiguous()
    if is_exported():
        return F.conv1d(x.t()[None], weight.to(dtype), padding='same')[0].t()
    if by_onednn(x) and weight.dtype == torch.float32:
        return _ImageConv.apply(x, weight)
    return _GemmConv.apply(x, weight)


def _product(x: Tensor, weight: Tensor, bias: Optional[Tensor] = None) -> Tensor:
    """``x @ weight.t() + bias`` of (N, C) and (D, C), both float32 on a CPU, by oneDNN."""
    return F.linear(x.contiguous().to_mkldnn(), weight.contiguous(), bias).to_dense()


class _Linear(torch.autograd.Function):
    """Linear layer by oneDNN."""

    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor, bias: Optional[Tensor]) -> Tensor:
        ctx.save_for_backward(x, weight)
        return _product(x, weight, bias)

    @staticmethod
    def backward(ctx, grad: Tensor):
        x, weight = ctx.saved_tensors
        with torch.autocast('cpu', enabled=False):
            grad_x = _product(grad, weight.t()) if ctx.needs_input_grad[0] else None
            grad_weight = _product(grad.t(), x.t()) if ctx.needs_input_grad[1] else None
        return grad_x, grad_weight, grad.sum(0) if ctx.needs_input_grad[2] else None


def linear(x: Tensor, weight: Tensor, bias: Optional[Tensor] = None) -> Tensor:
    """A linear layer on rows.

    Args:
        x (Tensor): (N, C).
        weight (Tensor): (D, C).
        bias (Tensor, optional): (D,). Defaults to None.

    Returns:
        Tensor: (N, D) in :func:`compute_dtype`.
    """
    dtype = compute_dtype(x, weight)
    x, weight = x.to(dtype), weight.to(dtype)
    bias = None if bias is None else bias.to(dtype)
    if by_onednn(x) and x.shape[0]:
        return _Linear.apply(x, weight, bias)
    return F.linear(x, weight, bias)


def dense_taps(taps: list[Tensor], weight: Tensor) -> Tensor:
    """Convolution of rows that were gathered, at any stride, without bias.

    Args:
        taps (list[Tensor]): For each tap the rows (N, C) that it is multiplied with.
        weight (Tensor): (D, C, k).

    Returns:
        Tensor: (N, D) in :func:`compute_dtype`.
    """
    return linear(torch.cat(taps, dim=1), weight.permute(0, 2, 1).flatten(1))


class _DepthwiseConv(torch.autograd.Function):
    """Depth-wise convolution along one dimension of x, zeros beyond either end.

    Taps (k, ...) and bias broadcast to x, of whose type they are.
    """

    @staticmethod
    def forward(ctx, x: Tensor, taps: Tensor, bias: Tensor, dim: int, before: int) -> Tensor:
        ctx.save_for_backward(x, taps)
        ctx.dim, ctx.before, ctx.bias_shape = dim, before, bias.shape
        (_, _, middle), *others = shifted_pairs(x.shape[dim], len(taps), before)
        out = torch.addcmul(bias, x, taps[middle])
        for to, of, tap in others:
            _part(out, dim, to).addcmul_(_part(x, dim, of), taps[tap])
        return out

    @staticmethod
    def backward(ctx, grad: Tensor):
        x, taps = ctx.saved_tensors
        dim = ctx.dim
        grad_x = grad_taps = None
        (_, _, middle), *others = pairs = shifted_pairs(x.shape[dim], len(taps), ctx.before)
        if ctx.needs_input_grad[0]:
            grad_x = grad * taps[middle]
            for to, of, tap in others:
                _part(grad_x, dim, of).addcmul_(_part(grad, dim, to), taps[tap])
        if ctx.needs_input_grad[1]:
            # a tap that looks beyond both ends everywhere has no part in the result
            of_tap = [taps.new_zeros(taps.shape[1:])] * len(taps)
            for to, of, tap in pairs:
                products = _part(x, dim, of) * _part(grad, dim, to)
                of_tap[tap] = products.sum_to_size(taps.shape[1:])
            grad_taps = torch.stack(of_tap)
        return grad_x, grad_taps, grad.sum_to_size(ctx.bias_shape), None, None


def _part(x: Tensor, dim: int, rows: slice) -> Tensor:
    return x.narrow(dim, rows.start, rows.stop - rows.start)


def depthwise_along(x: Tensor, taps: Tensor, bias: Tensor, dim: int,
                    before: Optional[int] = None) -> Tensor:
    """Depth-wise convolution along any dimension, with zeros beyond either end.

    Args:
        x (Tensor): Of any shape.
        taps (Tensor): (k, ...); each broadcasts to x, in which it is 1 along ``dim``.
        bias (Tensor): Broadcasts likewise.
        dim (int): Dimension, negative.
        before (int, optional): How many taps see earlier steps. Defaults to None: half of k - 1,
            k odd.

    Returns:
        Tensor: As x, in the wider type of x and taps.
    """
    dtype = torch.promote_types(x.dtype, taps.dtype)
    x, taps, bias = x.to(dtype), taps.to(dtype), bias.to(dtype)
    before = len(taps) // 2 if before is None else before
    if is_exported():  # of any size, also one smaller than the kernel
        size = x.shape[dim]
        padded = F.pad(x, (*[0, 0] * (-dim - 1), before, len(taps) - 1 - before))
        for shift, tap in enumerate(taps.unbind()):
            bias = torch.addcmul(bias, padded.narrow(dim, shift, size), tap)
        return bias
    return _DepthwiseConv.apply(x, taps, bias, dim, before)


def depthwise_conv(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Depth-wise convolution of a table at stride 1.

    Args:
        x (Tensor): (R, C), zero in gaps, which are at least half as wide as the kernel.
        weight (Tensor): (C, 1, k), k odd.
        bias (Tensor): (C,).

    Returns:
        Tensor: (R, C) in the wider type of x and weight; without meaning in gaps.
    """
    if weight.shape[2] == 1:
        return torch.addcmul(bias, x, weight[:, 0, 0])
    # (k, 1, C), contiguous: the products along a row are of neighbours in memory
    return depthwise_along(x, weight.permute(2, 1, 0).contiguous(), bias, -2)


def depthwise_taps(taps: list[Tensor], weight: Tensor, bias: Tensor) -> Tensor:
    """Depth-wise convolution of rows that were gathered, at any stride.

    Args:
        taps (list[Tensor]): For each tap the rows (N, C) that it is multiplied with.
        weight (Tensor): (C, 1, k).
        bias (Tensor): (C,).

    Returns:
        Tensor: (N, C).
    """
    out = bias
    for tap, factor in zip(taps, weight[:, 0].unbind(1)):
        out = torch.addcmul(out, tap, factor)
    return out
