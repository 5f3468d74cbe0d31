"""Features of a video file, by an MMAction2 recognizer on the frames of :mod:`.video_frames`.

Frames are read once, in order, resampled to a constant rate; never more than one window and one
batch of clips is in memory, so length does not matter.
"""
import logging
from collections import deque
from pathlib import Path
from typing import Optional, Union

import numpy as np
import torch
from mmaction.apis import init_recognizer
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.runner.checkpoint import _load_checkpoint
from torch import nn

from ..engine.checkpoint_fit import misfits, state_dict_in
from ..structures import FeatureGrid
from ..utils import TALDataError
from .config_files import config_from_file
from .video_frames import MAX_GAP, MIN_READ, check_video, import_av, read_frames

_UNITS = dict(short_side='pixels', crop_size='pixels', batch_size='clips')


class VideoFeatureExtractor:
    """Slides a recognizer's backbone over a video.

    A localizer understands only features of the kind it was trained on: recognizer, clip length,
    frame interval, stride and frame rate must be those of its training features.

    Args:
        recognizer (str | Path | Config | nn.Module): Config of an MMAction2 recognizer, or one
            that is built already.
        checkpoint (str, optional): Its weights, all of its backbone among them. Defaults to None:
            those it has.
        clip_len (int): Frames of a clip. Defaults to 16.
        frame_interval (int): Frames from one of them to the next. Defaults to 1.
        stride (int): Frames from one clip to the next. Defaults to 4.
        fps (float, optional): Rate to which frames are resampled. Defaults to None: the video's
            own average rate.
        short_side (int): Pixels to which the shorter side is scaled. Defaults to 256.
        crop_size (int): Side of the square cut from the centre. Defaults to 224.
        batch_size (int): Clips that run at once. Defaults to 8.
        device (str): Defaults to ``'cpu'``.
        max_gap (float): Seconds that may lie between the time stamps of a frame and the next; a
            longer gap is an error. Defaults to 60.
        min_read (float): Part of the length which a file announces, and of its frames with a time
            of their own, that must be there. Defaults to 0.99.

    Raises:
        ImportError: If PyAV is not installed.
        ValueError: If a number is not positive, frames or pixels are not whole, the crop is
            larger than the frame, or the config has no recognizer.
        TALDataError: If the weights are not those of the backbone.
    """

    def __init__(self, recognizer: Union[str, Path, Config, nn.Module],
                 checkpoint: Optional[str] = None, clip_len: int = 16, frame_interval: int = 1,
                 stride: int = 4, fps: Optional[float] = None, short_side: int = 256,
                 crop_size: int = 224, batch_size: int = 8, device: str = 'cpu',
                 max_gap: float = MAX_GAP, min_read: float = MIN_READ):
        import_av()
        whole = dict(clip_len=clip_len, frame_interval=frame_interval, stride=stride,
                     short_side=short_side, crop_size=crop_size, batch_size=batch_size)
        numbers = dict(whole, max_gap=max_gap, **({} if fps is None else dict(fps=fps)))
        for name, value in numbers.items():
            if not value > 0:
                raise ValueError(f'VideoFeatureExtractor: {name} must be positive, got {value}')
            if name in whole and value % 1:
                raise ValueError(f'VideoFeatureExtractor: {name} must be a whole number of '
                                 f'{_UNITS.get(name, "frames")}, got {value}')
        if not 0 <= min_read <= 1:
            raise ValueError(f'VideoFeatureExtractor: min_read must lie in [0, 1], got {min_read}')
        if crop_size > short_side:
            raise ValueError(f'VideoFeatureExtractor: crop_size {crop_size} is larger than '
                             f'short_side {short_side}')
        if isinstance(recognizer, nn.Module):
            self.model = recognizer.to(device).eval()
        else:
            self.model = _build(recognizer).to(device)
            if checkpoint is None:
                print_log('VideoFeatureExtractor: the recognizer has no weights, its features are '
                          'of random ones', logger='current', level=logging.WARNING)
        if checkpoint is not None:
            _load_weights(self.model, str(checkpoint))
        for name, value in whole.items():
            setattr(self, name, int(value))
        self.fps, self.max_gap, self.min_read = fps, max_gap, min_read

    @property
    def window(self) -> int:
        """int: Frames from the first of a clip to the last, both included."""
        return (self.clip_len - 1) * self.frame_interval + 1

    def check(self, path: Union[str, Path]) -> None:
        """Check that all of a video is there, without decoding it; see :func:`.check_video`."""
        check_video(path, self.max_gap, self.min_read)

    def __call__(self, path: Union[str, Path]) -> tuple:
        """Extract one video's features.

        Args:
            path (str | Path): The video.

        Returns:
            tuple[np.ndarray, FeatureGrid, float]: Features (T, C) float32, as files hold them;
            their grid; the duration in seconds. A video shorter than one clip has one step; its
            last frame is repeated.

        Raises:
            ValueError: If the file holds no video that can be decoded, or not all of it; names it.
        """
        rows, clips, frames, count = [], [], deque(maxlen=self.window), 0
        for frame, rate in read_frames(path, self.fps, self.short_side, self.crop_size,
                                       self.max_gap, self.min_read):
            frames.append(frame)
            fps, count = rate, count + 1
            if count >= self.window and (count - self.window) % self.stride == 0:
                clips.append(np.stack(list(frames)[::self.frame_interval]))
            if len(clips) == self.batch_size:
                rows.append(self._forward(clips))
                clips = []
        if count < self.window:
            frames.extend([frames[-1]] * (self.window - count))
            clips.append(np.stack(list(frames)[::self.frame_interval]))
        if clips:
            rows.append(self._forward(clips))
        rows = np.concatenate(rows)
        grid = FeatureGrid(fps=fps, stride=self.stride, window=self.window, num_steps=len(rows))
        return rows, grid, count / fps

    @torch.no_grad()
    def _forward(self, clips: list) -> np.ndarray:
        """(clip_len, H, W, 3) uint8 RGB each -> (len(clips), C) float32."""
        processor = self.model.data_preprocessor
        flat = getattr(processor, 'format_shape', 'NCTHW') == 'NCHW'
        inputs = []
        for clip in clips:
            clip = torch.from_numpy(clip)
            # one view of (C, T, H, W), or T frames of (C, H, W): what MMAction2's pipelines pack
            inputs.append(clip.permute(0, 3, 1, 2) if flat else clip.permute(3, 0, 1, 2)[None])
        data = processor(dict(inputs=inputs, data_samples=[ActionDataSample() for _ in clips]))
        inputs = data['inputs']
        inputs = inputs.reshape((-1, ) + inputs.shape[2:])  # views (or frames) into the batch
        pooled = pool(self.model.backbone(inputs))
        pooled = pooled.reshape(len(clips), -1, pooled.shape[1]).mean(1)
        return pooled.float().cpu().numpy()


