"""Which features ASL's contrastive loss compares: means over zones of every action.

All positions are steps of the finest level, which are grid steps of the input.
"""
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass
class ActionZones:
    """Zones of the G actions of one video, in grid steps; (G, 2) first and last position each.

    Attributes:
        cls (Tensor): Around the position most sensitive for classification.
        start (Tensor): Just inside the start.
        end (Tensor): Just inside the end.
        before (Tensor): Just outside the start.
        after (Tensor): Just outside the end.
    """

    cls: Tensor
    start: Tensor
    end: Tensor
    before: Tensor
    after: Tensor


def action_zones(segments: Tensor, position: Tensor, delta: float) -> ActionZones:
    """Lay out the zones of actions.

    Args:
        segments (Tensor): (G, 2) in grid steps.
        position (Tensor): (G,) in [-0.5, 0.5], where in each action classification is most
            sensitive.
        delta (float): Width of a zone in action lengths, to each side of ``position``.

    Returns:
        ActionZones: The zones; those inside never leave the action.
    """
    start, end = segments.unbind(1)
    reach = delta * (end - start)
    best = segments.mean(1) + position * (end - start)
    around = torch.stack([torch.maximum(best - reach, start), torch.minimum(best + reach, end)], 1)
    return ActionZones(
        cls=around,
        start=torch.stack([start, start + reach], 1),
        end=torch.stack([end - reach, end], 1),
        before=torch.stack([start - reach, start], 1),
        after=torch.stack([end, end + reach], 1))


def zone_features(feats: Tensor, segments: Tensor,
                  zones: ActionZones) -> tuple[Tensor, Tensor, Tensor]:
    """Mean features of the zones of one video's actions.

    A zone inside an action that falls between two steps takes the step nearest to its middle.
    A background zone takes only steps of no action at all: with dense labels, what follows one
    action is often the next. Where none is left the action has no background.

    Args:
        feats (Tensor): (T, C), the valid rows of the finest level.
        segments (Tensor): (G, 2) of all actions, in grid steps.
        zones (ActionZones): Theirs.

    Returns:
        tuple[Tensor, Tensor, Tensor]: f_cls (G, C), f_loc (G, C), f_bg (at most G, C).
    """
    length = len(feats)
    steps = torch.arange(length, device=feats.device, dtype=segments.dtype)
    feats = feats.float()

    def covers(zone: Tensor) -> Tensor:
        return (steps >= zone[:, :1]) & (steps <= zone[:, 1:])  # (G, T)

    def inside(zone: Tensor) -> Tensor:
        chosen = covers(zone)
        nearest = zone.mean(1).round().clamp(0, length - 1).long()
        lone = torch.zeros_like(chosen).scatter_(1, nearest[:, None], True)
        return torch.where(chosen.any(1, keepdim=True), chosen, lone)

    def mean(chosen: Tensor) -> Tensor:
        weight = chosen.float()
        return weight @ feats / weight.sum(1, keepdim=True)

    # boundaries included: a step on the edge of an action shows its start
    background = (covers(zones.before) | covers(zones.after)) & ~covers(segments).any(0)
    background = background[background.any(1)]
    f_loc = 0.5 * (mean(inside(zones.start)) + mean(inside(zones.end)))
    return mean(inside(zones.cls)), f_loc, mean(background)
