"""The feed-forward network of a block."""
from typing import Optional

from torch import nn

from .conv import Conv


class FeedForward(nn.Sequential):
    """Linear layer, GELU, linear layer, row by row: (R, C) to (R, C).

    Args:
        channels (int): Number of channels C.
        hidden (int): Width in between.
        dropout (float, optional): Probability of dropping hidden and output values; None leaves
            these layers away. Defaults to None.
    """

    def __init__(self, channels: int, hidden: int, dropout: Optional[float] = None) -> None:
        layers = [Conv(channels, hidden, 1), nn.GELU(), Conv(hidden, channels, 1)]
        if dropout is not None:
            layers.insert(2, nn.Dropout(dropout))
            layers.append(nn.Dropout(dropout))
        super().__init__(*layers)
