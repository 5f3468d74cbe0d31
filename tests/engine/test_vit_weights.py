"""Weights of video transformers in all layouts that are published."""
import contextlib
from argparse import Namespace

import pytest
import torch
from meta_device import meta_device
from mmaction.registry import MODELS
from mmengine.logging import MMLogger

from cltdr_mm.engine.vit_weights import fit_vit_weights, vit_weights
from cltdr_mm.utils import TALDataError

TINY = dict(type='VisionTransformer', img_size=16, patch_size=8, embed_dims=16, depth=2,
            num_heads=2, return_feat_map=True)
#: Published sizes: width, blocks, heads, mlp ratio, patch; parameters of adapters in millions.
SIZES = dict(
    S=(384, 12, 6, 4, 16, 1.01), B=(768, 12, 12, 4, 16, 4.00), L=(1024, 24, 16, 4, 16, 14.2),
    H=(1280, 32, 16, 4, 16, 29.6), g=(1408, 40, 16, 48 / 11, 14, 44.7))


def build(adapter=None, device='cpu', init_cfg=None, **kwargs):
    """A transformer with random weights, as a front makes it."""
    config = {**TINY, **kwargs}
    if init_cfg is not None:
        config['init_cfg'] = init_cfg
    with meta_device() if device == 'meta' else contextlib.nullcontext():
        model = MODELS.build(config)
        if adapter is not None:
            MODELS.build(dict(type='TIAdapter', **adapter)).attach(model)
    if device != 'meta':
        generator = torch.Generator().manual_seed(1)
        for param in model.parameters():
            param.data = torch.randn(param.shape, generator=generator)
    return model


def original(state):
    """Our names as the original code's, by hand."""
    names = {}
    for key, value in state.items():
        if key == 'pos_embed':
            continue
        key = key.replace('mlp.layers.0.0', 'mlp.fc1').replace('mlp.layers.1', 'mlp.fc2')
        names[key.replace('patch_embed.projection', 'patch_embed.proj')] = value
    return names


def hugging_face(state):
    """Our names as Hugging Face's, by hand."""
    names = {}
    for key, value in state.items():
        if key.startswith('patch_embed'):
            names[key.replace('patch_embed', 'videomae.embeddings.patch_embeddings')] = value
        elif key.startswith('fc_norm'):
            names[key] = value
        elif key != 'pos_embed':
            _, number, rest = key.split('.', 2)
            block = f'videomae.encoder.layer.{number}.'
            if rest == 'attn.qkv.weight':
                width = len(value) // 3
                for place, name in enumerate(('query', 'key', 'value')):
                    names[f'{block}attention.attention.{name}.weight'] = \
                        value[place * width:(place + 1) * width]
                continue
            for ours, theirs in (
                    ('norm1', 'layernorm_before'), ('norm2', 'layernorm_after'),
                    ('attn.proj', 'attention.output.dense'), ('attn.', 'attention.attention.'),
                    ('mlp.layers.0.0', 'intermediate.dense'), ('mlp.layers.1', 'output.dense')):
                if rest.startswith(ours):
                    rest = theirs + rest[len(ours):]
                    break
            names[block + rest] = value
    return names


def without(state, *parts):
    return {key: value for key, value in state.items() if not any(part in key for part in parts)}


def files(device='cpu', **kwargs):
    """The same weights in every layout, with what lies beside them there."""
    state = build(device=device, **kwargs).state_dict()
    some = torch.zeros(2, 2, device=device)
    pretraining = {f'encoder.{key}': value
                   for key, value in original(without(state, 'fc_norm')).items()}
    inside = {f'backbone.{key}': value for key, value in state.items()}
    return {
        'mmaction': dict(meta={}, state_dict={**inside, 'cls_head.fc_cls.weight': some}),
        'fine-tuned': dict(module={**original(state), 'head.weight': some, 'head.bias': some}),
        'pre-trained': dict(epoch=1600, args=Namespace(lr=1e-3), model={
            **pretraining, 'encoder.norm.weight': some, 'decoder.blocks.0.norm1.weight': some,
            'encoder_to_decoder.weight': some, 'mask_token': some}),
        'Hugging Face': {**hugging_face(state), 'classifier.weight': some},
        'bare': state,
        'ours': dict(state_dict={**{f'front.{key}': value for key, value in inside.items()},
                                 'head.scales.0.scale': some}),
    }, state


LAYOUTS = list(files()[0])


@pytest.mark.parametrize('layout', LAYOUTS)
def test_every_layout_arrives(layout, tmp_path):
    made, state = files()
    path = tmp_path / 'weights.pth'
    torch.save(made[layout], path)
    model = build(init_cfg=dict(type='PretrainedViT', checkpoint=str(path)))
    for param in model.parameters():
        param.data.fill_(7.)
    model.init_weights()
    for key, value in model.state_dict().items():
        if layout != 'pre-trained' or 'fc_norm' not in key:
            assert torch.equal(value, state[key]), key


