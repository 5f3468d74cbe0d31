"""Rows of clips: what they are, and that a video depends on itself only."""
import copy

import pytest
import torch
from front_models import RESNET, VIT, make_frames, make_front
from mmaction.registry import MODELS
from mmengine.registry import init_default_scope
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from cltdr_mm.models.fronts import ClipAdapter

MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
PATHWAY = dict(type='resnet3d', depth=18, pretrained=None, base_channels=8, conv1_stride_t=1,
               pool1_stride_t=1)
BATCH_NORM = dict(norm_cfg=dict(type='BN3d'))
#: Config and width of the rows: every backbone of MMAction2 that takes frames and can be built here
#: (ResNetTIN and MobileOneTSM need packages that are not; C3D is too big for a test).
BACKBONES = dict(
    vit=(VIT, 24),
    resnet3d=(dict(type='ResNet3d', depth=18, pretrained=None, base_channels=4), 32),
    slow_only=(RESNET, 32),
    slow_fast=(dict(
        type='ResNet3dSlowFast', pretrained=None,
        slow_pathway=dict(PATHWAY, lateral=True, base_channels=16, conv1_kernel=(1, 7, 7)),
        fast_pathway=dict(PATHWAY, lateral=False, base_channels=2, conv1_kernel=(5, 7, 7))),
        128 + 16),
    r2plus1d=(dict(type='ResNet2Plus1d', depth=34, pretrained=None, pretrained2d=False,
                   base_channels=4, conv_cfg=dict(type='Conv2plus1d'), conv1_kernel=(3, 7, 7),
                   conv1_stride_t=1, pool1_stride_t=1, inflate=(1, 1, 1, 1), **BATCH_NORM),
              32),
    csn=(dict(type='ResNet3dCSN', depth=50, pretrained=None, pretrained2d=False, base_channels=4,
              bottleneck_mode='ir'), 128),
    x3d=(dict(type='X3D', gamma_w=.5, gamma_b=1., gamma_d=1.), 128),
    tsm=(dict(type='ResNetTSM', depth=50, pretrained=None, num_segments=16), 2048),
    tanet=(dict(type='TANet', depth=50, pretrained=None, num_segments=16, tam_cfg={}), 2048),
    mobilenet_tsm=(dict(type='MobileNetV2TSM', pretrained=None, num_segments=16), 1280),
    c2d=(dict(type='C2D', depth=50, pretrained=None), 2048),
    omni=(dict(type='OmniResNet'), 2048),
    mvit=(dict(type='MViT', spatial_size=32, arch=dict(
        embed_dims=8, num_layers=3, num_heads=1, downscale_indices=[1])), 16),
    swin=(dict(type='SwinTransformer3D', pretrained=None, pretrained2d=False, arch=dict(
        embed_dims=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 2, 2]),), 64),
    uniformer=(dict(type='UniFormer', depth=[1, 1, 1, 1], embed_dim=[8, 8, 16, 16], head_dim=8,
                    pretrained2d=False), 16),
    uniformer_v2=(dict(type='UniFormerV2', input_resolution=32, width=16, layers=2, heads=2,
                       t_size=16, return_list=[0, 1], n_layers=2, n_dim=16, n_head=2,
                       mlp_dropout=[0., 0.], clip_pretrained=False), 16),
    timesformer=(dict(type='TimeSformer', num_frames=16, img_size=32, patch_size=16,
                      embed_dims=16, num_heads=2, num_transformer_layers=2, pretrained=None),
                 16))
IMAGES = ('tsm', 'tanet', 'mobilenet_tsm')


