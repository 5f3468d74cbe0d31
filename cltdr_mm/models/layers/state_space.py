"""Mamba's selective state space layer and its two bidirectional forms, on tables of rows.

Source: Mamba (Gu and Dao, 2023); Vision Mamba (Zhu et al., 2024) for ViM; Video Mamba Suite (Chen
et al., 2024) for DBM. With [a; z] = in_proj x,

    u = SiLU(conv a),  [r; B; C] = x_proj u,  dt = softplus(dt_proj r)
    y = scan(u, dt, -exp(A_log), B, C) + D u,  out = out_proj(y SiLU(z))

Parameters carry the published names. Letters: R rows, D width, E inner width, G directions, N
states, k taps.
"""
import math
from collections.abc import Sequence
from typing import Optional

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...structures import Layout
from .convolution import depthwise_along, linear
from .selective_scan import selective_scan


class Linear(nn.Linear):
    """A linear layer, computed as all of this library's are.

    Args:
        in_features (int): Channels of the input.
        out_features (int): Channels of the output.
        bias (bool): Whether to learn a bias. Defaults to False.
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = False) -> None:
        super().__init__(in_features, out_features, bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., C) to (..., D)."""
        return linear(x.flatten(0, -2), self.weight, self.bias).view(*x.shape[:-1], -1)


class CausalConv(nn.Conv1d):
    """Depth-wise convolution that sees the present row and those before it.

    Args:
        channels (int): Channels E.
        kernel_size (int): Taps k; the last one is of the present row.
    """

    def __init__(self, channels: int, kernel_size: int) -> None:
        super().__init__(channels, channels, kernel_size, groups=channels)
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor, layout: Layout) -> Tensor:
        """Convolve.

        Args:
            x (Tensor): (R, G, E), zero in gaps.
            layout (Layout): Of its rows.

        Returns:
            Tensor: (R, G, E), without meaning in gaps.
        """
        before = self.kernel_size[0] - 1
        return depthwise_directions(x, self.weight, self.bias, layout, before)


def depthwise_directions(x: Tensor, weight: Tensor, bias: Tensor, layout: Layout,
                         before: int) -> Tensor:
    """Depth-wise convolution of every direction.

    Args:
        x (Tensor): (R, G, E), zero in gaps.
        weight (Tensor): (E, 1, k).
        bias (Tensor): (E,).
        layout (Layout): Of the rows.
        before (int): How many of the taps see earlier rows; at least half of the others.

    Returns:
        Tensor: (R, G, E), without meaning in gaps.
    """
    if before > layout.gap:
        wide = layout.with_gap(before)
        moved = layout.move(x.flatten(1), wide).view(-1, *x.shape[1:])
        out = depthwise_directions(moved, weight, bias, wide, before)
        return wide.move(out.flatten(1), layout).view_as(x)
    taps = weight.permute(2, 1, 0).contiguous()[:, None]  # (k, 1, 1, E)
    return depthwise_along(x, taps, bias, -3, before)


def reverse(x: Tensor, layout: Layout) -> Tensor:
    """Turn the seen rows of every sequence of a table (R, C) around, zero in gaps."""
    return layout.apply(lambda block: block.flip(1), x)


class StateSpace(nn.Module):
    """What lies between Mamba's projections: convolution, what is made of it, scan and skip.

    Args:
        channels (int): Inner width E.
        rank (int): Width of what step sizes are made of.
        num_states (int): States N of a channel. Defaults to 16.
        kernel_size (int): Taps k of the convolution. Defaults to 4.
        paths (Sequence[str]): One for each set of parameters, what is added to their names.
            Defaults to one, whose names are the published ones.
    """

    #: Decayed in all published trainings: for :func:`.takes_weight_decay`.
    with_weight_decay = ('A_log', 'A_b_log', 'D', 'D_b')

    def __init__(self,
                 channels: int,
                 rank: int,
                 num_states: int = 16,
                 kernel_size: int = 4,
                 paths: Sequence[str] = ('', )) -> None:
        super().__init__()
        self.channels = channels
        self.sizes = [rank, num_states, num_states]
        self.paths = tuple(paths)
        for path in paths:
            self.add_module(f'conv1d{path}', CausalConv(channels, kernel_size))
            self.add_module(f'x_proj{path}', Linear(channels, sum(self.sizes)))
            self.add_module(f'dt_proj{path}', step_size_layer(rank, channels))
            rates = torch.arange(1., num_states + 1).log().repeat(channels, 1)  # (E, N)
            self.register_parameter(f'A{path}_log', nn.Parameter(rates))
            self.register_parameter(f'D{path}', nn.Parameter(torch.ones(channels)))

    def scan(self, a: Tensor, layout: Layout) -> Tensor:
        """Run every direction, from its first row to its last.

        Args:
            a (Tensor): (R, G, E), zero in gaps. With several sets of parameters, there is one for
                each direction.
            layout (Layout): Of its rows.

        Returns:
            Tensor: (R, G, E) of the type of a, what stands in gaps does not matter.
        """
        shared = len(self.paths) == 1
        parts = [self.inputs(path, part, layout) for path, part in
                 zip(self.paths, [a] if shared else a.split(1, dim=1))]
        # each (R, G, E) or (R, G, N)
        u, dt, b, c = parts[0] if shared else (torch.cat(part, 1) for part in zip(*parts))
        logs = torch.stack([getattr(self, f'A{path}_log') for path in self.paths])  # (1 or G, E, N)
        rates = -logs.to(dt.dtype).exp().expand(a.shape[1], -1, -1)
        skips = torch.stack([getattr(self, f'D{path}') for path in self.paths])
        y = selective_scan(u, dt, rates, b, c, layout)
        return torch.addcmul(y, u.to(y.dtype), skips.to(y.dtype)).to(a.dtype)

    def inputs(self, path: str, a: Tensor, layout: Layout) -> tuple[Tensor, ...]:
        """What the scan takes of a direction (R, G, E): its u, dt, B and C."""
        u = F.silu(getattr(self, f'conv1d{path}')(a, layout))
        r, b, c = getattr(self, f'x_proj{path}')(u).split(self.sizes, dim=-1)
        layer = getattr(self, f'dt_proj{path}')
        dt = linear(r.flatten(0, 1), layer.weight).view(*r.shape[:2], -1)
        # the bias in float32 at least: step sizes are small, and add up
        dtype = torch.promote_types(dt.dtype, torch.float32)
        return u, F.softplus(dt.to(dtype) + layer.bias.to(dtype)), b, c