@pytest.mark.parametrize('layout, lines', [
    ('mmaction', ['left out, classifier: cls_head.fc_cls.weight']),
    ('fine-tuned', ['left out, classifier: head.weight, head.bias']),
    ('pre-trained', [
        'left out, decoder of the pre-training: decoder.blocks.0.norm1.weight, '
        'encoder_to_decoder.weight, mask_token',
        'left out, norm before a classifier: norm.weight']),
    ('Hugging Face', ['left out, classifier: classifier.weight']), ('bare', []),
    ('ours', ['left out, detector around the transformer: detector.head.scales.0.scale'])])
def test_what_is_left_out_is_named(layout, lines, monkeypatch, tmp_path):
    path, said = tmp_path / 'weights.pth', []
    torch.save(files()[0][layout], path)
    logger = MMLogger.get_instance('vit_weights')
    model = build(init_cfg=dict(type='PretrainedViT', checkpoint=str(path)))
    monkeypatch.setattr(logger, 'log', lambda level, text, **_: said.append(text))
    model.init_weights()
    said = [text for text in said if str(path) in text and 'init_cfg' not in text]
    taken = len(model.state_dict())
    taken -= {'mmaction': 0, 'bare': 0, 'ours': 0, 'pre-trained': 3}.get(layout, 1)
    assert said == [f'{path}: {text}' for text in (
        f'{taken} tensors loaded', *lines)]


@pytest.mark.parametrize('size, layout', [
    *((size, 'fine-tuned') for size in SIZES), ('S', 'mmaction'), ('S', 'pre-trained'),
    ('S', 'Hugging Face')])
def test_published_sizes(size, layout):
    """Names and shapes of what is too large to be made here; nothing is computed."""
    width, depth, heads, mlp_ratio, patch, in_adapters = SIZES[size]
    sizes = dict(embed_dims=width, depth=depth, num_heads=heads, mlp_ratio=mlp_ratio,
                 patch_size=patch, img_size=224)
    made, state = files('meta', **sizes)
    model = build({}, 'meta', **sizes)
    taken, lines = fit_vit_weights(vit_weights(made[layout]), model, 'weights.pth')
    assert lines[-1].startswith('not in the file, adapters start anew: blocks.0.adapter.gamma, ')
    computed = {key for key in state if 'fc_norm' not in key and key != 'pos_embed'}
    assert computed <= set(taken)
    hidden = int(width * mlp_ratio)
    total = sum(value.numel() for key, value in taken.items() if key in computed)
    assert total == width * (3 * 2 * patch**2 + 1) + depth * (
        4 * width**2 + 3 * width + 4 * width + 2 * width * hidden + hidden + width)
    extra = sum(value.numel() for key, value in model.state_dict().items() if 'adapter' in key)
    assert extra / 1e6 == pytest.approx(in_adapters, rel=.005)
    if size == 'S':
        assert extra / total == pytest.approx(.046, abs=.0005)
    assert taken[f'blocks.{depth - 1}.attn.qkv.weight'].shape == (3 * width, width)
    assert taken[f'blocks.{depth - 1}.mlp.layers.0.0.weight'].shape == (hidden, width)
    assert taken['patch_embed.projection.weight'].shape == (width, 3, 2, patch, patch)


def detector(model):
    """A published detector around a transformer with adapters."""
    state = {f'module.backbone.model.backbone.{key}': value
             for key, value in model.state_dict().items()}
    return {**state, 'module.neck.fpn_norms.0.weight': torch.zeros(4)}


@pytest.mark.parametrize('adapter', [{}, dict(blocks=[1]), dict(side_tuning=True)])
def test_adapters_of_published_detectors(adapter, tmp_path):
    path = tmp_path / 'detector.pth'
    theirs, averaged = build(adapter), build(adapter)
    for param in averaged.parameters():
        param.data += 1
    torch.save(dict(epoch=60, state_dict=detector(theirs), state_dict_ema=detector(averaged),
                    optimizer={}, scheduler={}), path)
    ours = build(adapter, init_cfg=dict(type='PretrainedViT', checkpoint=str(path)))
    ours.init_weights()
    adapters = [key for key in ours.state_dict() if 'adapter' in key]
    assert any(ours.state_dict()[key].abs().max() > 1 for key in adapters if 'up_proj' in key)
    for key, value in averaged.state_dict().items():
        assert torch.equal(ours.state_dict()[key], value), key


