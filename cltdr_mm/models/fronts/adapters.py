"""Adapters of a block: small trained layers beside or behind a frozen video transformer's.

The temporal-informative adapter (TIA) is that of AdaTAD (Liu et al., *End-to-End Temporal Action
Detection with 1B Parameters Across 1000 Frames*, CVPR 2024, arXiv 2311.17241, section 3). State
dicts have the published names.
"""
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from ..layers import depthwise_along


@dataclass(frozen=True)
class ClipTokens:
    """What tokens (K, t * h * w, C) of the clips of several videos are.

    Within a clip they are in the order (tubelet, row, column).

    Args:
        size (tuple[int, int, int]): Tubelets t, rows h and columns w of a clip.
        clips_per_video (Sequence[int]): Clips of each video, which lie one after another; K in all.
        own_clips (Sequence[int]): How many of them, the first ones, hold frames of the video; what
            follows only fills a batch.

    Raises:
        ValueError: If a video has no clip, or more clips of its own than clips.
    """

    size: tuple[int, int, int]
    clips_per_video: Sequence[int]
    own_clips: Sequence[int]

    def __post_init__(self):
        if len(self.own_clips) != len(self.clips_per_video) or not all(
                0 < own <= clips for clips, own in zip(self.clips_per_video, self.own_clips)):
            raise ValueError(f'videos of {list(self.clips_per_video)} clips cannot have '
                             f'{list(self.own_clips)} of their own')

    def videos(self, x: Tensor) -> list[Tensor]:
        """Tokens (K, t * h * w, C) by video: (T', h * w, C) each, zero where it has no frames."""
        tubelets, rows, columns = self.size
        if x.shape[:2] != (sum(self.clips_per_video), tubelets * rows * columns):
            raise ValueError(f'tokens of shape {tuple(x.shape)} are not those of '
                             f'{sum(self.clips_per_video)} clips of {self.size}')
        videos = x.reshape(-1, rows * columns, x.shape[2]).split(
            [clips * tubelets for clips in self.clips_per_video])
        filled = [(clips - own) * tubelets
                  for clips, own in zip(self.clips_per_video, self.own_clips)]
        return [nn.functional.pad(video[:len(video) - zeros], (0, 0, 0, 0, 0, zeros))
                if zeros else video for video, zeros in zip(videos, filled)]


class BlockAdapter(BaseModule):
    """Plain adapter: ``gamma * Wu GELU(Wd x)``, token by token.

    What it adds is zero at first: a network with adapters starts as the network without.

    Args:
        embed_dims (int): Channels C of the tokens.
        ratio (float): Width inside, H = int(C * ratio).

    Raises:
        ValueError: If there would be no channel inside.
    """

    def __init__(self, embed_dims: int, ratio: float) -> None:
        super().__init__()
        hidden = int(embed_dims * ratio)
        if hidden < 1:
            raise ValueError(f'an adapter of ratio {ratio} has no channel inside, of {embed_dims}')
        self.gamma = nn.Parameter(torch.ones(1))
        self.down_proj = nn.Linear(embed_dims, hidden)
        self.act = nn.GELU()
        self.up_proj = nn.Linear(hidden, embed_dims)
        self.init_weights()

    def init_weights(self) -> None:
        """Set the values of the start.

        A network's ``init_cfg`` draws all linear layers in it, these included; its children, which
        come after it, then say what is theirs.
        """
        nn.init.ones_(self.gamma)
        nn.init.trunc_normal_(self.down_proj.weight, std=.02, a=-2., b=2.)
        for param in (self.down_proj.bias, self.up_proj.weight, self.up_proj.bias):
            nn.init.zeros_(param)

    def forward(self, x: Tensor, tokens: ClipTokens) -> Tensor:
        """What is added to the tokens.

        Args:
            x (Tensor): (K, N, C).
            tokens (ClipTokens): What they are.

        Returns:
            Tensor: (K, N, C).
        """
        inside = self.act(self.down_proj(x))
        return self.gamma * self.up_proj(self.mix(inside, tokens))

    def mix(self, inside: Tensor, tokens: ClipTokens) -> Tensor:
        """What happens between the two projections, (K, N, H) to (K, N, H)."""
        return inside


class TemporalBlockAdapter(BlockAdapter):
    """Temporal-informative adapter: ``gamma * Wu (u + g)``, u = GELU(Wd x), g a view of time of u.

    g is a depth-wise convolution and a 1x1 one over the tubelets of the whole video, at each place
    of the picture by itself. It is the only way by which clips see each other.

    Args:
        embed_dims (int): Channels C of the tokens.
        ratio (float): Width inside, H = int(C * ratio).
        kernel_size (int): Of the depth-wise convolution, odd.
        dilation (int): Tubelets from tap to tap.

    Raises:
        ValueError: On an even kernel, a dilation below 1, or no channel inside.
    """

    def __init__(self, embed_dims: int, ratio: float, kernel_size: int, dilation: int) -> None:
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(f'kernel_size of an adapter must be odd, got {kernel_size}')
        if dilation < 1:
            raise ValueError(f'dilation of an adapter must be at least 1, got {dilation}')
        super().__init__(embed_dims, ratio)
        hidden = self.up_proj.in_features
        self.dwconv = nn.Conv1d(hidden, hidden, kernel_size, dilation=dilation, groups=hidden)
        self.conv = nn.Conv1d(hidden, hidden, 1)
        self.init_weights()

    def init_weights(self) -> None:
        """Set the values of the start, see :class:`BlockAdapter`."""
        super().init_weights()
        for name in ('dwconv', 'conv'):
            if hasattr(self, name):  # the base class asks before they are there
                weight, bias = getattr(self, name).parameters()
                nn.init.normal_(weight, std=(2 / weight[0].numel())**.5)
                nn.init.zeros_(bias)

    def mix(self, inside: Tensor, tokens: ClipTokens) -> Tensor:
        """``u + g``, (K, N, H)."""
        videos = [video + self.look_around(video) for video in tokens.videos(inside)]
        return torch.cat(videos).reshape(inside.shape)

    def look_around(self, video: Tensor) -> Tensor:
        """The view of time g of one video, (T', h * w, H) to the same."""
        taps = self.dwconv.weight.permute(2, 1, 0)  # (k, 1, H)
        step = self.dwconv.dilation[0]
        if step > 1:  # zeros between the taps
            spread = taps.new_zeros((len(taps) - 1) * step + 1, *taps.shape[1:])
            spread[::step] = taps
            taps = spread
        seen = depthwise_along(video, taps.contiguous(), self.dwconv.bias, -3)
        return seen @ self.conv.weight[:, :, 0].t() + self.conv.bias
