"""The fused attention computes what MMAction2's does."""
import copy
import pickle

import pytest
import torch
from mmaction.registry import MODELS

import cltdr_mm  # noqa: F401


def transformer(**kwargs):
    torch.manual_seed(0)
    backbone = MODELS.build(dict(
        type='VisionTransformer', img_size=16, patch_size=8, embed_dims=16, depth=2, num_heads=2,
        return_feat_map=True, **kwargs))
    for param in backbone.parameters():
        torch.nn.init.normal_(param, std=.3)
    return backbone


def fused(backbone):
    from cltdr_mm.models.fronts.fused_attention import fuse_attention
    backbone = copy.deepcopy(backbone)
    fuse_attention(backbone)
    return backbone


def gradients(backbone, x):
    out = backbone(x)
    out.square().sum().backward()
    return out.detach(), {name: param.grad for name, param in backbone.named_parameters()
                          if param.grad is not None}


@pytest.mark.parametrize('kwargs', [
    dict(), dict(qkv_bias=False), dict(qk_scale=.7), dict(init_values=.5)])
def test_same_as_mmaction(kwargs):
    plain = transformer(**kwargs)
    ours = fused(plain)
    assert list(plain.state_dict()) == list(ours.state_dict())
    x = torch.randn(2, 3, 16, 16, 16)
    (wanted, wanted_gradients), (found, found_gradients) = gradients(plain, x), gradients(ours, x)
    assert (found - wanted).norm() / wanted.norm() < 2e-6
    assert found_gradients.keys() == wanted_gradients.keys()
    for name, gradient in found_gradients.items():
        assert (gradient - wanted_gradients[name]).norm() / wanted_gradients[name].norm() < 1e-5


def test_attention_drops_in_training_only():
    ours = fused(transformer(attn_drop_rate=.5))
    x = torch.randn(1, 3, 16, 16, 16)
    assert not torch.equal(ours.train()(x), ours(x))
    assert torch.equal(ours.eval()(x), ours(x))


def test_it_can_be_copied_and_pickled():
    ours = fused(transformer()).eval()
    x = torch.randn(1, 3, 16, 16, 16)
    assert torch.equal(pickle.loads(pickle.dumps(ours))(x), ours(x))


def test_no_matrix_is_kept():
    shapes = set()
    ours = fused(transformer())
    with torch.autograd.graph.saved_tensors_hooks(
            lambda tensor: shapes.add(tuple(tensor.shape)) or tensor, lambda tensor: tensor):
        ours(torch.randn(1, 3, 16, 16, 16))
    assert not any(shape[-2:] == (32, 32) for shape in shapes)
    with torch.autograd.graph.saved_tensors_hooks(
            lambda tensor: shapes.add(tuple(tensor.shape)) or tensor, lambda tensor: tensor):
        transformer()(torch.randn(1, 3, 16, 16, 16))
    assert any(shape[-2:] == (32, 32) for shape in shapes)
