"""From a list of feature sequences to one padded batch and its mask."""
from collections.abc import Sequence
from typing import Any, Optional

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from ..structures import TimeMajor


def padded_length(max_length: int, size_divisor: int, pad_to: Optional[int] = None) -> int:
    """Number of steps a batch is padded to.

    Args:
        max_length (int): Longest sequence of the batch.
        size_divisor (int): The result is a multiple of it, unless it is ``pad_to``.
        pad_to (int, optional): Smallest result. Defaults to None.

    Returns:
        int: At least ``max_length``.
    """
    if pad_to is not None and max_length <= pad_to:
        return pad_to
    return -(-max_length // size_divisor) * size_divisor


def pad_sequences(sequences: Sequence[Tensor],
                  size_divisor: int = 1,
                  pad_to: Optional[int] = None,
                  names: Optional[Sequence[str]] = None) -> tuple[Tensor, Tensor]:
    """Stack feature sequences of different lengths.

    Args:
        sequences (Sequence[Tensor]): B tensors (C, T_i) of one C, type and device.
        size_divisor (int): The padded length is a multiple of it. Defaults to 1.
        pad_to (int, optional): Smallest padded length; the published code pads every video at
            least to its longest training input. Defaults to None.
        names (Sequence[str], optional): What to call the sequences in an error. By default their
            position in the batch.

    Returns:
        tuple[Tensor, Tensor]: (B, C, T) zero-padded at the end, and its mask (B, T) bool, True
        where valid.

    Raises:
        TypeError: If a sequence is not a floating point tensor.
        ValueError: If there is no sequence, one is not (C, T_i) with at least one step, or the
            channel counts differ.
    """
    sequences = [x.rows.t() if isinstance(x, TimeMajor) else x for x in sequences]
    if len(sequences) == 0:
        raise ValueError('an empty batch: there is no feature sequence to pad')
    for index, sequence in enumerate(sequences):
        name = f'input {index}' if names is None else f'video {names[index]!r}'
        if not isinstance(sequence, Tensor) or not sequence.is_floating_point():
            kind = sequence.dtype if isinstance(sequence, Tensor) else type(sequence).__name__
            raise TypeError(f'{name}: features must be a floating point tensor, got {kind}')
        if sequence.dim() != 2:
            raise ValueError(f'{name}: features must be (channels, steps), '
                             f'got shape {tuple(sequence.shape)}')
        if sequence.shape[1] == 0:
            raise ValueError(f'{name}: features have no time step')
        if sequence.shape[0] != sequences[0].shape[0]:
            raise ValueError(f'{name}: {sequence.shape[0]} channels in a batch that starts with '
                             f'{sequences[0].shape[0]}')
    lengths = [sequence.shape[1] for sequence in sequences]
    steps = padded_length(max(lengths), size_divisor, pad_to)
    batch = torch.stack([F.pad(sequence, (0, steps - sequence.shape[1]))
                         for sequence in sequences])
    ends = torch.tensor(lengths, device=batch.device)
    return batch, torch.arange(steps, device=batch.device) < ends[:, None]


@MODELS.register_module()
class TALDataPreprocessor(BaseDataPreprocessor):
    """Moves a batch to the model's device and pads it.

    Args:
        size_divisor (int): The padded length is a multiple of it: the stride of the pyramid's
            coarsest level keeps all grids aligned, no more is needed. Defaults to 1.
        pad_to (int, optional): Smallest padded length, for models of the release variant, whose
            results depend on it. Defaults to None.
        input_noise (float): Standard deviation of the Gaussian noise added to valid steps in
            training. Defaults to 0.0.
        non_blocking (bool): Whether to copy to the device asynchronously. Defaults to False.

    Raises:
        ValueError: If an argument is out of range.
    """

    def __init__(self,
                 size_divisor: int = 1,
                 pad_to: Optional[int] = None,
                 input_noise: float = 0.0,
                 non_blocking: bool = False) -> None:
        super().__init__(non_blocking=non_blocking)
        if size_divisor < 1:
            raise ValueError(f'size_divisor must be at least 1, got {size_divisor}')
        if pad_to is not None and pad_to < 1:
            raise ValueError(f'pad_to must be at least 1, got {pad_to}')
        if input_noise < 0:
            raise ValueError(f'input_noise must not be negative, got {input_noise}')
        self.size_divisor = size_divisor
        self.pad_to = pad_to
        self.input_noise = input_noise

    def forward(self, data: dict, training: bool = False) -> dict[str, Any]:
        """Prepare a collated batch.

        Args:
            data (dict): ``inputs``, B tensors (C, T_i), and optionally ``data_samples``, B data
                samples whose ``video_name`` errors mention.
            training (bool): Whether to add noise. Defaults to False.

        Returns:
            dict: ``inputs`` (B, C, T), ``masks`` (B, T) bool, ``data_samples`` as given or None.

        Raises:
            TypeError: If an input is not a floating point tensor.
            ValueError: If an input is not (C, T_i) with at least one step, or inputs do not fit
                together.
        """
        data = self.cast_data(data)
        data['inputs'] = [x.to(self.device) if isinstance(x, TimeMajor) else x
                          for x in data['inputs']]
        samples = data.get('data_samples')
        names = None
        if samples is not None and all('video_name' in sample for sample in samples):
            names = [sample.video_name for sample in samples]
        inputs, masks = pad_sequences(data['inputs'], self.size_divisor, self.pad_to, names)
        if training and self.input_noise > 0:
            noise = torch.randn_like(inputs) * self.input_noise
            inputs = inputs + noise.masked_fill_(~masks[:, None], 0)
        return dict(inputs=inputs, masks=masks, data_samples=samples)
