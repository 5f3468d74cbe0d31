"""Recognizers that can be had by name, with the frames and sizes that they were trained on.

Configs, and the addresses of weights, are those of the installed MMAction2; how pixels are
normalised stands in the config. Where a recognizer was trained on frames from all over a video
(TSN, UniFormerV2), or on clips of eight seconds (TimeSformer), its frames lie closer here.
"""
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from mmengine.fileio import load
from terminaltables import AsciiTable

from ...utils.json_files import nearest


@dataclass(frozen=True)
class FeaturePreset:
    """How to take features with a recognizer.

    Args:
        source (str): Its config below MMAction2's ``configs/recognition``, or the import path of a
            module, ``'package.module:Name'``.
        channels (int): Of its features.
        clip_len (int): Frames of a clip.
        frame_interval (int): Frames from one of them to the next.
        stride (int): Frames from one clip to the next. Defaults to 8.
        fps (float): Rate to which frames are resampled. Defaults to 30.
        short_side (int): Pixels to which the shorter side is scaled. Defaults to 256.
        crop_size (int, optional): Side of the square cut from the centre; None for the whole
            frame. Defaults to 224.
        layer (str, optional): Module within the backbone whose output is taken. Defaults to None:
            the backbone's own.
    """

    source: str
    channels: int
    clip_len: int
    frame_interval: int
    stride: int = 8
    fps: float = 30.0
    short_side: int = 256
    crop_size: Optional[int] = 224
    layer: Optional[str] = None

    @property
    def is_module(self) -> bool:
        """bool: Whether it is no recognizer of MMAction2's."""
        return ':' in self.source

    @property
    def config(self) -> Path:
        """Path: The config's file in the installed MMAction2."""
        return _recognition() / self.source

    def weights_url(self) -> Optional[str]:
        """Address of weights, as MMAction2's model index has it; None for a module."""
        if self.is_module:
            return None
        index = load(str(self.config.parent / 'metafile.yml'))
        return next((model.get('Weights') for model in index['Models']
                     if self.source in model['Config']), None)


