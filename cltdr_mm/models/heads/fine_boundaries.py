"""Second refinement of boundaries: what a level regresses is moved by the finest level's votes."""
from typing import Optional

import torch
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn

from ...structures import Layout, PackedRows, split_levels
from ..task_modules import Pairs, PointTargets
from .tower import ConvTower


@MODELS.register_module()
class FineBoundaries(BaseModule):
    """Moves decoded boundaries by what the finest level says around them.

    Every step of the finest level has, for each boundary (and class), a score s and an offset o:
    its vote that a boundary lies at o from it. A boundary decoded at position p on level l becomes
    the mean of the votes around it, ``sum_j w_j (j + o_j)`` with ``w = softmax_j(s_j - ((j - p) /
    width_l)^2 / 2)``: the level's uncertainty is a learned width, which starts at half a stride.

    Args:
        in_channels (int): Channels of the pyramid.
        num_classes (int): Classes K.
        num_levels (int): Levels L.
        feat_channels (int, optional): Channels of the tower. Defaults to ``in_channels``.
        num_layers (int): Layers of the tower. Defaults to 2.
        kernel_size (int): Kernel of the tower. Defaults to 3.
        reach (int): Steps of the finest level to either side that vote. Defaults to 16.
        per_class (bool): Whether classes have votes of their own. Defaults to True.
        init_cfg (dict, optional): See BaseModule.
    """

    def __init__(self,
                 in_channels: int,
                 num_classes: int,
                 num_levels: int,
                 feat_channels: Optional[int] = None,
                 num_layers: int = 2,
                 kernel_size: int = 3,
                 reach: int = 16,
                 per_class: bool = True,
                 offsets: bool = True,
                 detach: bool = True,
                 l1: float = 0.,
                 nll: float = 0.,
                 heat: float = 0.,
                 loss_weight: float = 1.0,
                 loss_reg: Optional[dict] = None,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg=init_cfg)
        self.per_class = per_class
        self.reach = reach
        self.offsets, self.detach, self.l1, self.nll = offsets, detach, l1, nll
        self.heat = heat
        self.loss_weight = loss_weight
        self.loss_reg = MODELS.build(loss_reg or dict(type='DIoU1DLoss'))
        self.channels = num_classes if per_class else 1
        self.tower = ConvTower(in_channels, feat_channels or in_channels, 4 * self.channels,
                               num_layers=num_layers, kernel_size=kernel_size)
        nn.init.zeros_(self.tower.out.conv.weight)
        start = (0.5 * 2.**torch.arange(num_levels)).log()
        self.log_width = nn.Parameter(start[:, None].repeat(1, 2))
        if nll:
            self.log_sigma = nn.Parameter(torch.zeros(2))

    def forward(self, table: PackedRows) -> Tensor:
        finest = split_levels(table)[0]
        return self.tower(finest.rows, finest.layout)

    def votes(self, fine: Tensor, layout: Layout, pairs: Pairs, distances: Tensor):
        level = layout.level[pairs.row]
        first = {video: row for row, video, at in zip(layout.first, layout.videos, layout.levels)
                 if at == 0}
        first = torch.tensor([first[video] for video in sorted(first)], device=fine.device)
        first = first[layout.video[pairs.row]]
        length = layout.length[first][:, None, None]
        step = (layout.step[pairs.row] * 2**level)[:, None, None]
        position = torch.stack([-distances[:, 0], distances[:, 1]], dim=1)[..., None]
        if self.detach:
            position = position.detach()
        window = torch.arange(-self.reach, self.reach + 1, device=fine.device)
        away = position.detach().round().long() + window  # (N, 2, W) steps from the point
        at = step + away
        inside = (at >= 0) & (at < length)
        row = first[:, None, None] + at.clamp(min=0).minimum(length - 1)
        side = torch.arange(2, device=fine.device)[:, None] * self.channels
        channel = side + (pairs.label[:, None, None] if self.per_class else 0)
        score = fine[row, channel].float() * inside
        offset = fine[row, channel + 2 * self.channels].float() * inside
        if not self.offsets:
            offset = offset * 0
        shift = away - position
        width = self.log_width[level].exp()[..., None].clamp(min=0.5)
        logits = score - 0.5 * (shift / width).square()
        return position, shift, offset, logits

    def move(self, fine: Tensor, layout: Layout, pairs: Pairs, distances: Tensor) -> Tensor:
        with torch.autocast(fine.device.type, enabled=False):
            return self.mean(*self.votes(fine, layout, pairs, distances))

    def mean(self, position, shift, offset, logits):
        moved = position[..., 0] + (logits.softmax(-1) * (shift + offset)).sum(-1)
        return torch.stack([-moved[:, 0], moved[:, 1]], dim=1).clamp(min=0)

    def loss(self, fine: Tensor, layout: Layout, targets: PointTargets, distances: Tensor,
             normalizer: Tensor) -> Tensor:
        stride = 2**layout.level[targets.pairs.row, None]
        with torch.autocast(fine.device.type, enabled=False):
            votes = self.votes(fine, layout, targets.pairs, distances)
            moved, wanted = self.mean(*votes), targets.distance * stride
            loss = self.loss_reg(moved, wanted).sum()
            if self.l1:
                loss = loss + self.l1 * nn.functional.smooth_l1_loss(
                    moved, wanted, reduction='sum', beta=0.25)
            if self.nll:
                position, shift, offset, logits = votes
                true = torch.stack([-wanted[:, 0], wanted[:, 1]], dim=1)[..., None]
                sigma = self.log_sigma[:, None].clamp(min=-2)
                error = (position + shift + offset - true) * (-sigma).exp()
                # Laplace: a vote far off shall not dominate
                density = logits.log_softmax(-1) - error.abs() - sigma
                loss = loss - self.nll * density.logsumexp(-1).sum()
        losses = dict(loss_refine=loss / normalizer * self.loss_weight)
        if self.heat:
            losses['loss_heat'] = self.heat * self.heat_loss(fine, layout, targets, normalizer)
        return losses

    def heat_loss(self, fine, layout, targets, normalizer):
        row, label = targets.pairs
        level = layout.level[row]
        first = {video: r for r, video, at in zip(layout.first, layout.videos, layout.levels)
                 if at == 0}
        first = torch.tensor([first[video] for video in sorted(first)], device=fine.device)
        first = first[layout.video[row]]
        step = layout.step[row] * 2**level
        d = targets.distance * 2**level[:, None]
        at = torch.stack([step - d[:, 0], step + d[:, 1]], dim=1)  # (N, 2)
        scores = fine[:, :2 * self.channels].float()
        heat = torch.zeros_like(scores)
        side = torch.arange(2, device=fine.device) * self.channels
        channel = side + (label[:, None] if self.per_class else 0)
        for k in range(-2, 3):
            j = at.round().long() + k
            ok = (j >= 0) & (j < layout.length[first][:, None])
            r = first[:, None] + j.clamp(min=0).minimum(layout.length[first][:, None] - 1)
            value = torch.exp(-0.5 * (j - at).square()) * ok
            flat = (r * scores.shape[1] + channel).flatten()
            heat.view(-1).scatter_reduce_(0, flat, value.flatten(), 'amax')
        p = scores.sigmoid()
        loss = nn.functional.binary_cross_entropy_with_logits(scores, heat, reduction='none')
        loss = loss * (p - heat).abs().square()
        return loss.sum() / normalizer
