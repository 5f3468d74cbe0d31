"""Features of a video file, by a recognizer on the frames of :mod:`.video_frames`.

Frames are read once, in order, resampled to a constant rate; never more than one window and one
batch of clips is in memory, so length does not matter.
"""
from collections import deque
from collections.abc import Callable, Mapping
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np
import torch
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from torch import nn

from ...datasets.feature_manifest import FeatureManifest
from ...datasets.videos.video_frames import MAX_GAP, MIN_READ, check_video, import_av, read_frames
from ...structures import FeatureGrid
from ...utils import TALDataError
from ...utils.feature_settings import differing
from ...utils.json_files import nearest
from ..running.config_files import config_from_file
from .feature_presets import PRESETS
from .recognizers import (
    ModuleRecognizer,
    build,
    defaults,
    is_import_path,
    load_weights,
    name_of,
    pool,
)

_UNITS = dict(short_side='pixels', crop_size='pixels', batch_size='clips')
#: Instead of a frame rate: every video's own.
OWN_RATE = 'own'


class VideoFeatureExtractor:
    """Slides a recognizer's backbone over a video.

    A localizer understands only features of the kind it was trained on: recognizer, clip length,
    frame interval, stride and frame rate must be those of its training features.

    What is not given is a preset's; of a config, what its own pipeline for validation says, and
    else a clip of 16 consecutive frames every 4, sides of 256 pixels cropped to 224, at the
    video's own rate.

    Args:
        recognizer (str | Path | Config | nn.Module): Name of one of the
            :data:`~.feature_presets.PRESETS`, config of an MMAction2 recognizer, import path
            ``'package.module:Name'`` of a module's class or of a function that makes one, or a
            recognizer or module that is built already. A module takes (N, 3, T, H, W) in 0..1 and
            gives (N, C, ...).
        checkpoint (str, optional): Its weights, all of its backbone among them. Defaults to None:
            those that a module or built recognizer has.
        clip_len (int, optional): Frames of a clip. Defaults to None.
        frame_interval (int, optional): Frames from one of them to the next. Defaults to None.
        stride (int, optional): Frames from one clip to the next. Defaults to None.
        fps (float | str, optional): Rate to which frames are resampled; ``'own'`` for the video's
            own average rate. Defaults to None.
        short_side (int, optional): Pixels to which the shorter side is scaled. Defaults to None.
        crop_size (int, optional): Side of the square cut from the centre; 0 for the whole frame.
            Defaults to None.
        batch_size (int): Clips that run at once. Defaults to 8.
        device (str): Defaults to ``'cpu'``.
        max_gap (float): Seconds that may lie between the time stamps of a frame and the next; a
            longer gap is an error. Defaults to 60.
        min_read (float): Part of the length which a file announces, and of its frames with a time
            of their own, that must be there. Defaults to 0.99.
        layer (str, optional): Module within the backbone whose output is taken, such as
            ``'layer3'``. Defaults to None: the backbone's own output.
        module_args (Mapping, optional): Arguments of a module's class. Defaults to None.

    Raises:
        ImportError: If PyAV is not installed.
        ValueError: If a number is not positive, frames or pixels are not whole, the crop is
            larger than the frame, the config has no recognizer, or there are no weights.
        TALDataError: If the weights are not those of the backbone.
    """

    def __init__(self, recognizer: Union[str, Path, Config, nn.Module],
                 checkpoint: Optional[str] = None, clip_len: Optional[int] = None,
                 frame_interval: Optional[int] = None, stride: Optional[int] = None,
                 fps: Union[float, str, None] = None, short_side: Optional[int] = None,
                 crop_size: Optional[int] = None, batch_size: int = 8, device: str = 'cpu',
                 max_gap: float = MAX_GAP, min_read: float = MIN_READ,
                 layer: Optional[str] = None, module_args: Optional[Mapping[str, Any]] = None):
        import_av()
        recognizer = _read(recognizer)
        given = dict(clip_len=clip_len, frame_interval=frame_interval, stride=stride, fps=fps,
                     short_side=short_side, crop_size=crop_size, layer=layer)
        numbers = dict(defaults(recognizer), batch_size=batch_size, max_gap=max_gap)
        numbers.update({key: value for key, value in given.items() if value is not None})
        self.layer, self.min_read = numbers.pop('layer'), min_read
        if numbers['fps'] == OWN_RATE:
            numbers['fps'] = None
        numbers['crop_size'] = numbers['crop_size'] or None
        for name, value in numbers.items():
            setattr(self, name, _checked(name, value))
        if not 0 <= min_read <= 1:
            raise ValueError(f'VideoFeatureExtractor: min_read must lie in [0, 1], got {min_read}')
        if (self.crop_size or 0) > self.short_side:
            raise ValueError(f'VideoFeatureExtractor: crop_size {crop_size} is larger than '
                             f'short_side {self.short_side}')
        self._facts: dict = dict(module_args=dict(module_args or {}))
        if not isinstance(recognizer, nn.Module):
            model, weights = build(recognizer, checkpoint, module_args or {})
            self._facts.update(recognizer=name_of(recognizer), weights=weights)
        else:
            model = recognizer
            if not hasattr(model, 'backbone') or not hasattr(model, 'data_preprocessor'):
                model = ModuleRecognizer(model)
            if checkpoint is not None:
                self._facts.update(weights=load_weights(model, str(checkpoint)))
        self.model = model.to(device).eval()
        self._check_model()

    @property
    def window(self) -> int:
        """int: Frames from the first of a clip to the last, both included."""
        return (self.clip_len - 1) * self.frame_interval + 1

    @cached_property
    def channels(self) -> int:
        """int: C of the features, as a black clip gives them."""
        side = self.crop_size or self.short_side
        return self._forward([np.zeros((self.clip_len, side, side, 3), np.uint8)]).shape[1]

    @property
    def settings(self) -> dict:
        """dict: What a :class:`.FeatureManifest` says of all its features, without channels."""
        names = ('stride', 'window', 'fps', 'clip_len', 'frame_interval', 'short_side',
                 'crop_size', 'layer')
        return dict(self._facts, **{name: getattr(self, name) for name in names})

    @classmethod
    def like(cls, settings: Mapping[str, Any], checkpoint: Optional[str] = None,
             **options) -> 'VideoFeatureExtractor':
        """Make the extractor of features that there are already.

        Args:
            settings (Mapping): ``settings()`` of their manifest.
            checkpoint (str, optional): The recognizer's weights. Defaults to None: it has none.
            **options: ``device``, ``batch_size``, ``max_gap`` and ``min_read``.

        Raises:
            ValueError: If the manifest does not name a recognizer; see the class for others.
            TALDataError: If the weights are others.
        """
        names = ('clip_len', 'frame_interval', 'stride', 'layer', 'module_args', 'short_side')
        if settings.get('recognizer') is None:
            raise ValueError('the manifest of the features does not say by which recognizer they '
                             'were made')
        made = cls(settings['recognizer'], checkpoint, fps=settings['fps'] or OWN_RATE,
                   crop_size=settings['crop_size'] or 0,
                   **{name: settings[name] for name in names}, **options)
        found = differing(settings, made.settings)
        if found:
            raise TALDataError.of('inference', checkpoint or settings['recognizer'], 'recognizer',
                                  f'is not that of the training features ({"; ".join(found)})')
        return made

    def manifest(self, dtype: str = 'float32') -> FeatureManifest:
        """The manifest of its features, without videos.

        Args:
            dtype (str): ``'float32'`` or ``'float16'``, of the files. Defaults to ``'float32'``.

        Raises:
            ValueError: If the model makes no features of a clip.
        """
        versions = {}
        for name in ('cltdr-mm', 'torch', 'mmaction2', 'av'):
            try:
                versions[name.replace('-', '_')] = version(name)
            except PackageNotFoundError:  # run from a checkout
                versions[name.replace('-', '_')] = None
        return FeatureManifest(channels=self.channels, dtype=dtype, versions=versions,
                               **self.settings)

    def check(self, path: Union[str, Path]) -> float:
        """Check that all of a video is there, without decoding it; see :func:`.check_video`."""
        return check_video(path, self.max_gap, self.min_read)

    def __call__(self, path: Union[str, Path],
                 watch: Optional[Callable[[float], None]] = None) -> tuple:
        """Extract one video's features.

        Args:
            path (str | Path): The video.
            watch (Callable, optional): Told from time to time how many seconds of the video are
                done. Defaults to None.

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
                if watch is not None:
                    watch(count / rate)
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
        pooled = self._pooled(inputs)
        pooled = pooled.reshape(len(clips), -1, pooled.shape[1]).mean(1)
        return pooled.float().cpu().numpy()

    def _pooled(self, inputs: torch.Tensor) -> torch.Tensor:
        """Run the backbone, take the layer's output; (clips, or frames of theirs; C)."""
        backbone, taken = self.model.backbone, []
        module = backbone if self.layer is None else backbone.get_submodule(self.layer)
        handle = module.register_forward_hook(lambda *call: taken.append(call[-1]))
        try:
            backbone(inputs)
        finally:
            handle.remove()
        if len(taken) != 1:
            raise ValueError(f'VideoFeatureExtractor: layer {self.layer} runs {len(taken)} times '
                             'on a clip; choose one that runs once')
        return pool(taken[0], self._tokens)

    def _check_model(self) -> None:
        backbone = self.model.backbone
        if self.layer is not None and self.layer not in dict(backbone.named_modules()):
            raise ValueError(f'VideoFeatureExtractor: the backbone has no layer {self.layer!r}, '
                             f'but {nearest(self.layer, tuple(dict(backbone.named_modules())))}')
        # TSM and its like shift channels among so many frames, and would mix clips
        segments = getattr(backbone, 'num_segments', None) or 1
        if self.clip_len % segments:
            raise ValueError(f'VideoFeatureExtractor: clip_len must be a multiple of the '
                             f'{segments} segments of the recognizer, got {self.clip_len}')
        self._tokens = None
        if isinstance(self.model, ModuleRecognizer):
            self._tokens = (2, None)
        elif getattr(backbone, 'embed_dims', None) is not None:
            self._tokens = (1, backbone.embed_dims)


def _read(recognizer: Any) -> Any:
    """A config in place of its file."""
    if isinstance(recognizer, (str, Path)) and not is_import_path(recognizer) \
            and str(recognizer) not in PRESETS and (
                Path(recognizer).suffix or Path(recognizer).is_file()):
        return config_from_file(recognizer)
    return recognizer


def _checked(name: str, value: Any) -> Any:
    """A number that makes sense."""
    if value is None and name in ('fps', 'crop_size'):
        return None
    if not value > 0:
        raise ValueError(f'VideoFeatureExtractor: {name} must be positive, got {value}')
    if name in ('fps', 'max_gap'):
        return value
    if value % 1:
        raise ValueError(f'VideoFeatureExtractor: {name} must be a whole number of '
                         f'{_UNITS.get(name, "frames")}, got {value}')
    return int(value)
