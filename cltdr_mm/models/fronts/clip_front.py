"""A recognizer's backbone on the clips of a video: frames in, a row a step out.

AdaTAD (Liu et al., CVPR 2024): a video is cut into clips without overlap, a backbone makes a
feature map (C, t, h, w) of each, its mean over space is a row a tubelet, the rows of all clips
are one sequence, and linear interpolation brings it to the steps of the video.
"""
from collections.abc import Sequence
from typing import Optional

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint

from ...utils import TALDataError
from ..parts import refuse_unknown
from .backbone_outputs import pooled_rows, trace

#: What may be learned of a front.
TUNINGS = ('full', 'frozen', 'adapter')
CLIPS_AT_ONCE = 8
#: What to do with the file of a whole recognizer; ends a message.
RECOGNIZERS = ("that of a recognizer is loaded by front.init_cfg=dict(type='Pretrained', "
               'checkpoint=...)')


@MODELS.register_module()
class ClipFront(BaseModule):
    """Any backbone of MMAction2's recognizers, clip by clip.

    Videos are computed one by one, so that none depends on another. The frames of a last clip
    that a video does not have are copies of its last frame.

    Args:
        backbone (dict): Config of the backbone. It gives a feature map (N, C, t, h, w), or a
            tuple of them (SlowFast), each of which is interpolated apart and whose channels are
            concatenated, or (N, C), a row a clip.
        clip_len (int): Frames of a clip. Defaults to 16.
        frames_per_step (int): Frames s of a step; one of it and the clip length has to divide the
            other. Defaults to 1.
        format_shape (str): What the backbone takes, in the words of MMAction2's ``FormatShape``:
            'NCTHW', clips, or 'NCHW', single images one after another, as TSM does, whose
            ``num_segments`` is the clip length then. Defaults to 'NCTHW'.
        mean (Sequence[float]): Mean of red, green and blue. Defaults to ImageNet's.
        std (Sequence[float]): Standard deviation of them. Defaults to ImageNet's.
        tuning (str): What is learned: 'full' the backbone, 'frozen' nothing, 'adapter' the
            adapters only. Frozen parts are in evaluation mode. Defaults to 'full'.
        adapter (dict, optional): Config of a :class:`.ClipAdapter`; built with
            ``tuning='adapter'``. Defaults to None.
        clips_at_once (int, optional): Clips computed together. Defaults to None: 8. Adapters,
            which may join clips, get all clips of a video.
        with_cp (bool): Whether to compute activations anew for the backward pass instead of
            keeping them: of a group of clips at once, which leaves the uint8 frames only, or with
            adapters of a block at once. Defaults to False.
        norm_eval (bool): Whether BatchNorm uses its running statistics in training, too. If not,
            it sees the clips that are computed together, of one video. Defaults to True.
        init_cfg (dict, optional): See BaseModule. ``dict(type='Pretrained', checkpoint=...)`` here
            loads the backbone of a recognizer's checkpoint, whichever backbone it is; one in the
            backbone's own config is for a file of the backbone alone. Defaults to None.

    Attributes:
        out_channels (int): Width C of the rows.

    Raises:
        ValueError: If an argument is out of range, arguments do not go together, or the backbone
            makes nothing of clips.
    """

    def __init__(self,
                 backbone: dict,
                 clip_len: int = 16,
                 frames_per_step: int = 1,
                 format_shape: str = 'NCTHW',
                 mean: Sequence[float] = (123.675, 116.28, 103.53),
                 std: Sequence[float] = (58.395, 57.12, 57.375),
                 tuning: str = 'full',
                 adapter: Optional[dict] = None,
                 clips_at_once: Optional[int] = None,
                 with_cp: bool = False,
                 norm_eval: bool = True,
                 init_cfg: Optional[dict] = None,
                 **unknown) -> None:
        refuse_unknown(self, unknown)
        super().__init__(init_cfg=init_cfg)
        if tuning not in TUNINGS:
            raise ValueError(f'front.tuning must be one of {", ".join(TUNINGS)}, got {tuning!r}')
        if tuning == 'adapter' and adapter is None:
            raise ValueError("front.tuning='adapter' needs front.adapter=dict(type=...)")
        if format_shape not in ('NCTHW', 'NCHW'):
            raise ValueError(f"front.format_shape must be 'NCTHW' or 'NCHW', got {format_shape!r}")
        for name, value in dict(clip_len=clip_len, frames_per_step=frames_per_step,
                                clips_at_once=clips_at_once or CLIPS_AT_ONCE).items():
            if not isinstance(value, int) or value < 1:
                raise ValueError(f'front.{name} must be a whole number from 1, got {value!r}')
        if clip_len % frames_per_step and frames_per_step % clip_len:
            raise ValueError(f'front.frames_per_step {frames_per_step} does not divide '
                             f'front.clip_len {clip_len}, nor the other way round')
        if len(mean) != 3 or len(std) != 3 or min(std) <= 0:
            raise ValueError('front.mean and front.std must be three numbers each, those of std '
                             f'positive, got {mean} and {std}')
        self.clip_len, self.frames_per_step = clip_len, frames_per_step
        self.format_shape, self.tuning = format_shape, tuning
        self.clips_at_once = clips_at_once or CLIPS_AT_ONCE
        self.with_cp, self.norm_eval = with_cp, norm_eval
        for name, values in dict(mean=mean, std=std).items():
            values = torch.tensor(values, dtype=torch.float32)[:, None, None, None]
            self.register_buffer(name, values, persistent=False)
        self.backbone = MODELS.build(backbone)
        from .fused_attention import fuse_attention  # imports MMAction2's models, as building does

        fuse_attention(self.backbone)
        self._check_backbone(backbone)
        self.out_channels, idle = trace(self.backbone, backbone, clip_len, format_shape)
        for name, param in self.backbone.named_parameters():
            # what the feature map does not depend on (a norm before a classifier) would keep
            # distributed training waiting for its gradient
            if tuning != 'full' or name in idle:
                param.requires_grad_(False)
        #: What a checkpoint has to bring, before adapters are added.
        self._needed = {name: value.shape for name, value in self.backbone.state_dict().items()
                        if is_needed(name, idle)}
        self.adapter = None
        if tuning == 'adapter':
            self.adapter = MODELS.build(adapter)
            self.adapter.attach(self.backbone)
        self.train()

    def _check_backbone(self, config: dict) -> None:
        kind = type(self.backbone).__name__
        if config.get('pretrained') and not (
                named_weights(self.backbone) or getattr(self.backbone, 'pretrained', None)):
            raise ValueError(f"front.backbone {kind} takes no notice of `pretrained`: write "
                             "init_cfg=dict(type='Pretrained', checkpoint=...)")
        if getattr(self.backbone, 'return_feat_map', True) is False:
            raise ValueError(f'front.backbone {kind}: write return_feat_map=True, without which '
                             'it gives one vector a clip')
        segments = getattr(self.backbone, 'num_segments', self.clip_len)
        if self.format_shape == 'NCHW' and segments != self.clip_len:
            raise ValueError(f'front.backbone {kind}: num_segments is {segments}, but '
                             f'front.clip_len {self.clip_len}: clips would mix')
        if self.with_cp and not self.norm_eval and self.tuning == 'full' and any(
                isinstance(module, _BatchNorm) for module in self.backbone.modules()):
            raise ValueError('front.with_cp computes clips twice, and norm_eval=False would move '
                             'the running statistics of BatchNorm twice: leave one of them out')

    def init_weights(self) -> None:
        """Initialise, or load what ``init_cfg`` or ``pretrained`` of the backbone says.

        Raises:
            FileNotFoundError: If there is no such file; names the field of the config.
            TALDataError: If the file has not all that the backbone computes with.
            ValueError: If the backbone does not load it.
        """
        kind, loaded = type(self.backbone).__name__, []
        file = named_weights(self) or named_weights(self.backbone)

        def check(module, state, prefix, *_) -> None:
            loaded.append(prefix)
            lacking = [name for name in self._needed if prefix + name not in state]
            shapes = {name: tuple(state[prefix + name].shape) for name in self._needed
                      if prefix + name in state}
            wrong = dict(missing=lacking)
            wrong['of another shape'] = [
                f'{name} is {shape}, not {tuple(self._needed[name])}'
                for name, shape in shapes.items() if shape != self._needed[name]]
            found = [f"{why}: {', '.join(names[:4])}"
                     + (f' and {len(names) - 4} more' if len(names) > 4 else '')
                     for why, names in wrong.items() if names]
            if found:
                # not where a recognizer's file is asked for, nor where all names are there
                advice = f' ({RECOGNIZERS})' if lacking and not named_weights(self) else ''
                raise TALDataError.of(
                    'checkpoint', str(file or self.backbone.pretrained), 'state_dict',
                    f"does not fit front.backbone {kind}: {'; '.join(found)}; it has "
                    f"{', '.join(list(state)[:4])}{advice}")

        hook = self.backbone.register_load_state_dict_pre_hook(check)
        done = getattr(self.backbone, 'is_init', False)
        try:
            super().init_weights()
        except FileNotFoundError as error:
            raise FileNotFoundError(f'{self._field_of_weights()}: {error}') from error
        finally:
            hook.remove()
        if file and not done and not loaded:  # ResNet3d and others have their own way
            raise ValueError(f'front.backbone {kind} takes no notice of init_cfg: write '
                             f'pretrained=..., with pretrained2d=False where it has that; or '
                             f'{RECOGNIZERS}')

    def remark(self) -> str:
        """Say that the backbone stays as it was drawn at random; '' if it learns or is loaded."""
        if (self.tuning == 'full' or named_weights(self) or named_weights(self.backbone)
                or getattr(self.backbone, 'pretrained', None)):
            return ''
        return (f'model.front: tuning={self.tuning!r} keeps {type(self.backbone).__name__} as it '
                'is, and nothing loads its weights (init_cfg, pretrained or load_from): they stay '
                'random')

    def _field_of_weights(self) -> str:
        """Where a config names the file."""
        if named_weights(self):
            return 'model.front.init_cfg.checkpoint'
        return 'model.front.backbone.' + (
            'init_cfg.checkpoint' if named_weights(self.backbone) else 'pretrained')

    def train(self, mode: bool = True) -> 'ClipFront':
        """Set the mode; what is not learned stays in evaluation mode."""
        super().train(mode)
        if self.tuning != 'full':
            self.backbone.eval()
            if self.adapter is not None:
                self.adapter.set_mode(self.backbone, mode)
        elif self.norm_eval:
            for module in self.backbone.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        return self

    def forward(self, videos: Sequence[Tensor], num_steps: Sequence[int]) -> list[Tensor]:
        """Rows of videos.

        Args:
            videos (Sequence[Tensor]): (3, F_i, H, W) uint8 each, RGB.
            num_steps (Sequence[int]): Their numbers of steps T_i = F_i / s.

        Returns:
            list[Tensor]: (T_i, C) float32 each.

        Raises:
            ValueError: If a video has another number of frames.
        """
        for index, (frames, steps) in enumerate(zip(videos, num_steps)):
            if steps < 1 or frames.shape[1] != steps * self.frames_per_step:
                raise ValueError(f'video {index} of the batch has {frames.shape[1]} frames for '
                                 f'{steps} steps, where front.frames_per_step is '
                                 f'{self.frames_per_step}')
        learns = torch.is_grad_enabled() and self.tuning != 'frozen'
        with torch.set_grad_enabled(learns):
            return [self._rows(frames, steps) for frames, steps in zip(videos, num_steps)]

    def _rows(self, frames: Tensor, num_steps: int) -> Tensor:
        """(T, C) of one video (3, F, H, W)."""
        num_clips = -(-frames.shape[1] // self.clip_len)
        ranges = [(start, min(start + self.clips_at_once, num_clips))
                  for start in range(0, num_clips, self.clips_at_once)]
        if self.adapter is not None:
            clips = (self._clips(frames, *each) for each in ranges)  # made when asked for
            maps = self.adapter(self.backbone, clips, [num_clips], [frames.shape[1]], self.with_cp)
            groups = [pooled_rows(maps, num_clips)]
        else:
            groups = [self._group(frames, *each) for each in ranges]
        all_steps = num_clips * self.clip_len // self.frames_per_step
        parts = []
        for rows in zip(*groups):  # of one pathway, (n t, C) a group
            x = torch.cat(rows).t()[None]  # (1, C, K t)
            if x.shape[2] != all_steps:
                x = F.interpolate(x, all_steps, mode='linear', align_corners=False)
            parts.append(x[0, :, :num_steps].t())
        return torch.cat(parts, dim=1)

    def _group(self, frames: Tensor, start: int, end: int) -> tuple[Tensor, ...]:
        """Rows (n t, C) a pathway, of clips `start` to `end`."""
        def compute() -> tuple[Tensor, ...]:
            return pooled_rows(self.backbone(self._clips(frames, start, end)), end - start)

        if self.with_cp and torch.is_grad_enabled():
            return checkpoint(compute, use_reentrant=False)
        return compute()

    def _clips(self, frames: Tensor, start: int, end: int) -> Tensor:
        """Normalised clips, as the backbone takes them; only these become floating point."""
        x = frames[:, start * self.clip_len:end * self.clip_len]
        lacking = (end - start) * self.clip_len - x.shape[1]
        if lacking:
            x = torch.cat([x, x[:, -1:].expand(-1, lacking, -1, -1)], dim=1)
        x = (x.float() - self.mean) / self.std  # (3, n clip_len, H, W)
        if self.format_shape == 'NCHW':
            return x.transpose(0, 1)
        return x.unflatten(1, (end - start, self.clip_len)).transpose(0, 1)


def named_weights(module: nn.Module) -> Optional[str]:
    """The file that ``init_cfg`` of a module names, if it does."""
    configs = getattr(module, 'init_cfg', None) or ()
    for config in [configs] if isinstance(configs, dict) else configs:
        if 'checkpoint' in config:
            return config['checkpoint']
    return None


def is_needed(name: str, idle: set[str]) -> bool:
    """Whether weights from a file must have this entry of a backbone's state.

    Not what it does not compute with, counters, nor tables that follow from its sizes.
    """
    return name not in idle and name.rpartition('.')[2] not in (
        'num_batches_tracked', 'pos_embed', 'relative_position_index')