_MMACTION = {
    'c3d': ('c3d/c3d_sports1m-pretrained_8xb30-16x1x1-45e_ucf101-rgb.py', 4096, 16, 1,
            dict(short_side=128, crop_size=112)),
    'c2d-r50': ('c2d/c2d_r50-in1k-pre_8xb32-8x8x1-100e_kinetics400-rgb.py', 2048, 8, 8, {}),
    'i3d-r50': ('i3d/i3d_imagenet-pretrained-r50_8xb8-32x2x1-100e_kinetics400-rgb.py',
                2048, 32, 2, {}),
    'slowonly-r50': ('slowonly/slowonly_r50_8xb16-8x8x1-256e_kinetics400-rgb.py', 2048, 8, 8, {}),
    'slowfast-r50': ('slowfast/slowfast_r50_8xb8-8x8x1-256e_kinetics400-rgb.py',
                     2304, 32, 2, {}),
    'slowfast-r101': ('slowfast/slowfast_r101_8xb8-8x8x1-256e_kinetics400-rgb.py',
                      2304, 32, 2, {}),
    'r2plus1d-r34': ('r2plus1d/r2plus1d_r34_8xb8-32x2x1-180e_kinetics400-rgb.py',
                     512, 32, 2, {}),
    'csn-r152': ('csn/ircsn_ig65m-pretrained-r152-bnfrozen_8xb12-32x2x1-58e_kinetics400-rgb.py',
                 2048, 32, 2, {}),
    'x3d-m': ('x3d/x3d_m_16x5x1_facebook-kinetics400-rgb.py', 432, 16, 5, {}),
    'tsn-r50': ('tsn/tsn_imagenet-pretrained-r50_8xb32-1x1x8-100e_kinetics400-rgb.py',
                2048, 8, 2, {}),
    'tsm-r50': ('tsm/tsm_imagenet-pretrained-r50_8xb16-dense-1x1x8-50e_kinetics400-rgb.py',
                2048, 8, 8, {}),
    'tanet-r50': ('tanet/tanet_imagenet-pretrained-r50_8xb8-dense-1x1x8-100e_kinetics400-rgb.py',
                  2048, 8, 8, {}),
    'timesformer': ('timesformer/timesformer_divST_8xb8-8x32x1-15e_kinetics400-rgb.py',
                    768, 8, 8, {}),
    'mvit-small': ('mvit/mvit-small-p244_32xb16-16x4x1-200e_kinetics400-rgb.py', 768, 16, 4, {}),
    'mvit-base': ('mvit/mvit-base-p244_32x3x1_kinetics400-rgb.py', 768, 32, 3, {}),
    'swin-tiny': ('swin/swin-tiny-p244-w877_in1k-pre_8xb8-amp-32x2x1-30e_kinetics400-rgb.py',
                  768, 32, 2, {}),
    'swin-base': ('swin/swin-base-p244-w877_in1k-pre_8xb8-amp-32x2x1-30e_kinetics400-rgb.py',
                  1024, 32, 2, {}),
    'uniformer-small': ('uniformer/uniformer-small_imagenet1k-pre_16x4x1_kinetics400-rgb.py',
                        512, 16, 4, dict(short_side=224)),
    'uniformer-base': ('uniformer/uniformer-base_imagenet1k-pre_16x4x1_kinetics400-rgb.py',
                       512, 16, 4, dict(short_side=224)),
    'uniformerv2-base': (
        'uniformerv2/uniformerv2-base-p16-res224_clip-kinetics710-pre_8xb32-u8_kinetics400-rgb.py',
        768, 8, 4, dict(short_side=224)),
    'uniformerv2-large': (
        'uniformerv2/uniformerv2-large-p14-res224_clip-kinetics710-pre_u8_kinetics400-rgb.py',
        1024, 8, 4, dict(short_side=224)),
    'videomae-base': ('videomae/vit-base-p16_videomae-k400-pre_16x4x1_kinetics-400.py',
                      768, 16, 4, dict(short_side=224)),
    'videomae-large': ('videomae/vit-large-p16_videomae-k400-pre_16x4x1_kinetics-400.py',
                       1024, 16, 4, dict(short_side=224)),
    'videomaev2-base': (
        'videomaev2/vit-base-p16_videomaev2-vit-g-dist-k710-pre_16x4x1_kinetics-400.py',
        768, 16, 4, dict(short_side=224)),
}

#: By name. ``motion`` needs no weights: it is no recognizer, see :mod:`.motion_statistics`.
PRESETS: dict[str, FeaturePreset] = {
    'motion': FeaturePreset('cltdr_mm.apis.features.motion_statistics:MotionStatistics', 134, 8, 1,
                            stride=4, fps=15.0, short_side=64, crop_size=None),
    **{name: FeaturePreset(*numbers, **others) for name, (*numbers, others) in _MMACTION.items()},
}


def find_preset(name: str) -> FeaturePreset:
    """Look up a preset.

    Raises:
        ValueError: If there is none of this name; names similar ones.
    """
    if name not in PRESETS:
        raise ValueError(f'{name}: no config file and no preset ({nearest(name, tuple(PRESETS))})')
    return PRESETS[name]


def presets_table() -> str:
    """The presets as a table, and where their weights are."""
    rows = [['preset', 'frames x interval', 'stride', 'fps', 'short side, crop', 'channels']]
    rows += [[name, f'{p.clip_len} x {p.frame_interval}', p.stride, f'{p.fps:g}',
              f'{p.short_side}, {p.crop_size or "none"}', p.channels]
             for name, p in PRESETS.items()]
    lines = [f'  {name}: {preset.weights_url() or "needs none"}'
             for name, preset in PRESETS.items()]
    return '\n'.join([AsciiTable(rows).table, "Weights of MMAction2's model index:", *lines])


def _recognition() -> Path:
    """MMAction2's configs of recognizers."""
    import mmaction

    return Path(mmaction.__file__).parent / '.mim' / 'configs' / 'recognition'
