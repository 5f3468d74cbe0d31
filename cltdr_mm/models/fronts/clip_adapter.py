"""What a front asks of adapters: small modules that learn beside a backbone that does not."""
from collections.abc import Iterable, Sequence

from mmengine.model import BaseModule
from torch import Tensor, nn


class ClipAdapter(BaseModule):
    """Base of adapters; a front builds one from its config, with ``tuning='adapter'``.

    The backbone's own parameters need no gradient by then. A subclass may register modules inside
    of the backbone (published names have them there) or keep them itself.
    """

    def attach(self, backbone: nn.Module) -> None:
        """Add to a backbone what is learned; called once.

        Args:
            backbone (nn.Module): Built, not yet initialised.
        """
        raise NotImplementedError

    def set_mode(self, backbone: nn.Module, mode: bool) -> None:
        """Put into training or evaluation mode what is not the frozen backbone's.

        Args:
            backbone (nn.Module): In evaluation mode, with all that is registered in it.
            mode (bool): Whether to train.
        """
        raise NotImplementedError

    def forward(self, backbone: nn.Module, clips: Iterable[Tensor],
                clips_per_video: Sequence[int], frames_per_video: Sequence[int],
                with_cp: bool) -> Tensor:
        """Run backbone and adapters.

        Args:
            backbone (nn.Module): The backbone.
            clips (Iterable[Tensor]): (n, 3, clip_len, H, W) each, normalised, N clips in all; the
                videos' clips one after another. Each group is made when it is asked for.
            clips_per_video (Sequence[int]): Number of clips of each video; they sum up to N.
            frames_per_video (Sequence[int]): Frames that each video has itself; those after them,
                in its last clip, are padding.
            with_cp (bool): Whether to compute activations anew for the backward pass, block by
                block, instead of keeping them.

        Returns:
            Tensor: (N, C, t, h, w).
        """
        raise NotImplementedError
