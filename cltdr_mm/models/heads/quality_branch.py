"""A quality branch: how well a point's own boundaries fit, predicted to rank what is found."""
from typing import Optional

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn

from ...structures import Layout, PackedRows, segment_iou
from ..layers import Conv
from ..task_modules import Actions, Pairs, mean_over_ranks


@MODELS.register_module()
class QualityBranch(BaseModule):

    def __init__(self,
                 in_channels: int,
                 feat_channels: int = 64,
                 exponent: float = 0.5,
                 loss_weight: float = 1.0,
                 boundary: bool = True,
                 steps=(-4., -2., -1., 0., 1., 2., 4.),
                 parts=(),
                 extra: float = 1.,
                 same_class: bool = False,
                 detach: bool = True,
                 hidden_layers: int = 1,
                 dropout: float = 0.,
                 loss: str = 'bce',
                 jitter: int = 4,
                 jitter_low: float = 0.01,
                 jitter_high: float = 0.3,
                 use_own: bool = False,
                 use_class: int = 0,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg=init_cfg)
        self.exponent = exponent
        self.loss_weight = loss_weight
        self.extra = extra
        self.same_class = same_class
        self.detach = detach
        self.loss_type = loss
        # (start's share, end's share, grid steps)
        samples = []
        if boundary:
            samples += [(1., 0., s) for s in steps] + [(0., 1., s) for s in steps]
            samples += [(1. - p, p, 0.) for p in parts]
        self.samples = samples
        self.use_own = use_own
        self.jitter, self.jitter_range = jitter, (jitter_low, jitter_high)
        if use_own:
            self.own = Conv(in_channels, feat_channels, 3)
        if samples:
            self.sampled = Conv(in_channels, feat_channels * len(samples), 1, bias=False)
        self.shape = nn.Linear(4, feat_channels)
        self.norm = nn.LayerNorm(feat_channels)
        self.drop = nn.Dropout(dropout)
        self.hidden = nn.ModuleList(
            nn.Linear(feat_channels, feat_channels) for _ in range(hidden_layers))
        self.out = nn.Linear(feat_channels, 1)

    def forward(self, table: PackedRows, rows: Tensor, time: Tensor, stride: Tensor,
                segments: Tensor) -> Tensor:
        """Logits (N,) of the tIoU of segments (N, 2) in grid steps that rows (N,) decoded."""
        segments = segments.detach()
        x, layout = table.rows, table.layout
        x = x.detach() if self.detach else x
        hidden = self.own(x, layout)[rows] if self.use_own else 0.
        length = (segments[:, 1] - segments[:, 0]).clamp(min=1e-3)
        shape = torch.stack([length.log2(), (length / stride).log2(), stride.log2(),
                             (time - segments[:, 0]) / length], 1)
        hidden = hidden + self.shape(shape)
        if self.samples:
            hidden = hidden + self.look(x, layout, rows, segments)
        hidden = self.drop(F.relu(self.norm(hidden)))
        for layer in self.hidden:
            hidden = self.drop(F.relu(layer(hidden)))
        return self.out(hidden)[:, 0].float()

    def look(self, x, layout, rows, segments):
        first, last = finest_rows(layout)
        end = layout.num_rows if len(set(layout.levels)) == 1 else \
            layout.first[layout.levels.index(1)]
        sampled = self.sampled(x[:end])  # (R0, P * D)
        sampled = sampled.unflatten(1, (len(self.samples), -1))  # (R0, P, D)
        shares = segments.new_tensor(self.samples)  # (P, 3)
        at = segments @ shares[:, :2].T + shares[:, 2]  # (N, P)
        low = at.floor()
        weight = at - low
        first, size = first[rows][:, None], (last - first)[rows][:, None]
        number = torch.arange(len(self.samples), device=x.device)
        total = 0.
        for step, share in ((low, 1 - weight), (low + 1, weight)):
            inside = (step >= 0) & (step <= size)
            row = first + step.long().clamp(min=0).minimum(size)
            total = total + (sampled[row, number] * (share * inside)[..., None]).sum(1)
        return total

    def judged(self, logits: Tensor, layout: Layout, positives: Pairs) -> Pairs:
        """Whose quality is learned: the positives and as many of the best-scored other points."""
        row = positives.row
        first = row.diff(prepend=row.new_full((1, ), -1)) > 0
        best, label = logits.detach().max(1)
        if not self.extra:
            return Pairs(row, positives.label)
        free = layout.valid.index_fill(0, row, False)
        num = min(int(self.extra * len(row)), int(free.sum()))
        other = best.masked_fill(~free, -float('inf')).topk(num).indices
        return Pairs(torch.cat([row, other]), torch.cat([positives.label, label[other]]))

    def loss(self, logits: Tensor, segments: Tensor, pairs: Pairs, video: Tensor,
             actions: Actions) -> Tensor:
        with torch.no_grad():
            iou = segment_iou(segments, actions.segments)
            same = video[:, None] == actions.video
            if self.same_class:
                same &= pairs.label[:, None] == actions.labels
            iou = iou * same
            target = iou.amax(1) if iou.shape[1] else iou.sum(1)
        if self.loss_type == 'bce':
            loss = F.binary_cross_entropy_with_logits(logits, target, reduction='none')
        else:
            loss = (logits.sigmoid() - target).square() * 4
        count = mean_over_ranks(loss.new_tensor(float(len(loss)))).clamp(min=1)
        return self.loss_weight * loss.sum() / count

    def jittered(self, segments: Tensor, pairs: Pairs) -> tuple[Tensor, Pairs]:
        """Segments and copies of them with moved boundaries."""
        if not self.jitter:
            return segments, pairs
        copies = segments.repeat(self.jitter, 1)
        length = (copies[:, 1] - copies[:, 0]).clamp(min=0.1)[:, None]
        low, high = self.jitter_range
        scale = low * (high / low)**torch.rand_like(copies)
        moved = copies + length * scale * torch.randn_like(copies)
        moved = torch.stack([moved.amin(1), moved.amax(1)], 1)
        repeat = lambda x: x.repeat(self.jitter + 1)
        return torch.cat([segments, moved]), Pairs(*(repeat(x) for x in pairs))

    def fuse(self, scores: Tensor, quality: Tensor) -> Tensor:
        """``scores^(1 - a) * quality^a``."""
        return scores**(1 - self.exponent) * quality**self.exponent


def finest_rows(layout: Layout) -> tuple[Tensor, Tensor]:
    """First and last valid row on the finest level of every row's video, (R,) each."""
    spans = {}
    for first, length, level, video in zip(layout.first, layout.lengths, layout.levels,
                                           layout.videos):
        if level == min(layout.levels):
            spans[video] = first, first + length - 1
    return tuple(layout._per_row([spans[video][side] for video in layout.videos])
                 for side in (0, 1))
