"""MMAction2's attention of video transformers, computed by torch's fused kernel.

This module imports MMAction2's models, which ``import cltdr_mm`` does not.
"""
import torch
import torch.nn.functional as F
from mmaction.models.backbones.vit_mae import Attention
from torch import Tensor, nn


class FusedAttention(Attention):
    """MMAction2's attention, with its parameters, that never holds the (heads, N, N) matrix."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, C) to (B, N, C)."""
        qkv = self.qkv(x)  # (B, N, 3 C)
        if hasattr(self, 'q_bias'):
            bias = torch.cat([self.q_bias, torch.zeros_like(self.v_bias), self.v_bias])
            qkv = qkv + bias.to(qkv.dtype)
        # (B, heads, N, C / heads) each
        q, k, v = qkv.unflatten(2, (3, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        out = F.scaled_dot_product_attention(
            q, k, v, dropout_p=self.attn_drop.p if self.training else 0., scale=self.scale)
        return self.proj_drop(self.proj(out.transpose(1, 2).flatten(2)))


def fuse_attention(backbone: nn.Module) -> None:
    """Let the attention of a built ``VisionTransformer`` be computed so; others are left alone.

    Args:
        backbone (nn.Module): Changed in place; its parameters and state dict are not.
    """
    for module in backbone.modules():
        if type(module) is Attention:
            module.__class__ = FusedAttention  # the same parameters, another way to compute
