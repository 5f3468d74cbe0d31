"""Adapters in a video transformer: what they see, what is trained, what is kept in memory."""
import copy

import pytest
import torch
from batteries import randomise
from mmaction.registry import MODELS

import cltdr_mm  # noqa: F401
from cltdr_mm.models.fronts.adapters import BlockAdapter, ClipTokens

TINY = dict(type='VisionTransformer', img_size=16, patch_size=8, embed_dims=16, depth=3,
            num_heads=2, return_feat_map=True)
VIDEOS = [2, 1, 3]  # clips


def make(kind='TIAdapter', vit=None, **kwargs):
    """A transformer with adapters, all parameters random; and what runs the two."""
    torch.manual_seed(0)
    backbone = MODELS.build({**TINY, **(vit or {})}).requires_grad_(False)
    adapter = MODELS.build(dict(type=kind, **kwargs))
    adapter.attach(backbone)
    randomise(backbone)
    return backbone, adapter


def clips(number, seed=0):
    return torch.randn(number, 3, 16, 16, 16, generator=torch.Generator().manual_seed(seed))


def run(backbone, adapter, x, per_video, own=None, with_cp=False):
    frames = [16 * count for count in own or per_video]
    return adapter(backbone, x.split(4), per_video, frames, with_cp)  # groups of clips


def gradients(backbone, loss):
    backbone.zero_grad()
    loss.backward()
    return {name: param.grad.clone() for name, param in backbone.named_parameters()
            if param.requires_grad}


def weights_of(x, seed=1):
    return torch.randn(x.shape, generator=torch.Generator().manual_seed(seed))


def close(found, wanted, tolerance):
    assert found.keys() == wanted.keys() and found
    for name in found:
        error = (found[name] - wanted[name]).norm() / wanted[name].norm()
        assert error < tolerance, name


@pytest.mark.parametrize('side_tuning', [False, True])
@pytest.mark.parametrize('kind', ['TIAdapter', 'PlainAdapter'])
def test_a_video_is_the_same_alone_and_in_a_batch(kind, side_tuning):
    backbone, adapter = make(kind, side_tuning=side_tuning)
    x = clips(sum(VIDEOS))
    together = run(backbone, adapter, x, VIDEOS)
    weights = weights_of(together)
    wanted, total = [], 0.
    for part, weight in zip(x.split(VIDEOS), weights.split(VIDEOS)):
        alone = run(backbone, adapter, part, [len(part)])
        wanted.append(alone.detach())
        total = total + (alone * weight).sum()
    assert torch.allclose(together, torch.cat(wanted), atol=1e-5)
    alone = gradients(backbone, total)
    close(gradients(backbone, (together * weights).sum()), alone, 1e-5)


@pytest.mark.parametrize('side_tuning', [False, True])
def test_clips_that_fill_a_batch_change_nothing(side_tuning):
    backbone, adapter = make(side_tuning=side_tuning)
    x = clips(sum(VIDEOS))
    wanted = run(backbone, adapter, x, VIDEOS)
    weights = weights_of(wanted)
    filler = 100 * clips(1, seed=5)
    padded, is_own = [], []
    for part in x.split(VIDEOS):
        padded += [part, filler.expand(3 - len(part), -1, -1, -1, -1)]
        is_own += [True] * len(part) + [False] * (3 - len(part))
    found = run(backbone, adapter, torch.cat(padded), [3, 3, 3], VIDEOS)[torch.tensor(is_own)]
    assert torch.allclose(found, wanted, atol=1e-5)
    wanted_gradients = gradients(backbone, (wanted * weights).sum())
    close(gradients(backbone, (found * weights).sum()), wanted_gradients, 1e-5)


@pytest.mark.parametrize('kind, sees', [('TIAdapter', True), ('PlainAdapter', False)])
def test_only_the_view_of_time_joins_clips_and_never_videos(kind, sees):
    backbone, adapter = make(kind)
    x = clips(4)
    other = x.clone()
    other[0] += 1
    first, second = (run(backbone, adapter, y, [2, 2]) for y in (x, other))
    assert torch.equal(first[1], second[1]) is not sees
    assert torch.equal(first[2:], second[2:])


