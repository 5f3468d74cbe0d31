"""Adapters against the published modules: outputs, tokens after each block, gradients."""
import parity_more
import pytest
import torch
from mmaction.registry import MODELS

import cltdr_mm  # noqa: F401
from cltdr_mm.models.fronts.adapters import ClipTokens, TemporalBlockAdapter

ADAPTERS = ['adapter', 'adapter_k5_d2']
FRONTS = ['vit_adapter', 'vit_adapter_scale4', 'vit_side']
OUTPUT, GRADIENT = 1e-6, 1e-5


def relative(found, wanted):
    """Norm of the difference, over that of what is wanted."""
    return ((found.double() - wanted.double()).norm() / wanted.double().norm()).item()


def of_prefix(arrays, prefix):
    return {key[len(prefix):]: value for key, value in arrays.items() if key.startswith(prefix)}


def check_gradients(module, meta, arrays):
    """Every published gradient, and no others."""
    wanted = of_prefix(arrays, 'grad.')
    assert wanted
    found = {name: param.grad for name, param in module.named_parameters()}
    for name, gradient in wanted.items():
        assert relative(found[name], gradient) < GRADIENT, name
        assert found[name].norm().item() == pytest.approx(
            meta['grad_norms'][name], rel=GRADIENT), name
    assert {name for name, gradient in found.items() if gradient is None} == \
        set(meta.get('without_gradient', ()))


@pytest.mark.parametrize('name', ADAPTERS)
def test_adapter(name):
    meta, arrays = parity_more.load('e2e', name)
    adapter = TemporalBlockAdapter(
        meta['embed_dims'], meta['mlp_ratio'], meta['kernel_size'], meta['dilation'])
    adapter.load_state_dict(of_prefix(arrays, 'param.'))
    clips = [meta['clips_per_video']] * meta['videos']
    tokens = ClipTokens((meta['tubelets_per_clip'], meta['h'], meta['w']), clips, clips)
    x = arrays['x'].requires_grad_()
    y = x + adapter(x, tokens)
    assert relative(y, arrays['y']) < OUTPUT
    assert relative(y, arrays['y_float64']) < OUTPUT
    loss = (y * arrays['cotangent']).sum()
    assert loss.item() == pytest.approx(meta['loss_value'], rel=GRADIENT)
    loss.backward()
    assert relative(x.grad, arrays['grad_x']) < GRADIENT
    check_gradients(adapter, meta, arrays)


@pytest.mark.parametrize('name', ADAPTERS)
def test_adapter_in_float64(name):
    meta, arrays = parity_more.load('e2e', name)
    adapter = TemporalBlockAdapter(
        meta['embed_dims'], meta['mlp_ratio'], meta['kernel_size'], meta['dilation']).double()
    adapter.load_state_dict(of_prefix(arrays, 'param.'))
    clips = [meta['clips_per_video']] * meta['videos']
    tokens = ClipTokens((meta['tubelets_per_clip'], meta['h'], meta['w']), clips, clips)
    x = arrays['x'].double()
    assert relative(x + adapter(x, tokens), arrays['y_float64']) < 1e-14


def front_of(meta, arrays, with_cp):
    """Our front with the published weights, as the published wrapper was built."""
    side = meta['published_class'] == 'VisionTransformerLadder'
    front = MODELS.build(dict(
        type='ClipFront',
        backbone=dict(
            type='VisionTransformer', img_size=meta['img_size'], patch_size=meta['patch_size'],
            embed_dims=meta['embed_dims'], depth=meta['depth'], num_heads=meta['num_heads'],
            drop_path_rate=meta['drop_path'], return_feat_map=True),
        frames_per_step=meta['scale_factor'], tuning='adapter', with_cp=with_cp,
        adapter=dict(type='TIAdapter', ratio=meta['adapter_mlp_ratio'],
                     blocks=meta['adapter_index'], side_tuning=side)))
    state = {**of_prefix(arrays, 'param.'), **of_prefix(arrays, 'buffer.')}
    missing, left_over = front.backbone.load_state_dict(state, strict=False)
    assert not left_over
    assert set(missing) <= {'fc_norm.weight', 'fc_norm.bias'}  # side tuning has none there
    return front


@pytest.mark.parametrize('with_cp', [False, True])
@pytest.mark.parametrize('name', FRONTS)
def test_front(name, with_cp):
    meta, arrays = parity_more.load('e2e', name)
    front = front_of(meta, arrays, with_cp).train()
    after = {}
    for number in range(meta['depth']):
        # what a block hands to the next: with an adapter behind it, with that
        nexts = front.backbone.blocks[number + 1:number + 2] or [front.backbone.norm]
        nexts[0].register_forward_pre_hook(
            lambda _, args, number=number: after.setdefault(number, []).append(args[0].detach()))
    rows = front(list(arrays['frames']), [meta['window']] * meta['videos'])
    for video, wanted in zip(rows, arrays['feats']):
        assert video.shape == (meta['window'], meta['embed_dims'])
        assert relative(video, wanted.t()) < OUTPUT
    last = meta['depth'] - 1
    for number in range(meta['depth']):
        found = torch.cat(after[number])
        wanted = arrays[f'tokens_after_block_{number}']
        if not (meta['published_class'] == 'VisionTransformerLadder' and number == last):
            assert relative(found, wanted) < OUTPUT, number
    maps = found.unflatten(1, (-1, *meta['grid'])).permute(0, 4, 1, 2, 3)
    assert relative(maps, arrays['feature_map']) < OUTPUT
    loss = sum((video * weight.t()).sum() for video, weight in zip(rows, arrays['cotangent']))
    assert loss.item() == pytest.approx(meta['loss_value'], rel=1e-4)
    loss.backward()
    meta['without_gradient'] = [*meta['without_gradient'], *(
        key for key in ('fc_norm.weight', 'fc_norm.bias') if key not in meta['without_gradient'])]
    check_gradients(front.backbone, meta, arrays)
    trained = {name for name, param in front.backbone.named_parameters() if param.requires_grad}
    # fc_norm, which no feature map passes, is not left open for a gradient that never comes
    assert trained == set(meta['requires_grad_after_forward']) - {'fc_norm.weight', 'fc_norm.bias'}