@pytest.mark.parametrize('name', BACKBONES)
def test_any_backbone(name):
    """Rows of a video of one and a half clips; all that is learned gets a gradient."""
    init_default_scope('mmaction')
    config, width = BACKBONES[name]
    front = MODELS.build(dict(
        type='ClipFront', backbone=config, frames_per_step=8,
        format_shape='NCHW' if name in IMAGES else 'NCTHW')).eval()
    rows, = front([make_frames(24)], [3])
    assert front.out_channels == width and rows.shape == (3, width)
    assert rows.dtype == torch.float32 and rows.isfinite().all()
    (rows * torch.randn(3, width)).sum().backward()
    for param_name, param in front.named_parameters():
        assert (param.grad is not None) == param.requires_grad, param_name
    assert sum(param.requires_grad for param in front.parameters()) > 5


@pytest.mark.parametrize('frames_per_step, weights', [
    (1, None), (2, [1.]), (4, [.5, .5]), (8, [0., .5, .5, 0.]), (16, [0, 0, 0, .5, .5, 0, 0, 0])])
def test_rows_are_means_of_tubelets(frames_per_step, weights):
    """Clip by clip and step by step, in a loop."""
    front = make_front(frames_per_step=frames_per_step).eval()
    frames, backbone = make_frames(48), copy.deepcopy(front.backbone).double()
    tubelets = []
    for start in (0, 16, 32):
        clip = frames[:, start:start + 16].double()
        clip = torch.stack([(clip[c] - MEAN[c]) / STD[c] for c in range(3)])
        tubelets += [feature.mean(dim=(1, 2)) for feature in backbone(clip[None])[0].unbind(1)]
    if frames_per_step == 1:  # between tubelets, whose own centres lie between frames
        expected = [tubelets[0]]
        for first, second in zip(tubelets, tubelets[1:]):
            expected += [.75 * first + .25 * second, .25 * first + .75 * second]
        expected.append(tubelets[-1])
    else:
        expected = [sum(weight * x for weight, x in zip(weights, tubelets[first:]))
                    for first in range(0, 24, len(weights))]
    rows, = front([frames], [48 // frames_per_step])
    assert torch.allclose(rows.double(), torch.stack(expected), rtol=1e-4, atol=1e-5)


def gradients(front, videos, cotangents):
    """Of every parameter."""
    front.zero_grad()
    rows = front(videos, [video.shape[1] // front.frames_per_step for video in videos])
    sum((x * y).sum() for x, y in zip(rows, cotangents)).backward()
    return {name: param.grad.clone() for name, param in front.named_parameters()
            if param.grad is not None}


@pytest.mark.parametrize('config', [VIT, RESNET], ids=['vit', 'resnet'])
@pytest.mark.parametrize('norm_eval', [True, False])
def test_a_video_depends_on_itself_only(config, norm_eval):
    """Alone, in a batch and in another order; with frames that are no whole clips; trained."""
    front = make_front(config, frames_per_step=2, norm_eval=norm_eval)
    videos = [make_frames(frames) for frames in (40, 16, 6, 2)]
    generator = torch.Generator().manual_seed(3)
    cotangents = [torch.randn(len(video[0]) // 2, front.out_channels, generator=generator)
                  for video in videos]
    steps = [20, 8, 3, 1]
    alone = [front([video], [count])[0] for video, count in zip(videos, steps)]
    for order in ((0, 1, 2, 3), (3, 1, 0), (2, 2)):
        together = front([videos[i] for i in order], [steps[i] for i in order])
        for index, rows in zip(order, together):
            assert torch.equal(rows, alone[index])
    apart = [gradients(front, [video], [y]) for video, y in zip(videos, cotangents)]
    for name, grad in gradients(front, videos, cotangents).items():
        assert torch.allclose(grad, sum(grads[name] for grads in apart), rtol=1e-4, atol=1e-5)


def test_the_last_frame_fills_the_last_clip():
    front = make_front().eval()
    frames = make_frames(21)
    filled = torch.cat([frames, *[frames[:, -1:]] * 11], dim=1)
    assert torch.equal(front([frames], [21])[0], front([filled], [32])[0][:21])


class Kept:
    """Bytes that autograd keeps, each storage once, without parameters."""

    def __init__(self, module):
        self.own = {param.untyped_storage().data_ptr() for param in module.parameters()}
        self.sizes = {}

    def __enter__(self):
        self.hooks = torch.autograd.graph.saved_tensors_hooks(self.pack, lambda x: x)
        self.hooks.__enter__()
        return self

    def __exit__(self, *args):
        self.hooks.__exit__(*args)

    def pack(self, x):
        storage = x.untyped_storage()
        if storage.data_ptr() not in self.own:
            self.sizes[storage.data_ptr()] = storage.nbytes()
        return x

    @property
    def total(self):
        return sum(self.sizes.values())


@pytest.mark.parametrize('config', [VIT, RESNET], ids=['vit', 'resnet'])
def test_groups_and_checkpointing_change_memory_only(config):
    """The same rows and gradients; with activation checkpointing only frames are kept."""
    videos = [make_frames(88), make_frames(16)]
    cotangents = [torch.randn(len(video[0]), make_front(config).out_channels) for video in videos]
    expected = gradients(make_front(config), videos, cotangents)
    kept = {}
    for clips, with_cp in ((1, False), (3, False), (1, True), (4, True)):
        front = make_front(config, clips_at_once=clips, with_cp=with_cp)
        for name, grad in gradients(front, videos, cotangents).items():
            assert (grad - expected[name]).norm() <= 1e-4 * expected[name].norm() + 1e-5, name
        with Kept(front) as memory:
            rows = front(videos, [88, 16])
        kept[clips, with_cp] = memory.total
        del rows
    frames = sum(video.nbytes for video in videos)
    assert kept[1, False] > 2 * frames > kept[1, True] and kept[3, False] > 2 * frames
    assert kept[4, True] < 2 * frames


class Largest(TorchDispatchMode):
    """The largest floating point tensor that is made."""

    size = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **kwargs or {})
        self.size = max([self.size] + [x.nbytes for x in tree_leaves(out)
                                       if isinstance(x, torch.Tensor) and x.is_floating_point()])
        return out


@pytest.mark.parametrize('options', [dict(), dict(tuning='frozen')], ids=['no_grad', 'frozen'])
def test_a_long_video_takes_no_more_memory(options):
    """No tensor grows with the video but its rows and the frames themselves; none is kept."""
    front = make_front(clips_at_once=2, **options).eval()
    sizes = []
    for num_frames in (32, 640):
        with Largest() as largest, torch.set_grad_enabled(bool(options)), Kept(front) as memory:
            rows, = front([make_frames(num_frames)], [num_frames])
        assert memory.total == 0 and not rows.requires_grad
        assert rows.nbytes < largest.size
        sizes.append(largest.size)
    assert sizes[0] == sizes[1]


class ScaleAdapter(ClipAdapter):
    """As little as an adapter can be: a scale behind a backbone, or in it."""

    def attach(self, backbone):
        backbone.scale = torch.nn.Linear(1, 1)

    def set_mode(self, backbone, mode):
        backbone.scale.train(mode)

    def forward(self, backbone, clips, clips_per_video, frames_per_video, with_cp):
        groups = list(clips)
        assert [len(group) for group in groups[:-1]] == [8] * (len(groups) - 1)
        clips = torch.cat(groups)
        assert len(clips) == sum(clips_per_video)
        self.seen = list(clips_per_video), list(frames_per_video), with_cp
        return backbone.scale(backbone(clips)[..., None])[..., 0]


def tuned(tuning):
    MODELS.register_module(name='ScaleAdapter', module=ScaleAdapter, force=True)
    try:
        return make_front(tuning=tuning, adapter=dict(type='ScaleAdapter'), with_cp=True)
    finally:
        del MODELS.module_dict['ScaleAdapter']


def test_tuning():
    """What is learned and what is in training mode, whatever train() and eval() say."""
    full, frozen, adapter = (tuned(name) for name in ('full', 'frozen', 'adapter'))
    learned = {name for name, param in full.named_parameters() if param.requires_grad}
    assert 'backbone.blocks.0.attn.qkv.weight' in learned
    assert 'backbone.fc_norm.weight' not in learned  # comes after the feature map
    assert not any(param.requires_grad for param in frozen.parameters())
    assert [name for name, param in adapter.named_parameters() if param.requires_grad] == [
        'backbone.scale.weight', 'backbone.scale.bias']
    for front, names in ((full, None), (frozen, []), (adapter, ['scale'])):
        for mode in (True, False, True):
            front.train(mode)
            trained = [name for name, module in front.backbone.named_modules() if module.training]
            everything = [name for name, _ in front.backbone.named_modules()]
            assert trained == ((everything if names is None else names) if mode else [])
    assert not frozen([make_frames(16)], [16])[0].requires_grad
    adapter([make_frames(40)], [40])[0].sum().backward()
    assert adapter.backbone.scale.weight.grad is not None
    assert adapter.adapter.seen == ([3], [40], True)


def test_batch_norm():
    """Its averages move with norm_eval=False only; its scales are learned either way."""
    for norm_eval in (True, False):
        front = make_front(RESNET, norm_eval=norm_eval).train()
        norm = front.backbone.conv1.bn
        before = norm.running_mean.clone()
        front([make_frames(16)], [16])[0].sum().backward()
        assert torch.equal(before, norm.running_mean) == norm_eval
        assert norm.weight.grad is not None
        front.eval()
        assert not norm.training
    frozen = make_front(RESNET, norm_eval=False, tuning='frozen').train()
    assert not frozen.backbone.conv1.bn.training


def test_autocast():
    """Rows are float32, near those without, and gradients finite."""
    front = make_front(with_cp=True)
    plain, = front([make_frames(32)], [32])
    with torch.autocast('cpu', torch.bfloat16):
        rows, = front([make_frames(32)], [32])
    assert rows.dtype == torch.float32 and not torch.equal(rows, plain)
    assert torch.allclose(rows, plain, atol=0.05 * plain.abs().max().item())
    rows.sum().backward()
    assert all(param.grad.isfinite().all() for param in front.parameters() if param.requires_grad)


@pytest.mark.parametrize('options, message', [
    (dict(tuning='ful'), "front.tuning must be one of full, frozen, adapter, got 'ful'"),
    (dict(tuning='adapter'), 'needs front.adapter'),
    (dict(format_shape='NTHW'), "front.format_shape must be 'NCTHW' or 'NCHW'"),
    (dict(clip_len=0), 'front.clip_len must be a whole number from 1, got 0'),
    (dict(frames_per_step=3), 'front.frames_per_step 3 does not divide front.clip_len 16'),
    (dict(clips_at_once=1.5), 'front.clips_at_once must be a whole number from 1, got 1.5'),
    (dict(std=(1., 0., 1.)), 'those of std positive'),
    (dict(backbone=RESNET, with_cp=True, norm_eval=False), 'running statistics of BatchNorm twice'),
    (dict(backbone=dict(VIT, return_feat_map=False)), 'write return_feat_map=True'),
    (dict(backbone=dict(VIT, pretrained='x.pth')), 'takes no notice of `pretrained`'),
    (dict(backbone=dict(VIT, num_frames=32)), 'VisionTransformer makes nothing of a clip of 16'),
    (dict(backbone=BACKBONES['tsm'][0], clip_len=8, format_shape='NCHW'),
     'num_segments is 16, but front.clip_len 8'),
    (dict(backbone=RESNET, format_shape='NCHW'), 'makes nothing of a clip of 16 frames as NCHW'),
])
def test_what_does_not_go_together(options, message):
    with pytest.raises(ValueError, match=message):
        make_front(**options)


def test_frames_for_steps():
    front = make_front(frames_per_step=2)
    with pytest.raises(ValueError, match='video 1 of the batch has 6 frames for 6 steps'):
        front([make_frames(6), make_frames(6)], [3, 6])
