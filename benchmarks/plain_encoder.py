"""Encoder of the plain model: GMG as published, padding not told apart from features."""
import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Norm(nn.Module):
    """LayerNorm over the channels of every step of (B, C, T)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1, channels, 1))
        self.bias = nn.Parameter(torch.zeros(1, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise."""
        centred = x - x.mean(dim=1, keepdim=True)
        variance = (centred**2).mean(dim=1, keepdim=True)
        return centred / torch.sqrt(variance + 1e-5) * self.weight + self.bias


class MaskedConv(nn.Module):
    """Convolution that keeps the length, times the mask."""

    def __init__(self, inputs: int, outputs: int, kernel: int, bias: bool = True) -> None:
        super().__init__()
        self.conv = nn.Conv1d(inputs, outputs, kernel, padding=kernel // 2, bias=bias)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Convolve, then zero the padding."""
        return self.conv(x) * mask


class Filter(nn.Module):
    """Global view: the spectrum times a filter made from it by two complex affine maps."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        for name, shape in (('w1', (2, channels, 1)), ('b1', (2, channels)),
                            ('w2', (2, channels, 1)), ('b2', (2, channels))):
            setattr(self, name, nn.Parameter(0.02 * torch.randn(shape)))

    def forward(self, x: Tensor) -> Tensor:
        """Filter (B, C, T)."""
        spectrum = torch.fft.rfft(x, norm='ortho')
        real, imag = spectrum.real, spectrum.imag
        (w1, v1), (w2, v2) = self.w1, self.w2
        (b1, c1), (b2, c2) = self.b1[..., None], self.b2[..., None]
        first = F.relu(real * w1 - imag * v1 + b1)
        second = F.relu(imag * w1 + real * v1 + c1)
        weight = torch.stack([first * w2 - second * v2 + b2, second * w2 + first * v2 + c2], -1)
        weight = torch.view_as_complex(F.softshrink(weight, 0.001))
        return torch.fft.irfft(spectrum * weight, n=x.shape[-1], norm='ortho')


class DropPath(nn.Module):
    """Factor per channel on a residual branch that training may drop."""

    def __init__(self, channels: int, drop_prob: float) -> None:
        super().__init__()
        self.drop_prob = drop_prob
        self.scale = nn.Parameter(torch.full((1, channels, 1), 1e-4))

    def forward(self, x: Tensor) -> Tensor:
        """Scale, and drop whole samples in training."""
        x = x * self.scale
        if self.training and self.drop_prob > 0:
            keep = 1 - self.drop_prob
            x = x.div(keep) * (torch.rand(len(x), 1, 1, device=x.device) < keep)
        return x


class Block(nn.Module):
    """GMG block; a branch block halves the grid first."""

    def __init__(self, channels: int, hidden: int, kernel: int, stride: int,
                 drop_path: float) -> None:
        super().__init__()
        self.stride = stride
        self.ln = Norm(channels)
        self.gn = nn.GroupNorm(16, channels)
        self.mlp = nn.Sequential(nn.Conv1d(channels, hidden, 1), nn.GELU(),
                                 nn.Conv1d(hidden, channels, 1))
        self.fc = nn.Conv1d(channels, channels, 1, groups=channels)
        self.convw = nn.Conv1d(channels, channels, kernel, padding=kernel // 2, groups=channels)
        self.global_mixer = Filter(channels)
        dropped = stride > 1 and drop_path > 0
        self.drop_path_out = DropPath(channels, drop_path) if dropped else nn.Identity()
        self.drop_path_mlp = DropPath(channels, drop_path) if dropped else nn.Identity()

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """From (B, C, T) and mask (B, 1, T) to those of the block's grid."""
        if self.stride > 1:
            x, mask = F.max_pool1d(x, 3, self.stride, 1), mask[..., ::self.stride]
        y = self.ln(x)
        wide = self.global_mixer(y)
        local = wide * self.convw(y)
        instant = local * self.fc(y)
        x = x * mask + self.drop_path_out(y + instant + local + wide)
        return x + self.drop_path_mlp(self.mlp(self.gn(x))), mask


class Encoder(nn.Module):
    """Embedding, stem and branch."""

    def __init__(self, in_channels: int, embed_dims: int, arch, ffn_dims: int, kernel_size: int,
                 embed_kernel_size: int, drop_path: float) -> None:
        super().__init__()
        widths = [in_channels] + [embed_dims] * arch[0]
        self.embd = nn.ModuleList(MaskedConv(i, o, embed_kernel_size, bias=False)
                                  for i, o in zip(widths, widths[1:]))
        self.embd_norm = nn.ModuleList(Norm(embed_dims) for _ in self.embd)
        self.stem = nn.ModuleList(
            Block(embed_dims, ffn_dims, 1, 1, drop_path) for _ in range(arch[1]))
        self.branch = nn.ModuleList(
            Block(embed_dims, ffn_dims, kernel_size, 2, drop_path) for _ in range(arch[2]))

    def forward(self, x: Tensor, mask: Tensor) -> tuple[list, list]:
        """Pyramid and masks, finest level first."""
        for conv, norm in zip(self.embd, self.embd_norm):
            x = F.relu(norm(conv(x, mask)))
        for block in self.stem:
            x, mask = block(x, mask)
        feats, masks = [x], [mask]
        for block in self.branch:
            x, mask = block(x, mask)
            feats.append(x)
            masks.append(mask)
        return feats, masks


class Neck(nn.Module):
    """A norm for every level."""

    def __init__(self, channels: int, num_levels: int) -> None:
        super().__init__()
        self.fpn_norms = nn.ModuleList(Norm(channels) for _ in range(num_levels))