@pytest.mark.parametrize('kernel_size, dilation', [(1, 1), (3, 1), (5, 2), (3, 9)])
def test_kernel_and_dilation_are_how_far_a_clip_is_seen(kernel_size, dilation):
    backbone, adapter = make(kernel_size=kernel_size, dilation=dilation, blocks=[2])
    x = clips(3)
    other = x.clone()
    other[0] += 1
    first, second = (run(backbone, adapter, y, [3]) for y in (x, other))
    moved = (first != second).any(1).flatten(2).any(2).flatten()  # 24 tubelets
    taps = [tap * dilation for tap in range(kernel_size // 2 + 1)]
    assert moved.tolist() == [any(0 <= at - tap < 8 for tap in taps) for at in range(24)]


@pytest.mark.parametrize('kind', ['TIAdapter', 'PlainAdapter'])
@pytest.mark.parametrize('side_tuning', [False, True])
def test_it_starts_as_the_transformer_alone_also_after_init_weights(kind, side_tuning):
    backbone = MODELS.build(dict(TINY))
    adapter = MODELS.build(dict(type=kind, side_tuning=side_tuning))
    adapter.attach(backbone)
    backbone.init_weights()  # as a Runner does; draws every linear layer of the transformer
    assert backbone.blocks[0].mlp.layers[1].weight.abs().max() > 0
    parts = adapter.adapters(backbone)
    assert len(parts) == 3
    for part in parts:
        assert not part.up_proj.weight.any() and not part.up_proj.bias.any()
        assert part.gamma.item() == 1
        assert 0 < part.down_proj.weight.abs().max() < .12 and not part.down_proj.bias.any()
        if kind == 'TIAdapter':
            assert part.dwconv.weight.abs().max() > .2 and not part.dwconv.bias.any()
            assert part.conv.weight.abs().max() > .2 and not part.conv.bias.any()
    plain = MODELS.build(dict(TINY))
    plain.load_state_dict({key: value for key, value in backbone.state_dict().items()
                           if 'adapter' not in key})
    x = clips(2)
    assert torch.allclose(run(backbone, adapter, x, [2]), plain(x), atol=1e-5)


def test_widths_of_what_adapters_start_with():
    """Standard deviations of METHODS: sqrt(2 / k) and sqrt(2 / H)."""
    _, adapter = make(kernel_size=5)
    part = adapter.make(1024)
    part.init_weights()
    assert part.dwconv.weight.std().item() == pytest.approx((2 / 5)**.5, rel=.1)
    assert part.conv.weight.std().item() == pytest.approx((2 / 256)**.5, rel=.02)
    assert part.down_proj.weight.std().item() == pytest.approx(.02, rel=.02)


def front(tuning='adapter', vit=None, **kwargs):
    adapter = dict(adapter=dict(type='TIAdapter', **kwargs)) if tuning == 'adapter' else {}
    return MODELS.build(dict(type='ClipFront', backbone={**TINY, **(vit or {})}, tuning=tuning,
                             **adapter))


def test_only_adapters_are_trained_and_fc_norm_never():
    trained = {name for name, param in front().named_parameters() if param.requires_grad}
    assert trained and all('.adapter.' in name for name in trained)
    trained = {name for name, param in front('full').named_parameters() if param.requires_grad}
    assert 'backbone.blocks.0.attn.qkv.weight' in trained
    assert not any('fc_norm' in name for name in trained)


def test_drop_path_alone_drops_in_frozen_blocks():
    model = front(vit=dict(drop_path_rate=.5, drop_rate=.5, attn_drop_rate=.5))
    model.train()
    for block in model.backbone.blocks:
        assert block.adapter.training and block.drop_path.training
        for part in (block.norm1, block.attn, block.norm2, block.mlp, block.attn.attn_drop):
            assert not part.training
    assert not model.backbone.patch_embed.training and not model.backbone.pos_drop.training
    frames = torch.randint(0, 256, (3, 32, 16, 16), dtype=torch.uint8)
    first, second = (model([frames], [32])[0] for _ in range(2))
    assert not torch.equal(first, second)
    model.eval()
    assert not any(module.training for module in model.modules())
    first, second = (model([frames], [32])[0] for _ in range(2))
    assert torch.equal(first, second)


def test_nothing_drops_beside_side_tuning():
    model = front(vit=dict(drop_path_rate=.5), side_tuning=True).train()
    assert not model.backbone.blocks[2].drop_path.training
    assert model.backbone.ladders.adapters[0].training


@pytest.mark.parametrize('side_tuning', [False, True])
def test_a_front_gives_a_video_the_same_in_any_batch(side_tuning):
    """Lengths that are no whole clips; rows and gradients."""
    model = front(side_tuning=side_tuning)
    randomise(model.backbone)
    lengths = [40, 16, 23]
    videos = [torch.randint(0, 256, (3, length, 16, 24), dtype=torch.uint8) for length in lengths]
    together = model(videos, lengths)
    alone = [model([video], [length])[0] for video, length in zip(videos, lengths)]
    weights = [weights_of(rows) for rows in together]
    for ours, theirs, length in zip(together, alone, lengths):
        assert ours.shape == (length, 16) and torch.equal(ours, theirs)
    wanted = gradients(model.backbone, sum(
        (rows * weight).sum() for rows, weight in zip(alone, weights)))
    found = gradients(model.backbone, sum(
        (rows * weight).sum() for rows, weight in zip(together, weights)))
    close(found, wanted, 1e-5)


def test_copies_of_the_last_frame_fill_the_last_clip():
    """A video is padded by itself: what is seen is its last frame, held."""
    model = front()
    randomise(model.backbone)
    frames = torch.randint(0, 256, (3, 21, 16, 16), dtype=torch.uint8)
    held = torch.cat([frames, frames[:, -1:].expand(-1, 11, -1, -1)], dim=1)
    assert torch.equal(model([frames], [21])[0], model([held], [32])[0][:21])


def test_half_precision():
    """Under autocast adapters are computed as blocks are; rows are float32."""
    model = front()
    randomise(model.backbone)
    model.with_cp = True
    frames = torch.randint(0, 256, (3, 32, 16, 16), dtype=torch.uint8)
    wanted = model([frames], [32])[0]
    with torch.autocast('cpu', dtype=torch.bfloat16):
        found = model([frames], [32])[0]
    assert found.dtype == torch.float32
    assert (found - wanted).norm() / wanted.norm() < .05
    found.sum().backward()
    assert all(param.grad.isfinite().all() for param in model.parameters() if param.requires_grad)


class Kept:
    """Bytes that autograd keeps for a backward pass, without those of parameters."""

    def __init__(self, module):
        self.own = {param.data_ptr() for param in (*module.parameters(), *module.buffers())}
        self.storages = {}

    def pack(self, tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in self.own:
            self.storages[storage.data_ptr()] = storage
        return tensor

    @property
    def total(self):
        return sum(storage.nbytes() for storage in self.storages.values())


def kept(with_cp=False, depth=6, **kwargs):
    backbone, adapter = make(vit=dict(depth=depth), **kwargs)
    backbone.requires_grad_(False)
    for part in adapter.adapters(backbone):
        part.requires_grad_(True)
    counter = Kept(backbone)
    with torch.autograd.graph.saved_tensors_hooks(counter.pack, lambda tensor: tensor):
        out = run(backbone, adapter, clips(4), [4], with_cp=with_cp)
    assert out.requires_grad
    return counter.total


def test_what_is_kept_for_the_backward_pass():
    every, last = kept(), kept(blocks=[5])
    # blocks before the first adapter keep nothing, however many they are
    assert last == kept(depth=1, blocks=[0]) == kept(depth=9, blocks=[8])
    # of six blocks the adapter of the last alone keeps far less than a block, which keeps about
    # 15 times the tokens
    tokens = 4 * 32 * 16 * 4
    assert last < 6 * tokens
    assert every > 5 * 10 * tokens
    # with checkpointing: a row of tokens a block, and the first adapter
    assert kept(with_cp=True) < 12 * tokens
    assert kept(blocks=[5], with_cp=True) == last
    # side tuning: tokens and the inside of each adapter; with checkpointing tokens
    assert kept(side_tuning=True) < 6 * 4 * tokens
    assert kept(side_tuning=True, with_cp=True) < 6 * 1.5 * tokens


@pytest.mark.parametrize('side_tuning', [False, True])
def test_checkpointing_changes_no_gradient(side_tuning):
    backbone, adapter = make(vit=dict(drop_path_rate=.3), side_tuning=side_tuning)
    adapter.set_mode(backbone.eval(), True)
    x, results = clips(5), []
    for with_cp in (False, True):
        torch.manual_seed(3)  # the same paths are dropped, in forward and in what is done again
        out = run(backbone, adapter, x, [2, 3], with_cp=with_cp)
        results.append(gradients(backbone, (out * weights_of(out)).sum()))
    close(results[1], results[0], 1e-6)


def test_a_picture_that_patches_do_not_fill():
    """At 160 pixels patches of 14 make 11 x 11, of 154 pixels."""
    backbone, adapter = make(vit=dict(patch_size=14, img_size=56))
    x = torch.randn(1, 3, 16, 40, 33)
    assert run(backbone, adapter, x, [1]).shape == (1, 16, 8, 2, 2)
    assert torch.allclose(run(backbone, adapter, x, [1]),
                          run(backbone, adapter, x[..., :28, :28], [1]), atol=1e-6)


def test_eps_and_gelu_are_the_published():
    backbone, adapter = make()
    assert {block.norm1.eps for block in backbone.blocks} == {1e-6}
    assert {block.norm2.eps for block in backbone.blocks} == {1e-6}
    part = adapter.adapters(backbone)[0]
    assert isinstance(part, BlockAdapter) and part.act.approximate == 'none'


def test_a_copy_is_a_model_of_its_own():
    """As averaged weights are."""
    backbone, adapter = make()
    other = copy.deepcopy(backbone)
    x = clips(2)
    wanted = run(backbone, adapter, x, [2])
    for param in backbone.parameters():
        param.data.zero_()
    assert torch.equal(run(other, adapter, x, [2]), wanted)


@pytest.mark.parametrize('blocks', [[], [0, 0], [-1, 2], [3]])
def test_blocks_must_be_there(blocks):
    with pytest.raises(ValueError, match=r'TIAdapter: blocks must be different ones of 0\.\.2'):
        make(blocks=blocks)


def test_side_tuning_adds_to_the_last_block():
    with pytest.raises(ValueError, match='adds to the last block, 2, which must be one'):
        make(blocks=[0, 1], side_tuning=True)


def test_another_backbone_is_refused():
    backbone = MODELS.build(dict(type='C3D', out_dim=8192))
    with pytest.raises(ValueError, match="into MMAction2's VisionTransformer, not into C3D"):
        MODELS.build(dict(type='TIAdapter')).attach(backbone)


@pytest.mark.parametrize('kwargs, message', [
    (dict(kernel_size=4), 'kernel_size of an adapter must be odd, got 4'),
    (dict(dilation=0), 'dilation of an adapter must be at least 1, got 0'),
    (dict(ratio=.01), 'no channel inside')])
def test_bad_sizes(kwargs, message):
    with pytest.raises(ValueError, match=message):
        make(**kwargs)


def test_clips_of_another_length():
    backbone, adapter = make()
    with pytest.raises(ValueError, match='clips of 8 frames make 4 tubelets'):
        run(backbone, adapter, clips(2)[:, :, :8], [2])


def test_tokens_of_other_clips():
    with pytest.raises(ValueError, match='cannot have'):
        ClipTokens((8, 2, 2), [2, 1], [2, 2])
    with pytest.raises(ValueError, match='are not those of 3 clips'):
        ClipTokens((8, 2, 2), [2, 1], [2, 1]).videos(torch.zeros(2, 32, 4))


@pytest.mark.parametrize('width, depth, each, total', [
    (384, 12, 83_905, 1.01), (768, 12, None, 4.00), (1024, 24, 592_385, 14.2),
    (1280, 32, None, 29.6), (1408, 40, None, 44.7)])
def test_sizes_of_published_adapters(width, depth, each, total):
    with torch.device('meta'):
        part = MODELS.build(dict(type='TIAdapter')).make(width)
    count = sum(param.numel() for param in part.parameters())
    assert each in (None, count)
    assert depth * count / 1e6 == pytest.approx(total, rel=.005)
