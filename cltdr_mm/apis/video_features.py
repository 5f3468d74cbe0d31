"""Features of a video file, by an MMAction2 recognizer on frames that PyAV decodes.

Frames are read once, in order, resampled to a constant rate; never more than one window and one
batch of clips is in memory, so length does not matter.
"""
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Optional, Union

import numpy as np
import torch
from mmaction.apis import init_recognizer
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from torch import nn

from ..structures import FeatureGrid


class VideoFeatureExtractor:
    """Slides a recognizer's backbone over a video.

    A localizer understands only features of the kind it was trained on: recognizer, clip length,
    frame interval, stride and frame rate must be those of its training features.

    Args:
        recognizer (str | Path | Config | nn.Module): Config of an MMAction2 recognizer, or one
            that is built already.
        checkpoint (str, optional): Its weights. Defaults to None.
        clip_len (int): Frames of a clip. Defaults to 16.
        frame_interval (int): Frames from one of them to the next. Defaults to 1.
        stride (int): Frames from one clip to the next. Defaults to 4.
        fps (float, optional): Rate to which frames are resampled. Defaults to None: the video's
            own average rate.
        short_side (int): Pixels to which the shorter side is scaled. Defaults to 256.
        crop_size (int): Side of the square cut from the centre. Defaults to 224.
        batch_size (int): Clips that run at once. Defaults to 8.
        device (str): Defaults to ``'cpu'``.

    Raises:
        ImportError: If PyAV is not installed.
        ValueError: If a number is not positive or the crop is larger than the frame.
    """

    def __init__(self, recognizer: Union[str, Path, Config, nn.Module],
                 checkpoint: Optional[str] = None, clip_len: int = 16, frame_interval: int = 1,
                 stride: int = 4, fps: Optional[float] = None, short_side: int = 256,
                 crop_size: int = 224, batch_size: int = 8, device: str = 'cpu'):
        _import_av()
        numbers = dict(clip_len=clip_len, frame_interval=frame_interval, stride=stride,
                       short_side=short_side, crop_size=crop_size, batch_size=batch_size)
        if fps is not None:
            numbers['fps'] = fps
        for name, value in numbers.items():
            if not value > 0:
                raise ValueError(f'VideoFeatureExtractor: {name} must be positive, got {value}')
        if crop_size > short_side:
            raise ValueError(f'VideoFeatureExtractor: crop_size {crop_size} is larger than '
                             f'short_side {short_side}')
        if isinstance(recognizer, nn.Module):
            self.model = recognizer.to(device).eval()
        else:
            self.model = init_recognizer(recognizer, checkpoint, device)
        self.clip_len, self.frame_interval, self.stride = clip_len, frame_interval, stride
        self.fps, self.short_side, self.crop_size = fps, short_side, crop_size
        self.batch_size = batch_size

    @property
    def window(self) -> int:
        """int: Frames from the first of a clip to the last, both included."""
        return (self.clip_len - 1) * self.frame_interval + 1

    def __call__(self, path: Union[str, Path]) -> tuple:
        """Extract one video's features.

        Args:
            path (str | Path): The video.

        Returns:
            tuple[np.ndarray, FeatureGrid, float]: Features (T, C) float32, as files hold them;
            their grid; the duration in seconds. A video shorter than one clip has one step; its
            last frame is repeated.

        Raises:
            ValueError: If the file holds no video that can be decoded; names it.
        """
        rows, clips, frames, count = [], [], deque(maxlen=self.window), 0
        for frame, rate in read_frames(path, self.fps, self.short_side, self.crop_size):
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


def read_frames(path: Union[str, Path], fps: Optional[float], short_side: int,
                crop_size: int) -> Iterator[tuple]:
    """Decode a video at a constant rate, scaled and cropped.

    Args:
        path (str | Path): The video.
        fps (float, optional): Frames per second wanted; None for the video's average rate.
        short_side (int): Pixels of the shorter side after scaling.
        crop_size (int): Side of the square cut from the centre.

    Yields:
        tuple[np.ndarray, float]: Frame (crop_size, crop_size, 3) uint8 RGB, and the rate.

    Raises:
        ValueError: If nothing can be decoded; names the file.
    """
    av = _import_av()
    shown = start = None
    emitted, at = 0, 0.0
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise ValueError(f'{path}: this file has no video stream')
            stream = container.streams.video[0]
            stream.thread_type = 'AUTO'
            rate = float(fps or stream.average_rate or 0)
            if not rate > 0:
                raise ValueError(f'{path}: the frame rate is unknown; give fps=')
            period = 1.0 / float(stream.average_rate or rate)
            # A frame is shown until the next one begins: moment k / rate gets the frame shown
            # then, half a moment early, so that rounded timestamps change nothing.
            for index, frame in enumerate(container.decode(stream)):
                time = frame.time if frame.time is not None else index * period
                start = time if start is None else start
                at = max(time - start, at)
                while shown is not None and emitted < at * rate - 0.5:
                    yield shown, rate
                    emitted += 1
                shown = _scale_and_crop(frame, short_side, crop_size)
            while shown is not None and (emitted < (at + period) * rate - 0.5 or emitted == 0):
                yield shown, rate
                emitted += 1
    except (av.FFmpegError, OSError) as error:
        raise ValueError(f'{path}: the video cannot be decoded: {error}') from error
    if shown is None:
        raise ValueError(f'{path}: the video has no frame')


def _scale_and_crop(frame, short_side: int, crop_size: int) -> np.ndarray:
    scale = short_side / min(frame.width, frame.height)
    width = max(short_side, round(frame.width * scale))
    height = max(short_side, round(frame.height * scale))
    image = frame.reformat(width=width, height=height, format='rgb24').to_ndarray()
    top, left = (height - crop_size) // 2, (width - crop_size) // 2
    return image[top:top + crop_size, left:left + crop_size]


def _import_av():
    try:
        import av
    except ImportError as error:
        raise ImportError('reading video files needs PyAV: pip install av') from error
    return av
