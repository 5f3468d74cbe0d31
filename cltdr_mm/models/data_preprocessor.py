"""From a list of feature sequences to one table of rows."""
from collections.abc import Sequence
from typing import Any, Optional, Union

import torch
from mmaction.registry import MODELS
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from ..structures import PackedRows, TimeMajor, pack
from .parts import OTHER_SAMPLES, check_samples, refuse_unknown
from .task_modules import check_labels

Sequences = Sequence[Union[TimeMajor, Tensor]]


def as_rows(sequences: Sequences, names: Optional[Sequence[str]] = None) -> list[Tensor]:
    """Feature sequences with time running down.

    Args:
        sequences (Sequence[TimeMajor | Tensor]): B sequences of one number of channels; a plain
            tensor is (C, T_i).
        names (Sequence[str], optional): What to call the sequences in an error. By default their
            position in the batch.

    Returns:
        list[Tensor]: (T_i, C) each.

    Raises:
        TypeError: If a sequence is not a floating point tensor.
        ValueError: If there is no sequence, one has not two dimensions and at least one step, or
            the channel counts differ.
    """
    if len(sequences) == 0:
        raise ValueError('an empty batch: there is no feature sequence')
    all_rows = []
    for index, sequence in enumerate(sequences):
        name = f'input {index}' if names is None else f'video {names[index]!r}'
        time_major = isinstance(sequence, TimeMajor)
        rows = sequence.rows if time_major else sequence
        if not isinstance(rows, Tensor) or not rows.is_floating_point():
            kind = rows.dtype if isinstance(rows, Tensor) else type(rows).__name__
            raise TypeError(f'{name}: features must be a floating point tensor, got {kind}')
        if rows.dim() != 2:
            axes = '(steps, channels)' if time_major else '(channels, steps)'
            raise ValueError(f'{name}: features must be {axes}, got shape {tuple(rows.shape)}')
        rows = rows if time_major else rows.t()
        if len(rows) == 0:
            raise ValueError(f'{name}: features have no time step')
        if all_rows and rows.shape[1] != all_rows[0].shape[1]:
            raise ValueError(f'{name}: {rows.shape[1]} channels in a batch that starts with '
                             f'{all_rows[0].shape[1]}')
        all_rows.append(rows)
    return all_rows


