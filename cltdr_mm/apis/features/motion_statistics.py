"""Statistics of colour and motion: features without weights, which nobody trained.

They know nothing about objects or people. They tell apart how things move, where in the picture,
and how fast: enough to try a whole pipeline, or for a fixed camera and plain motion.

The motion of a cell is that of Lucas and Kanade, 1981; that of the frame as a whole is the affine
one of Bergen et al., 1992 (of which translation, growth, turn and shear are read), both by least
squares on the pixels that change.
"""
import torch
import torch.nn.functional as F
from torch import Tensor, nn

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
_CHANGE = 0.02  # of the range of brightness: a pixel that changes by it counts half
_RIDGE = 1e-4  # squared gradient, below which there is nothing to see moving


class MotionStatistics(nn.Module):
    """Colour and motion of a clip, on a coarse grid and as a whole.

    Per cell: colour (3), its deviation over time, absolute change from frame to frame, motion
    (2). As a whole: the affine motion, mean and mean absolute value (6 each), and how brightness,
    place and extent of what changes develop (10). Motion is in pixels a frame. All are scaled to
    the order of one.

    Args:
        grid (int): Cells along each side. Defaults to 4: 134 channels.
    """

    def __init__(self, grid: int = 4):
        super().__init__()
        self.grid = grid

    def forward(self, clips: Tensor) -> Tensor:
        """Describe clips.

        Args:
            clips (Tensor): (N, 3, T, H, W), RGB in 0..1, T at least 2.

        Returns:
            Tensor: (N, 7 * grid * grid + 22).
        """
        colour = self._cells(clips.flatten(1, 2)).unflatten(1, clips.shape[1:3])
        grey = (clips * clips.new_tensor(_LUMA).view(1, 3, 1, 1, 1)).sum(1)  # (N, T, H, W)
        change = grey[:, 1:] - grey[:, :-1]
        smooth = _blur(grey)
        middle = (smooth[:, 1:] + smooth[:, :-1]) / 2
        down, right = torch.gradient(middle, dim=(2, 3))
        later = smooth[:, 1:] - smooth[:, :-1]
        # what stands still says nothing of the motion of what moves before it
        weight = later.abs() / (later.abs() + _CHANGE)
        parts = [
            2 * colour.mean(2) - 1,  # (N, 3, g, g)
            10 * colour.mean(1).std(1, keepdim=True),
            10 * self._cells(change.abs()).mean(1, keepdim=True),
            self._cell_motion(right, down, later, weight)]
        whole = [_affine(right, down, later, weight), _development(grey, change)]
        return torch.cat([part.flatten(1) for part in parts + whole], dim=1)

    def _cells(self, frames: Tensor) -> Tensor:
        return F.adaptive_avg_pool2d(frames, self.grid)

    def _cell_motion(self, right: Tensor, down: Tensor, later: Tensor, weight: Tensor) -> Tensor:
        """(N, T, H, W) derivatives -> (N, 2, g, g), pixels a frame to the right and down."""
        def total(product):
            return self._cells(weight * product).mean(1)

        xx, yy, xy = (total(a * b) for a, b in ((right, right), (down, down), (right, down)))
        xt, yt = total(right * later), total(down * later)
        xx, yy = xx + _RIDGE, yy + _RIDGE
        area = xx * yy - xy * xy
        return torch.stack([xy * yt - yy * xt, xy * xt - xx * yt], dim=1) / area[:, None]


def _blur(frames: Tensor) -> Tensor:
    """Two box filters: motion of a few pixels is small against what is left of an edge."""
    for _ in range(2):
        frames = F.avg_pool2d(frames, 3, stride=1, padding=1, count_include_pad=False)
    return frames


def _positions(frames: Tensor) -> tuple[Tensor, Tensor]:
    """Place of each pixel, -1 to 1: (W,) and (H, 1)."""
    height, width = frames.shape[-2:]
    return (torch.linspace(-1, 1, width, device=frames.device),
            torch.linspace(-1, 1, height, device=frames.device)[:, None])


def _centre(weight: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Of (N, T, H, W) weights: their mean place, x and y, its spread, and their mean; (N, T)."""
    x, y = _positions(weight)
    total = weight.sum((2, 3)) + 1e-6
    cx, cy = (weight * x).sum((2, 3)) / total, (weight * y).sum((2, 3)) / total
    away = (x - cx[..., None, None]) ** 2 + (y - cy[..., None, None]) ** 2
    return cx, cy, ((weight * away).sum((2, 3)) / total).sqrt(), weight.mean((2, 3))


def _affine(right: Tensor, down: Tensor, later: Tensor, weight: Tensor) -> Tensor:
    """(N, T, H, W) derivatives -> (N, 12): motion as a whole, around where it is."""
    x, y = _positions(later)
    cx, cy, _, _ = _centre(weight)
    x, y = x - cx[..., None, None], y - cy[..., None, None]
    slopes = torch.stack([right, right * x, right * y, down, down * x, down * y], -1)
    slopes = (slopes * weight.sqrt()[..., None]).flatten(2, 3)  # (N, T, H * W, 6)
    change = (later * weight.sqrt()).flatten(2)[..., None]
    # brightness that stays with what moves: slopes * motion = - change
    square = slopes.mT @ slopes / slopes.shape[2] + _RIDGE / 10 * torch.eye(
        6, device=slopes.device)
    found = torch.linalg.solve(square, -(slopes.mT @ change) / slopes.shape[2])[..., 0]
    a, b, c, d, e, f = found.unbind(-1)
    kinds = torch.stack([a, d, (b + f) / 2, (e - c) / 2, (b - f) / 2, (c + e) / 2], -1)
    return torch.cat([kinds.mean(1), kinds.abs().mean(1)], dim=1)


def _development(grey: Tensor, change: Tensor) -> Tensor:
    """(N, T, H, W) brightness and (N, T - 1, H, W) change -> (N, 10)."""
    weight = change.abs() / (change.abs() + _CHANGE) * change.abs()
    cx, cy, spread, amount = _centre(weight)
    there = amount / (amount + 1e-3)  # the place of nothing is no place
    signed = change.mean((2, 3))

    def drift(values: Tensor) -> Tensor:
        """Slope over time, (N,)."""
        time = torch.linspace(-1, 1, values.shape[1], device=values.device)
        return (there * values * time).mean(1) * 3

    return torch.stack([
        100 * signed.mean(1), 100 * signed.abs().mean(1), 10 * grey.mean((2, 3)).std(1),
        20 * change.clamp(min=0).mean((1, 2, 3)), 20 * (-change).clamp(min=0).mean((1, 2, 3)),
        drift(cx), drift(cy), drift(spread), (there * spread).mean(1), there.mean(1)], dim=1)
