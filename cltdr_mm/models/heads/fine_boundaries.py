"""FineBoundaries, a part beside any point head (its ``refinement``): moves what a head decoded.

What a coarse level regresses is moved by the votes of the finest level. The head calls it where it
makes segments, and adds its loss.
"""
from typing import NamedTuple, Optional

import torch
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn

from ...structures import Layout, PackedRows, split_levels
from ..task_modules import Pairs
from .tower import ConvTower

#: Most pairs whose votes are counted at once, which bounds the memory.
CHUNK = 16384


class Votes(NamedTuple):
    """What the W steps of the finest level around N decoded boundary pairs say.

    Attributes:
        place (Tensor): (N, 2, W) where each votes start and end to be, in grid steps from the
            point.
        logit (Tensor): (N, 2, W), whose softmax over W is a vote's weight.
    """

    place: Tensor
    logit: Tensor


@MODELS.register_module()
class FineBoundaries(BaseModule):
    """Moves decoded boundaries to where the finest level sees them.

    A long action is regressed on a coarse level, to a part of that level's stride. Here every step
    j of the finest level votes, for the start and the end of each class, by a score s_j and an
    offset o_j: 'a boundary lies at j + o_j'. A boundary that level l decodes at p becomes

        sum_j w_j (j + o_j),  w = softmax_j(s_j - ((j - p) / width_l)^2 / 2),

    over the steps within ``reach`` of p. How far a level may be wrong is learned: ``width_l``
    starts at half a stride. Scores and offsets start at 0, where nothing moves.

    The votes are trained at the positives as a mixture of Laplace distributions, of places
    ``j + o_j``, weights ``w_j`` and one learned scale for starts and one for ends: its negative
    log-likelihood at the true boundary. The decoded boundaries are taken as they are, without
    gradient; they keep their own loss. Design of this library; expectations over scored steps are
    TriDet's (CVPR 2023, eq. 6-9).

    Args:
        in_channels (int): Channels of the pyramid. A head gives them.
        num_classes (int): Classes K. A head gives them.
        num_levels (int): Levels L. A head gives them.
        feat_channels (int): Channels of the tower's hidden layers. Defaults to 64.
        num_layers (int): Layers of the tower. Defaults to 2.
        kernel_size (int): Kernel of the tower. Defaults to 5.
        reach (int): Steps to either side of a boundary that vote on it. Defaults to 16.
        per_class (bool): Whether classes have votes of their own. Defaults to True.
        detach_feats (bool): Whether the pyramid learns nothing from the votes. Defaults to False.
        loss_weight (float): Defaults to 0.2.
        init_cfg (dict, optional): See BaseModule.

    Raises:
        ValueError: If ``reach`` is negative.
    """

    def __init__(self,
                 in_channels: int,
                 num_classes: int,
                 num_levels: int,
                 feat_channels: int = 64,
                 num_layers: int = 2,
                 kernel_size: int = 5,
                 reach: int = 16,
                 per_class: bool = True,
                 detach_feats: bool = False,
                 loss_weight: float = 0.2,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg=init_cfg)
        if reach < 0:
            raise ValueError(f'FineBoundaries: reach must not be negative, got {reach}')
        self.per_class = per_class
        self.reach = reach
        self.detach_feats = detach_feats
        self.loss_weight = loss_weight
        # scores of starts and ends, then their offsets
        self.num_scores = 2 * (num_classes if per_class else 1)
        self.tower = ConvTower(in_channels, feat_channels, 2 * self.num_scores,
                               num_layers=num_layers, kernel_size=kernel_size)
        nn.init.zeros_(self.tower.out.conv.weight)
        half_stride = 2.**torch.arange(-1, num_levels - 1)
        self.log_width = nn.Parameter(half_stride.log()[:, None].repeat(1, 2))  # (L, 2)
        self.log_scale = nn.Parameter(torch.zeros(2))

    #: A level's uncertainty is no weight to be kept small.
    no_weight_decay = ('log_width', 'log_scale')

    def forward(self, table: PackedRows) -> Tensor:
        """Predict scores and offsets.

        Args:
            table (PackedRows): (R, C), all levels of all videos, zero in gaps.

        Returns:
            Tensor: (R_0, 4 K or 4), at the rows of the finest level, the table's first ones:
            scores of starts, of ends, offsets of starts, of ends.
        """
        finest = split_levels(table)[0]
        rows = finest.rows.detach() if self.detach_feats else finest.rows
        return self.tower(rows, finest.layout)

    def move(self, evidence: Tensor, layout: Layout, pairs: Pairs, distances: Tensor) -> Tensor:
        """Move decoded boundaries.

        Args:
            evidence (Tensor): What :meth:`forward` returned.
            layout (Layout): Of the whole table.
            pairs (Pairs): N pairs.
            distances (Tensor): (N, 2) to start and end in grid steps.

        Returns:
            Tensor: (N, 2) in grid steps, not negative.
        """
        if layout.is_open:  # a graph has no loop
            return self.moved(evidence, layout, pairs, distances)
        parts = zip(*(x.split(CHUNK) for x in (*pairs, distances)))
        return torch.cat([self.moved(evidence, layout, Pairs(row, label), of_pairs)
                          for row, label, of_pairs in parts])

    def moved(self, evidence: Tensor, layout: Layout, pairs: Pairs, distances: Tensor) -> Tensor:
        """:meth:`move`, all pairs at once."""
        votes = self.votes(evidence, layout, pairs, distances)
        start, end = (votes.logit.softmax(-1) * votes.place).sum(-1).unbind(1)
        return torch.stack([-start, end], dim=1).clamp(min=0)

    def votes(self, evidence: Tensor, layout: Layout, pairs: Pairs, distances: Tensor) -> Votes:
        """Collect the votes around decoded boundaries; see :meth:`move`."""
        first, length = (of_row[pairs.row][:, None, None] for of_row in layout.finest)
        level = layout.level[pairs.row]
        step = (layout.step[pairs.row] * 2**level)[:, None, None]  # the point's, on the finest
        decoded = torch.stack([-distances[:, 0], distances[:, 1]], dim=1).detach().float()
        window = torch.arange(-self.reach, self.reach + 1, device=evidence.device)
        away = decoded[..., None].round().long() + window  # (N, 2, W), from the point
        there = (step + away >= 0) & (step + away < length)
        row = first + (step + away).clamp(min=0).minimum(length - 1)
        side = torch.arange(2, device=evidence.device)[:, None]
        channel = side
        if self.per_class:
            channel = side * (self.num_scores // 2) + pairs.label[:, None, None]  # (N, 2, 1)
        # steps outside of the video vote as all do at the start of training
        score = evidence[row, channel].float() * there
        offset = evidence[row, channel + self.num_scores].float() * there
        width = self.log_width.float()[level].exp()[..., None]  # (N, 2, 1)
        return Votes(away + offset, score - ((away - decoded[..., None]) / width).square() / 2)

    def loss(self, evidence: Tensor, layout: Layout, pairs: Pairs, distances: Tensor,
             targets: Tensor) -> Tensor:
        """Negative log-likelihood of true boundaries.

        Args:
            evidence (Tensor): What :meth:`forward` returned.
            layout (Layout): Of the whole table.
            pairs (Pairs): N positive pairs.
            distances (Tensor): (N, 2) decoded ones, in grid steps.
            targets (Tensor): (N, 2) true ones, in grid steps.

        Returns:
            Tensor: (N,) weighted losses.
        """
        votes = self.votes(evidence, layout, pairs, distances)
        true = torch.stack([-targets[:, 0], targets[:, 1]], dim=1)[..., None].float()
        scale = self.log_scale.float()[:, None]  # (2, 1)
        log_density = -(votes.place - true).abs() * (-scale).exp() - scale
        likelihood = (votes.logit.log_softmax(-1) + log_density).logsumexp(-1)  # (N, 2)
        return -self.loss_weight * likelihood.sum(1)