def step_size_layer(rank: int, channels: int) -> Linear:
    """Mamba's ``dt_proj``: biases such that step sizes start log-uniform in 0.001 to 0.1."""
    layer = Linear(rank, channels, bias=True)
    nn.init.uniform_(layer.weight, -rank**-0.5, rank**-0.5)
    with torch.no_grad():
        sizes = torch.empty(channels).uniform_(math.log(1e-3), math.log(0.1)).exp()
        sizes = sizes.clamp(min=1e-4)
        layer.bias.copy_(sizes + (-torch.expm1(-sizes)).log())  # softplus of it is the size
    return layer


class Mamba(StateSpace):
    """Mamba's layer, forwards in time.

    Args:
        width (int): Width D.
        expand (int): Inner width E by D. Defaults to 2.
        num_states (int): States N of a channel. Defaults to 16.
        kernel_size (int): Taps k of the convolution. Defaults to 4.
        rank (int, optional): Width of what step sizes are made of. Defaults to D / 16, rounded up.
    """

    #: Widths E of in_proj's outputs and out_proj's inputs, and sets of parameters.
    streams, merged, sets = 2, 1, ('', )

    def __init__(self,
                 width: int,
                 expand: int = 2,
                 num_states: int = 16,
                 kernel_size: int = 4,
                 rank: Optional[int] = None) -> None:
        super().__init__(expand * width, rank or math.ceil(width / 16), num_states, kernel_size,
                         self.sets)
        self.in_proj = Linear(width, self.streams * self.channels)
        self.out_proj = Linear(self.merged * self.channels, width)

    def forward(self, x: Tensor, layout: Layout) -> Tensor:
        """Mix the rows of every sequence.

        Args:
            x (Tensor): (R, D), zero in gaps.
            layout (Layout): Of its rows.

        Returns:
            Tensor: (R, D), what stands in gaps does not matter.
        """
        a, z = self.in_proj(x).chunk(2, dim=1)  # (R, E) each
        return self.out_proj(self.scan(a[:, None], layout)[:, 0] * F.silu(z))


class ViM(Mamba):
    """Both directions of one projection, each with its own parameters; their sum is gated.

    Args:
        width (int): See :class:`Mamba`, as are the others.
        **kwargs: Of it.
    """

    sets = '', '_b'

    def __init__(self, width: int, **kwargs) -> None:
        super().__init__(width, **kwargs)
        nn.init.zeros_(self.dt_proj_b.bias)  # as published: its steps start at 0.69

    def forward(self, x: Tensor, layout: Layout) -> Tensor:
        """See :meth:`Mamba.forward`."""
        a, z = self.in_proj(x).chunk(2, dim=1)
        y = self.scan(torch.stack([a, reverse(a, layout)], dim=1), layout)
        return self.out_proj((y[:, 0] + reverse(y[:, 1], layout)) * F.silu(z))


class DBM(Mamba):
    """Both directions, each with its own projection and gate; what lies between is shared.

    Args:
        width (int): See :class:`Mamba`, as are the others.
        expand (int): Defaults to 1.
        **kwargs: Of it.
    """

    streams, merged = 4, 2

    def __init__(self, width: int, expand: int = 1, **kwargs) -> None:
        super().__init__(width, expand, **kwargs)

    def forward(self, x: Tensor, layout: Layout) -> Tensor:
        """See :meth:`Mamba.forward`."""
        a, z, a_back, z_back = self.in_proj(x).chunk(4, dim=1)
        y = self.scan(torch.stack([a, reverse(a_back, layout)], dim=1), layout)
        return self.out_proj(torch.cat([
            y[:, 0] * F.silu(z), reverse(y[:, 1], layout) * F.silu(z_back)], dim=1))
