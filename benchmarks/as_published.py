"""The model that speed is measured against: CLTDR-GMG with two habits of the published code.

The reference pads every video to 2304 steps, and it decodes boundaries at every step for every
class before it picks those it needs. Everything else is our own code on both sides, so a ratio
says what these two habits cost.
"""
from pathlib import Path

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmengine.config import Config
from torch import Tensor

from cltdr_mm.models import CLTDRHead

CONFIG = Path(__file__).resolve().parents[1] / 'configs' / 'cltdr_thumos.py'
MAX_LEN = 2304


class FullDecodingHead(CLTDRHead):
    """CLTDR head that decodes all steps and classes, then picks."""

    def decode(self, outs, points, batch, point, label) -> Tensor:
        """See :meth:`CLTDRHead.decode`."""
        dense = []
        for start, end, center in zip(outs['starts'], outs['ends'], outs['centers']):
            bins = center.shape[1] // 2
            left = F.pad(start, (bins - 1, 0)).unfold(2, bins, 1)  # (B, K, T, bins)
            right = F.pad(end, (0, bins - 1)).unfold(2, bins, 1)
            shift = center.unflatten(1, (2, bins)).transpose(2, 3)[:, :, None]  # (B, 2, 1, T, bins)
            distance = torch.arange(bins, dtype=start.dtype)
            dense.append(torch.stack([(left + shift[:, 0]).softmax(-1) @ distance.flip(0),
                                      (right + shift[:, 1]).softmax(-1) @ distance], dim=-1))
        coarse = torch.cat(dense, dim=2)  # (B, K, P, 2)
        offsets = torch.cat([torch.stack([-start, end], dim=-1) for start, end in
                             zip(outs['refine_starts'], outs['refine_ends'])], dim=2)
        return (coarse + offsets).clamp(min=0)[batch, label, point]


def build(as_published: bool, num_classes: int) -> torch.nn.Module:
    """The model of either side, without the random parts of training."""
    cfg = Config.fromfile(CONFIG).model
    cfg.data_preprocessor.input_noise = 0.
    cfg.backbone.drop_path = 0.
    cfg.head.num_classes = num_classes
    if as_published:
        cfg.data_preprocessor.pad_to = MAX_LEN
        cfg.head.type = FullDecodingHead
    torch.manual_seed(0)
    return MODELS.build(cfg)