@MODELS.register_module()
class TALDataPreprocessor(BaseDataPreprocessor):
    """Moves a batch to the model's device and puts it into one table of rows.

    Args:
        pad_to (int, optional): Smallest number of steps that a model sees of a video, for published
            weights, which were trained with padding and depend on it. Defaults to None: no padding.
        size_divisor (int, optional): With ``pad_to``, longer batches are padded to a multiple of
            it. Defaults to None: 1, in a localizer the stride of the coarsest level.
        input_noise (float): Standard deviation of the Gaussian noise added to valid steps in
            training. Defaults to 0.0.
        non_blocking (bool): Whether to copy to the device asynchronously. Defaults to False.

    Raises:
        ValueError: If an argument is out of range.
    """

    #: Classes K, if the localizer has said so: labels are looked at before they are moved.
    num_classes: Optional[int] = None

    def __init__(self,
                 pad_to: Optional[int] = None,
                 size_divisor: Optional[int] = None,
                 input_noise: float = 0.0,
                 non_blocking: bool = False,
                 **unknown) -> None:
        refuse_unknown(self, unknown)
        super().__init__(non_blocking=non_blocking)
        if size_divisor is not None and size_divisor < 1:
            raise ValueError(f'size_divisor must be at least 1, got {size_divisor}')
        if size_divisor is not None and pad_to is None:
            raise ValueError('size_divisor belongs to pad_to; without it nothing is padded since '
                             '0.2.0: leave size_divisor out')
        if pad_to is not None and pad_to < 1:
            raise ValueError(f'pad_to must be at least 1, got {pad_to}')
        if input_noise < 0:
            raise ValueError(f'input_noise must not be negative, got {input_noise}')
        self.size_divisor = size_divisor or 1
        self.pad_to = pad_to
        self.input_noise = input_noise

    def pack(self, sequences: Sequences, names: Optional[Sequence[str]] = None) -> PackedRows:
        """Put sequences of one device into one table.

        Args:
            sequences (Sequence[TimeMajor | Tensor]): See :func:`as_rows`, as are its errors.
            names (Sequence[str], optional): See :func:`as_rows`.

        Returns:
            PackedRows: (R, C).
        """
        rows = as_rows(sequences, names)
        if self.pad_to is None:
            return pack(rows)
        longest = max(x.shape[0] for x in rows)
        rounded = (longest + self.size_divisor - 1) // self.size_divisor * self.size_divisor
        if isinstance(longest, Tensor):  # a length that an export leaves open
            seen = torch.where(longest > self.pad_to, rounded, self.pad_to)
        else:
            seen = rounded if longest > self.pad_to else self.pad_to
        return pack(rows, [seen] * len(rows))

    def check(self, data: dict) -> Optional[list[str]]:
        """Check the data samples of a batch, before anything is moved.

        Args:
            data (dict): See :meth:`forward`, as are its errors.

        Returns:
            list[str], optional: Names of the videos; None if they have none.
        """
        samples = data.get('data_samples')
        names = None
        if samples is not None:
            check_samples(len(data['inputs']), samples)
        if samples is not None and all('video_name' in sample for sample in samples):
            names = [sample.video_name for sample in samples]
        for index, sample in enumerate(samples or ()):
            if 'gt_bbox' in sample.get('gt_instances', ()):
                raise ValueError(f'video {names[index] if names else index}: gt_instances has '
                                 f'`gt_bbox` where `segments` in grid steps go{OTHER_SAMPLES}')
        if self.num_classes is not None:
            for index, sample in enumerate(samples or ()):
                labels = sample.get('gt_instances', {}).get('labels')
                if labels is not None and labels.device.type == 'cpu':
                    check_labels(labels, self.num_classes, names[index] if names else index)
        return names

    def forward(self, data: dict, training: bool = False) -> dict[str, Any]:
        """Prepare a collated batch.

        Args:
            data (dict): ``inputs``, B sequences as :func:`as_rows` takes them, and optionally
                ``data_samples``, B data samples whose ``video_name`` errors mention.
            training (bool): Whether to add noise. Defaults to False.

        Returns:
            dict: ``inputs``, a PackedRows, and ``data_samples`` as given or None.

        Raises:
            TypeError: If an input is not a floating point tensor.
            ValueError: If an input has not two dimensions and at least one step, inputs do not fit
                together, samples are MMAction2's, or a label is no class; names the video.
        """
        names = self.check(data)
        data = self.cast_data(data)  # knows data samples and plain tensors
        inputs = [x.to(self.device, self._non_blocking) if isinstance(x, TimeMajor) else x
                  for x in data['inputs']]
        packed = self.pack(inputs, names)
        if training and self.input_noise > 0:
            rows, valid = packed.rows, packed.layout.valid_rows
            noise = torch.randn(len(valid), rows.shape[1], dtype=rows.dtype, device=rows.device)
            packed = PackedRows(rows.index_add(0, valid, noise, alpha=self.input_noise),
                                packed.layout)
        return dict(inputs=packed, data_samples=data.get('data_samples'))


@MODELS.register_module()
class TALVideoPreprocessor(TALDataPreprocessor):
    """Moves frames to the model's device, as uint8; puts what a front makes of them into a table.

    Args:
        pad_to (int, optional): See :class:`TALDataPreprocessor`.
        size_divisor (int, optional): See :class:`TALDataPreprocessor`.
        non_blocking (bool): See :class:`TALDataPreprocessor`.
    """

    def __init__(self,
                 pad_to: Optional[int] = None,
                 size_divisor: Optional[int] = None,
                 non_blocking: bool = False,
                 **unknown) -> None:
        refuse_unknown(self, unknown)
        super().__init__(pad_to, size_divisor, non_blocking=non_blocking)

    def forward(self, data: dict, training: bool = False) -> dict[str, Any]:
        """Prepare a collated batch.

        Args:
            data (dict): ``inputs``, B videos (3, F_i, H, W) uint8, and optionally
                ``data_samples``, B data samples whose ``video_name`` errors mention.
            training (bool): Not used. Defaults to False.

        Returns:
            dict: ``inputs``, a list of the videos, and ``data_samples`` as given or None.

        Raises:
            TypeError: If a video is not of uint8.
            ValueError: If a video has another shape, samples are MMAction2's, or a label is no
                class; names the video.
        """
        names = self.check(data)
        for index, frames in enumerate(data['inputs']):
            name = f'input {index}' if names is None else f'video {names[index]!r}'
            if not isinstance(frames, Tensor) or frames.dtype != torch.uint8:
                kind = frames.dtype if isinstance(frames, Tensor) else type(frames).__name__
                raise TypeError(f'{name}: frames must be a uint8 tensor, got {kind}')
            if frames.dim() != 4 or len(frames) != 3 or frames.numel() == 0:
                raise ValueError(f'{name}: frames must be (3, frames, height, width), got shape '
                                 f'{tuple(frames.shape)}')
        data = self.cast_data(data)
        return dict(inputs=list(data['inputs']), data_samples=data.get('data_samples'))