def _build(recognizer: Union[str, Path, Config]) -> nn.Module:
    """Build what a config describes, if it is a recognizer."""
    from mmaction.models.recognizers import BaseRecognizer  # with all other models

    cfg = recognizer if isinstance(recognizer, Config) else config_from_file(recognizer)
    name = 'the config' if isinstance(recognizer, Config) else str(recognizer)
    if 'model' not in cfg:
        raise ValueError(f'{name}: there is no `model`')
    model = init_recognizer(cfg, None, 'cpu')
    if not isinstance(model, BaseRecognizer):
        raise ValueError(f"{name}: the model is a {type(model).__name__}, and no recognizer of "
                         "MMAction2's")
    return model


def _load_weights(model: nn.Module, name: str) -> None:
    """Load a recognizer's checkpoint, which may have another classifier, but not backbone."""
    checkpoint = _load_checkpoint(name, map_location='cpu')
    state = state_dict_in(checkpoint, name)
    found = misfits(*({key: value for key, value in weights.items() if key.startswith('backbone.')}
                      for weights in (state, model.state_dict())))
    if found:
        raise TALDataError.of('checkpoint', name, 'state_dict',
                              f'does not fit the backbone of the recognizer: {found}')
    model.load_state_dict({key: value for key, value in state.items()
                           if key.startswith('backbone.')}, strict=False)


def pool(output) -> torch.Tensor:
    """Average a backbone's output over space and time.

    Args:
        output (Tensor | tuple): (N, C, ...), or several such, whose channels are concatenated as
            SlowFast's two pathways are. (N, C) is taken as it is.

    Returns:
        Tensor: (N, C).

    Raises:
        ValueError: If an output is a token sequence (N, L, C), which says not what to average.
    """
    if isinstance(output, (tuple, list)):
        return torch.cat([pool(part) for part in output], dim=1)
    if output.ndim == 2:
        return output
    if output.ndim == 3:
        raise ValueError(f'VideoFeatureExtractor: the backbone gives tokens of shape '
                         f'{tuple(output.shape)}; configure it to give pooled or spatial features')
    return output.flatten(2).mean(2)