def test_a_front_loads_and_says_so(tmp_path):
    """Through the whole model, as a Runner initialises it: nothing is drawn over what was read."""
    path = tmp_path / 'weights.pth'
    made, state = files()
    torch.save(made['fine-tuned'], path)
    front = MODELS.build(dict(
        type='ClipFront', tuning='adapter', adapter=dict(type='TIAdapter'),
        backbone=dict(TINY, init_cfg=dict(type='PretrainedViT', checkpoint=str(path)))))
    front.init_weights()
    loaded = front.backbone.state_dict()
    for key, value in state.items():
        assert torch.equal(loaded[key], value), key
    assert not loaded['blocks.1.adapter.up_proj.weight'].any()
    assert loaded['blocks.1.adapter.down_proj.weight'].any()


def fit(change, adapter=None):
    weights = vit_weights(files()[0]['fine-tuned'])
    change(weights)
    return fit_vit_weights(weights, build(adapter), 'weights.pth')


def test_what_is_missing_is_an_error():
    with pytest.raises(TALDataError, match=(
            r'weights.pth: state_dict: missing: blocks.1.norm1.weight; the config says '
            'embed_dims=16 and depth=2')):
        fit(lambda weights: weights.pop('blocks.1.norm1.weight'))


def test_another_size_and_an_unknown_name_are_a_line_each():
    def change(weights):
        weights['blocks.0.norm1.weight'] = torch.zeros(3)
        weights['blocks.0.layer_scale'] = torch.zeros(3)

    with pytest.raises(TALDataError) as info:
        fit(change)
    lines = str(info.value).splitlines()
    assert lines[0].endswith('2 problems')
    assert lines[1].endswith('of another shape: blocks.0.norm1.weight is (3,), not (16,)')
    assert lines[2].endswith('unknown: blocks.0.layer_scale')


def test_a_deeper_transformer_is_no_shallower_one():
    weights = vit_weights(files(depth=3)[0]['mmaction'])
    with pytest.raises(TALDataError, match=r'unknown: blocks\.2\.\S+, .* and 9 more'):
        fit_vit_weights(weights, build(), 'weights.pth')


def test_adapters_need_a_place_and_are_whole():
    theirs = dict(state_dict=detector(build({})))
    with pytest.raises(TALDataError, match='adapters that the model does not have: blocks.0.adap'):
        fit_vit_weights(vit_weights(theirs), build(), 'weights.pth')
    with pytest.raises(TALDataError, match=r'adapters that the model does not have: blocks.0.adap'):
        fit_vit_weights(vit_weights(theirs), build(dict(blocks=[1])), 'weights.pth')
    one = dict(state_dict=detector(build(dict(blocks=[1]))))
    with pytest.raises(TALDataError, match=r'missing: blocks.0.adapter.gamma'):
        fit_vit_weights(vit_weights(one), build({}), 'weights.pth')


def test_positions_of_another_size_are_computed():
    made, _ = files(img_size=24)
    taken, lines = fit_vit_weights(vit_weights(made['mmaction']), build(), 'weights.pth')
    assert 'pos_embed' not in taken
    assert 'left out, table of positions, which follows from the sizes: pos_embed' in lines


def test_three_matrices_are_stacked_in_their_order():
    made, state = files()
    weights = vit_weights(made['Hugging Face'])
    assert torch.equal(weights['blocks.1.attn.qkv.weight'], state['blocks.1.attn.qkv.weight'])
    del made['Hugging Face']['videomae.encoder.layer.1.attention.attention.key.weight']
    with pytest.raises(TALDataError, match='missing: blocks.1.attn.qkv.weight'):
        fit_vit_weights(vit_weights(made['Hugging Face']), build(), 'weights.pth')


@pytest.mark.parametrize('content, message', [
    ([1, 2], 'holds no weights'), (dict(epoch=3), 'holds no weights'),
    (dict(module={}), 'holds no weights')])
def test_no_weights(content, message, tmp_path):
    path = tmp_path / 'weights.pth'
    torch.save(content, path)
    with pytest.raises(TALDataError, match=f'{path}.*{message}'):
        build(init_cfg=dict(type='PretrainedViT', checkpoint=str(path))).init_weights()


def test_values_that_are_no_numbers(tmp_path):
    path = tmp_path / 'weights.pth'
    made, state = files()
    made['bare']['blocks.0.norm1.weight'][3] = float('nan')
    torch.save(made['bare'], path)
    with pytest.raises(TALDataError, match='holds NaN or infinity in blocks.0.norm1.weight'):
        build(init_cfg=dict(type='PretrainedViT', checkpoint=str(path))).init_weights()


def test_a_damaged_file_and_none(tmp_path):
    path = tmp_path / 'weights.pth'
    with pytest.raises(FileNotFoundError, match=f'there is no checkpoint {path}'):
        build(init_cfg=dict(type='PretrainedViT', checkpoint=str(path))).init_weights()
    path.write_bytes(b'no checkpoint')
    with pytest.raises(TALDataError, match=f'{path}: file: is no checkpoint of torch'):
        build(init_cfg=dict(type='PretrainedViT', checkpoint=str(path))).init_weights()
