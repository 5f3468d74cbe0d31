"""What the layers' ways of computing gain: each against what one would write first.

Every row is one layer on a table of rows, forward and backward, against the same layer by PyTorch's
own operator on (1, C, R), transposed copies included where rows are the input. CPU time, sides in
turn, median of the rounds; results are compared. `cltdr_mm/models/layers/convolution.py` chooses by
what this prints; run it before changing a choice, and on a new kind of machine.
"""
import argparse
import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from cltdr_mm.models.layers import ChannelLayerNorm, GroupNorm, convolution
from cltdr_mm.models.layers.pooling import max_pool
from cltdr_mm.structures import Layout

Layer = Callable[[Tensor], Tensor]


def conv1d(x: Tensor, weight: Tensor, **kwargs) -> Tensor:
    """PyTorch's convolution of rows (R, C), through transposed copies."""
    out = F.conv1d(x.t().contiguous()[None], weight, padding=weight.shape[2] // 2, **kwargs)
    return out[0].t().contiguous()


def gemm(x: Tensor, weight: Tensor) -> Tensor:
    """Convolution as products of shifted rows, whatever the type and device."""
    return convolution._GemmConv.apply(x, weight)


def rows_of(args: argparse.Namespace) -> dict[str, tuple[Tensor, Layer, Layer]]:
    """Per row of the table: the input, our layer, and PyTorch's."""
    torch.manual_seed(args.seed)
    layout = Layout([args.steps // 3, args.steps - args.steps // 3])
    size, width = layout.num_rows, args.width
    x = layout.zero_gaps(torch.randn(size, width))
    weight = torch.randn(width, width, 3) / width**0.5
    square = torch.randn(width, width) / width**0.5
    bias = torch.randn(width)
    norm, groups = ChannelLayerNorm(width), GroupNorm(16, width)
    half = x.bfloat16()
    table = {
        'convolution, kernel 3': (x, lambda y: convolution.dense_conv(y, weight.requires_grad_()),
                                  lambda y: conv1d(y, weight)),
        'the same as shifted products': (x, lambda y: gemm(y, weight),
                                         lambda y: conv1d(y, weight)),
        'convolution in bfloat16': (half, lambda y: gemm(y, weight),
                                    lambda y: conv1d(y, weight.bfloat16())),
        'linear layer': (x, lambda y: convolution.linear(y, square.requires_grad_()),
                         lambda y: F.linear(y, square)),
        'LayerNorm, gaps zeroed': (x, lambda y: norm(y, layout), lambda y: layer_norm(y, norm)),
        'GroupNorm': (x, lambda y: groups(y, layout), lambda y: group_norm(y, groups, layout)),
        'max-pooling': (x, lambda y: max_pool(y, layout)[0], lambda y: pool(y, layout)),
    }
    for kernel in (1, 3, 15):
        taps = (torch.randn(width, 1, kernel) / kernel).requires_grad_()
        table[f'depth-wise, kernel {kernel}'] = (
            x, lambda y, taps=taps: convolution.depthwise_conv(y, taps, bias),
            lambda y, taps=taps: conv1d(y, taps, bias=bias, groups=width))
    return table


def layer_norm(x: Tensor, norm: ChannelLayerNorm) -> Tensor:
    """LayerNorm of (1, C, R), by its formula, as published code has it."""
    x = x.t().contiguous()[None]
    centred = x - x.mean(dim=1, keepdim=True)
    scale = (centred.square().mean(dim=1, keepdim=True) + norm.eps).sqrt()
    return (centred / scale * norm.weight + norm.bias)[0].t().contiguous()


def group_norm(x: Tensor, norm: GroupNorm, layout: Layout) -> Tensor:
    """PyTorch's GroupNorm, sequence by sequence."""
    return layout.apply(lambda block: F.group_norm(
        block.transpose(1, 2).contiguous(), norm.num_groups, norm.weight, norm.bias,
        norm.eps).transpose(1, 2), x)


def pool(x: Tensor, layout: Layout) -> Tensor:
    """PyTorch's max-pooling, sequence by sequence."""
    return layout.half.join([
        F.max_pool1d(block.transpose(1, 2).contiguous(), 3, 2, 1).transpose(1, 2)
        for block in layout.blocks(x)])


def seconds(layer: Layer, x: Tensor) -> float:
    """CPU time of one forward and backward."""
    x = x.detach().requires_grad_()
    begin = time.process_time()
    out = layer(x)
    out.backward(torch.ones_like(out))
    return time.process_time() - begin


def difference(ours: Tensor, theirs: Tensor, rows: Tensor) -> float:
    """Largest difference of valid rows, in units of the largest value."""
    ours, theirs = (out[rows].float() for out in (ours, theirs))
    return float((ours - theirs).abs().max() / theirs.abs().max())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--steps', type=int, default=2304, help='of two videos together')
    parser.add_argument('--width', type=int, default=512)
    parser.add_argument('--rounds', type=int, default=15)
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--seed', type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    layout = Layout([args.steps // 3, args.steps - args.steps // 3])
    print(f'torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}, threads '
          f'{args.threads}, {args.steps} steps, width {args.width}, seed {args.seed}')
    print('| layer, forward and backward | PyTorch, ms | ours, ms | ratio | difference |')
    print('|---|---|---|---|---|')
    for name, (x, ours, theirs) in rows_of(args).items():
        times: list[list[float]] = [[], []]
        for round_number in range(args.rounds + 1):
            for side, layer in enumerate((theirs, ours)):
                spent = seconds(layer, x)
                if round_number:  # the first one allocates
                    times[side].append(1000 * spent)
        slow, fast = (statistics.median(side) for side in times)
        rows = (layout.half if name == 'max-pooling' else layout).valid_rows
        with torch.no_grad():
            apart = difference(ours(x), theirs(x), rows)
        print(f'| {name} | {slow:.2f} | {fast:.2f} | {slow / fast:.2f} | {apart:.0e} |')


if __name__ == '__main__':
    main()
