"""QualityBranch, a part beside any point head (its ``quality``): judges what a head decoded.

It predicts how well a point's own boundaries fit, by which candidates are ranked. The head calls it
where it makes scores, and adds its loss.
"""
from collections.abc import Sequence
from typing import Optional

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn

from ...structures import Layout, PackedRows, segment_iou, split_levels
from ..layers import Conv
from ..parts import refuse_unknown
from ..task_modules import Actions, Pairs, PyramidPoints, mean_over_ranks

#: Smallest and largest move of a boundary in training, in lengths of the segment.
MOVES = (0.01, 0.3)


@MODELS.register_module()
class QualityBranch(BaseModule):
    """Predicts the tIoU of a point's decoded boundaries, whatever head decoded them.

    It looks at the finest level around both boundaries, and at the segment's length and the point's
    place in it; a perceptron turns that into a logit. It does not look at the point's own features:
    those have told the boundaries already.

    Boundaries of videos that a head trains on are better than those it will be asked about. So the
    branch learns from more than the positives: from the best-scored other points, and from copies
    of all segments with their boundaries moved by 0.01 to 0.3 lengths, as IoU-Net (Jiang et al.,
    ECCV 2018) does with boxes. It learns by binary cross entropy towards the largest tIoU with an
    action of the video. Neither boundaries nor tIoU get a gradient.

    In prediction a score p becomes ``p^(1 - a) * q^a`` (Wu et al., Image and Vision Computing 97,
    2020). A Gaussian soft-NMS decays such scores as before if its sigma is divided by 1 - a.

    Args:
        in_channels (int): Channels of the features. In a :class:`.PointHead`, the head's.
        feat_channels (int): Hidden channels. Defaults to 64.
        exponent (float): Share a of the quality in the score, from 0 to 1. Defaults to 0.5.
        loss_weight (float): Weight of its loss. Defaults to 1.0.
        steps (Sequence[float]): Where it looks around each boundary, in grid steps.
            Defaults to 4 steps before to 4 steps after.
        num_others (int): Other points for each positive in training. Defaults to 1.
        num_moved (int): Moved copies of each segment in training. Defaults to 1.
        dropout (float): Probability of dropping a hidden channel. Defaults to 0.2.
        detach (bool): Whether the features learn nothing from its loss. Defaults to True.
        init_cfg (dict, optional): See BaseModule.

    Raises:
        ValueError: If ``exponent`` is no number in [0, 1].
    """

    def __init__(self,
                 in_channels: int,
                 feat_channels: int = 64,
                 exponent: float = 0.5,
                 loss_weight: float = 1.0,
                 steps: Sequence[float] = (-4, -2, -1, 0, 1, 2, 4),
                 num_others: int = 1,
                 num_moved: int = 1,
                 dropout: float = 0.2,
                 detach: bool = True,
                 init_cfg: Optional[dict] = None,
                 **unknown) -> None:
        refuse_unknown(self, unknown)
        super().__init__(init_cfg=init_cfg)
        if not isinstance(exponent, (int, float)) or not 0 <= exponent <= 1:
            raise ValueError(f'QualityBranch: exponent must lie in [0, 1], got {exponent!r}')
        self.exponent = exponent
        self.loss_weight = loss_weight
        self.num_others = num_others
        self.num_moved = num_moved
        self.detach = detach
        self.steps = tuple(steps)
        narrow = max(feat_channels // 2, 1)
        self.narrow = Conv(in_channels, narrow, 1)
        self.looks = Conv(2 * len(self.steps) * narrow, feat_channels, 1)
        self.shape = Conv(4, feat_channels, 1)
        self.norm = nn.LayerNorm(feat_channels)
        self.hidden = Conv(feat_channels, feat_channels, 1)
        self.dropout = nn.Dropout(dropout)
        self.out = Conv(feat_channels, 1, 1)

    def forward(self, table: PackedRows, points: PyramidPoints, rows: Tensor,
                segments: Tensor) -> Tensor:
        """Judge segments.

        Args:
            table (PackedRows): (R, C), all levels of all videos, zero in gaps.
            points (PyramidPoints): Its points.
            rows (Tensor): (N,) rows of the points that the segments belong to.
            segments (Tensor): (N, 2) in grid steps.

        Returns:
            Tensor: (N,) float32 logits of their tIoU.
        """
        segments = segments.detach()
        stride = points.stride[rows]
        length = (segments[:, 1] - segments[:, 0]).clamp(min=1e-3)
        shape = torch.stack([length.log2(), (length / stride).log2(), stride.log2(),
                             (points.time[rows] - segments[:, 0]) / length], dim=1)  # (N, 4)
        hidden = self.shape(shape) + self.look(table, rows, segments)
        hidden = self.dropout(F.relu(self.norm(hidden)))
        hidden = self.dropout(F.relu(self.hidden(hidden)))
        return self.out(hidden)[:, 0].float()

    def look(self, table: PackedRows, rows: Tensor, segments: Tensor) -> Tensor:
        """What stands around the boundaries of segments (N, 2), in grid steps, (N, D)."""
        finest = split_levels(table)[0].rows  # (R_0, C), the table's first rows
        x = self.narrow(finest.detach() if self.detach else finest)  # (R_0, D / 2)
        first, length = (of_row[rows, None] for of_row in table.layout.finest)
        steps = segments.new_tensor(self.steps)
        position = (segments[:, :, None] + steps).flatten(1)  # (N, looks)
        before = position.floor()
        total = 0.
        # between two rows both count, by how near they are; beyond the video there is nothing
        for at, share in ((before, before + 1 - position), (before + 1, position - before)):
            row = first + at.clamp(min=0).long().minimum(length - 1)
            share = share * ((at >= 0) & (at < length))
            total = total + x.index_select(0, row.flatten()) * share.flatten()[:, None]
        return self.looks(total.view(-1, self.looks.in_channels))

    def others(self, logits: Tensor, layout: Layout, positives: Tensor) -> Pairs:
        """The best-scored points that are no positives, ``num_others`` for each of those.

        Args:
            logits (Tensor): (R, K) class logits.
            layout (Layout): Of their rows.
            positives (Tensor): (N,) rows of the positive pairs.

        Returns:
            Pairs: Points and their best classes.
        """
        best, label = logits.detach().max(1)
        free = layout.valid.index_fill(0, positives, False)
        num = min(self.num_others * len(positives), layout.num_rows)
        score, row = best.masked_fill(~free, -torch.inf).topk(num)
        row = row[score > -torch.inf]
        return Pairs(row, label[row])

    def loss(self, table: PackedRows, points: PyramidPoints, rows: Tensor, segments: Tensor,
             actions: Actions) -> Tensor:
        """Loss of decoded segments.

        Args:
            table (PackedRows): See :meth:`forward`.
            points (PyramidPoints): See :meth:`forward`.
            rows (Tensor): (N,) rows of positives and :meth:`others`.
            segments (Tensor): (N, 2) what they decoded, in grid steps.
            actions (Actions): Of the batch.

        Returns:
            Tensor: A scalar.
        """
        copies = self.num_moved + 1
        segments = segments.detach()
        segments = torch.cat([segments, self.moved(points, rows, segments)])
        rows = rows.repeat(copies)
        iou = segment_iou(segments, actions.segments)  # (copies * N, G)
        iou = iou * (points.video[rows, None] == actions.video)
        iou = F.pad(iou, (0, 1)).amax(1)  # 0 where there is no action
        logits = self(table, points, rows, segments)
        loss = F.binary_cross_entropy_with_logits(logits, iou, reduction='none').sum()
        count = mean_over_ranks(loss.new_tensor(float(len(logits)))).clamp(min=1)
        return self.loss_weight * loss / count

    def moved(self, points: PyramidPoints, rows: Tensor, segments: Tensor) -> Tensor:
        """Copies of segments with other boundaries.

        Each boundary moves to either side by a share of the length; shares of all orders of
        magnitude are as frequent. What looks like chance follows from a point's place in its
        video, so that a loss does not depend on who shares the batch.

        Args:
            points (PyramidPoints): The points.
            rows (Tensor): (N,) their rows.
            segments (Tensor): (N, 2).

        Returns:
            Tensor: (num_moved * N, 2), copy after copy.
        """
        copy = torch.arange(self.num_moved, device=rows.device).repeat_interleave(len(rows))
        place = (points.time[rows].long() * 8 + points.level[rows]).repeat(self.num_moved)
        key = (place * max(self.num_moved, 1) + copy)[:, None]  # (num_moved * N, 1)
        # multiples of the plastic number's inverse powers (here over 2^16) fill a square evenly
        spread = key * torch.tensor([49471, 37345], device=rows.device) % 65536
        unit = 2 * spread.to(segments.dtype) / 65536 - 1  # (num_moved * N, 2), in [-1, 1)
        low, high = MOVES
        share = torch.where(unit < 0, -1., 1.) * low * (high / low)**unit.abs()
        segments = segments.repeat(self.num_moved, 1)
        return segments + share * segments.diff(dim=1)

    def fuse(self, scores: Tensor, logits: Tensor) -> Tensor:
        """``scores^(1 - a) * sigmoid(logits)^a``, of (N, K) and (N,)."""
        return scores**(1 - self.exponent) * logits.sigmoid()[:, None]**self.exponent
