"""Small backbones, frames and models for tests of fronts."""
import torch
from head_batteries import make_samples
from mmaction.registry import MODELS

VIT = dict(type='VisionTransformer', img_size=32, patch_size=16, embed_dims=24, depth=2,
           num_heads=4, return_feat_map=True)
RESNET = dict(type='ResNet3dSlowOnly', depth=18, pretrained=None, base_channels=4,
              conv1_stride_s=2, pool1_stride_s=1)


def make_frames(num_frames, size=32, seed=0):
    """(3, F, size, size) uint8; a video is the same in every batch."""
    generator = torch.Generator().manual_seed(1000 * seed + num_frames)
    return torch.randint(0, 256, (3, num_frames, size, size), dtype=torch.uint8,
                         generator=generator)


def make_front(backbone=VIT, **options):
    """A front with the same random parameters every time, wide enough to matter."""
    torch.manual_seed(0)
    front = MODELS.build(dict(type='ClipFront', backbone=dict(backbone), **options))
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for param in front.parameters():
            param += 0.05 * torch.randn(param.shape, generator=generator)
    return front


def make_batch(videos, frames_per_step=2):
    """Frames and data samples of videos as in head_batteries."""
    samples = make_samples(videos)
    for sample, (steps, _, _) in zip(samples, videos):
        sample.set_metainfo(dict(num_steps=steps))
    return [make_frames(steps * frames_per_step) for steps, _, _ in videos], samples
