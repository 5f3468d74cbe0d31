"""Features with time running down, as files hold them and the models compute on them."""
from dataclasses import dataclass
from typing import Optional, Union

import torch
from torch import Tensor


@dataclass(frozen=True)
class TimeMajor:
    """One sequence of features, a row a step: what :class:`.PackTALInputs` hands to a model.

    A plain tensor is (C, T), as in MMAction2. The type says which way a sequence lies, so that
    nothing is guessed from its sizes.

    Args:
        rows (Tensor): (T, C).
    """

    rows: Tensor

    def to(self, device: Optional[Union[str, torch.device]] = None,
           non_blocking: bool = False) -> 'TimeMajor':
        """The same sequence on another device."""
        return TimeMajor(self.rows.to(device=device, non_blocking=non_blocking))

    def pin_memory(self, device: Optional[Union[str, torch.device]] = None) -> 'TimeMajor':
        """The same sequence in page-locked memory: what a DataLoader asks for."""
        return TimeMajor(self.rows.pin_memory())
