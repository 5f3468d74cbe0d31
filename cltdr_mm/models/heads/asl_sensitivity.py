"""How much a step of an action matters to each sub-task (ASL, ICCV 2023): two evaluators.

Sub-tasks: classification and localization. N (point, class) pairs, K classes.
"""
from typing import Optional

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from ...structures import Layout
from ..layers import Conv, NamedConv


def relative_position(distance: Tensor) -> Tensor:
    """Where in its action a point lies.

    Args:
        distance (Tensor): (N, 2) distances to start and end, in any unit.

    Returns:
        Tensor: (N,) signed distance to the centre over the length: -0.5 at the start, 0.5 at the
        end. The centre where the action has no length.
    """
    left, right = distance.unbind(-1)
    return 0.5 * (left - right) / (left + right).clamp(min=1e-6)


class ClassSensitivity(BaseModule):
    """Class-level evaluator: Gaussians over the position in an action, a set per class.

    ``p_cls`` is one Gaussian that starts at the centre, ``p_loc`` the sum of two that start at
    the boundaries; all start with a width of 1 action length.

    The paper leaves open how they learn. Gradients come from the losses they weigh; but the
    cheapest weight of a loss is zero, so they are those of weights whose mean over the batch's
    pairs of a class is fixed: an evaluator learns where in an action its weight lies, never how
    much there is of it. Widths are at least 0.1. Fixed Gaussians stay as they start.

    Args:
        num_classes (int): Classes K.
        learned (bool): Whether the Gaussians learn, or are fixed and get no gradient. The state
            dict has the same names either way. Defaults to True.
        init_cfg (dict, optional): See BaseModule.
    """

    #: Centres and widths are positions, not layers that mix features.
    no_weight_decay = ('cls_center', 'cls_width', 'loc_center', 'loc_width')

    def __init__(self,
                 num_classes: int,
                 learned: bool = True,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg=init_cfg)
        self.learned = learned
        start = dict(
            cls_center=torch.zeros(num_classes, 1), cls_width=torch.ones(num_classes, 1),
            loc_center=torch.tensor([[-0.5, 0.5]]).repeat(num_classes, 1),
            loc_width=torch.ones(num_classes, 2))
        for name, value in start.items():
            if learned:
                self.register_parameter(name, nn.Parameter(value))
            else:
                self.register_buffer(name, value)

    def forward(self, position: Tensor, label: Tensor) -> Tensor:
        """Weigh pairs.

        Args:
            position (Tensor): (N,) of :func:`relative_position`.
            label (Tensor): (N,) int64.

        Returns:
            Tensor: (N, 2), ``p_cls`` in [0, 1] and ``p_loc`` in [0, 2].
        """
        p_cls = self.gaussians(self.cls_center, self.cls_width, position, label)
        p_loc = self.gaussians(self.loc_center, self.loc_width, position, label)
        if self.learned:
            p_cls, p_loc = self.keep_amount(p_cls, label), self.keep_amount(p_loc, label)
        return torch.stack([p_cls, p_loc], dim=1)

    @staticmethod
    def gaussians(center: Tensor, width: Tensor, position: Tensor, label: Tensor) -> Tensor:
        """Sum of a class's Gaussians at each pair, (N,)."""
        offset = position[:, None] - center[label]
        return torch.exp(-offset.square() / (2 * width[label].square().clamp(min=0.01))).sum(1)

    def keep_amount(self, weight: Tensor, label: Tensor) -> Tensor:
        """The same weights, with the gradients of weights of a fixed mean in each class."""
        zeros = weight.new_zeros(len(self.cls_center))
        total = zeros.index_add(0, label, weight)
        mean = total / zeros.index_add(0, label, torch.ones_like(weight)).clamp(min=1)
        mean = mean[label].clamp(min=1e-6)
        return weight * (mean.detach() / mean)

    @torch.no_grad()
    def most_sensitive(self, label: Tensor) -> Tensor:
        """Position in [-0.5, 0.5] where ``p_cls`` is largest within an action, (N,)."""
        return self.cls_center[label, 0].clamp(-0.5, 0.5)


class InstanceSensitivity(BaseModule):
    """Instance-level evaluator: sigmoid(FC(conv(features))) at every step, for both sub-tasks.

    Its layers are shared by all levels and as wide as the features.

    Args:
        channels (int): Channels of the features.
        init_cfg (dict, optional): See BaseModule.
    """

    def __init__(self, channels: int, init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg=init_cfg)
        self.conv = NamedConv(channels, channels, 3)
        self.fc = Conv(channels, 2, 1)
        self.kernel_reach = self.reach = 1

    def forward(self, x: Tensor, layout: Layout) -> Tensor:
        """Logits (R, 2) of q_cls and q_loc from a table (R, C), zero in gaps."""
        return self.fc(F.relu(self.conv(x, layout)))
