"""Adapters in the blocks of MMAction2's VisionTransformer (VideoMAE's), or beside them (AdaTAD).

The transformer is MMAction2's as it is: adapters are registered in it, under the published names,
and its parts are called one after another here, since its own ``forward`` knows no adapters and no
activation checkpointing.
"""
from collections.abc import Iterable, Sequence
from typing import Optional

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmengine.model import BaseModule, ModuleList
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from .adapters import BlockAdapter, ClipTokens, TemporalBlockAdapter
from .clip_adapter import ClipAdapter


@MODELS.register_module()
class PlainAdapter(ClipAdapter):
    """Adapters without a view of time: ``x + gamma * Wu GELU(Wd x)`` after a block.

    Args:
        ratio (float): Width inside in that of the transformer. Defaults to 0.25.
        blocks (Sequence[int], optional): Blocks with an adapter, from 0. Blocks before the first
            one keep nothing for the backward pass. Defaults to None: all.
        side_tuning (bool): Whether adapters lie beside the blocks: they read what comes out of
            these, and add to what comes out of the last (AdaTAD's dagger). No block then keeps
            anything for the backward pass. Defaults to False.
    """

    def __init__(self, ratio: float = 0.25, blocks: Optional[Sequence[int]] = None,
                 side_tuning: bool = False) -> None:
        super().__init__()
        self.ratio, self.side_tuning = ratio, side_tuning
        self.blocks = None if blocks is None else sorted(blocks)

    def make(self, embed_dims: int) -> BlockAdapter:
        """The adapter of one block with tokens of ``embed_dims`` channels."""
        return BlockAdapter(embed_dims, self.ratio)

    def attach(self, backbone: nn.Module) -> None:
        """Register an adapter in each block, or under ``ladders.adapters``.

        Args:
            backbone (nn.Module): A ``VisionTransformer``.

        Raises:
            ValueError: If it is another one, has no such blocks, or side tuning leaves the last
                block out.
        """
        from mmaction.models.backbones.vit_mae import VisionTransformer  # with all its models

        name = type(self).__name__
        if not isinstance(backbone, VisionTransformer):
            raise ValueError(f"{name}: adapters go into MMAction2's VisionTransformer, not into "
                             f'{type(backbone).__name__}')
        depth = len(backbone.blocks)
        blocks = list(range(depth)) if self.blocks is None else self.blocks
        if not blocks or len(set(blocks)) < len(blocks) or blocks[0] < 0 or blocks[-1] >= depth:
            raise ValueError(f'{name}: blocks must be different ones of 0..{depth - 1}, got '
                             f'{blocks}')
        if self.side_tuning and blocks[-1] != depth - 1:
            raise ValueError(f'{name}: side tuning adds to the last block, {depth - 1}, which must '
                             f'be one of its blocks, got {blocks}')
        self.blocks = blocks
        adapters = [self.make(backbone.embed_dims) for _ in blocks]
        if self.side_tuning:
            backbone.ladders = BaseModule()
            backbone.ladders.adapters = ModuleList(adapters)
        else:
            for number, adapter in zip(blocks, adapters):
                backbone.blocks[number].adapter = adapter

    def adapters(self, backbone: nn.Module) -> list[BlockAdapter]:
        """list[BlockAdapter]: Those in a backbone, one for each of the blocks."""
        if self.side_tuning:
            return list(backbone.ladders.adapters)
        return [backbone.blocks[number].adapter for number in self.blocks]

    def set_mode(self, backbone: nn.Module, mode: bool) -> None:
        """Adapters, and drop path where something in front of it is trained, follow the mode."""
        for adapter in self.adapters(backbone):
            adapter.train(mode)
        for block in () if self.side_tuning else backbone.blocks:
            block.drop_path.train(mode)

    def forward(self, backbone: nn.Module, clips: Iterable[Tensor],
                clips_per_video: Sequence[int], frames_per_video: Sequence[int],
                with_cp: bool) -> Tensor:
        """Feature maps without a final norm, see :meth:`ClipAdapter.forward`.

        Copies of the last frame that fill a video's last clip are seen as frames are. Clips in
        which it has no frame at all count as zero where time is looked at, as what lies beyond
        either end does.
        """
        parts = []
        for group in clips:
            part, size = embed(backbone, group)
            parts.append(part)
        own = [-(-frames // group.shape[2]) for frames in frames_per_video]
        x, tokens = torch.cat(parts), ClipTokens(size, clips_per_video, own)
        x = (self.beside if self.side_tuning else self.through)(backbone, x, tokens, with_cp)
        return backbone.norm(x).unflatten(1, size).permute(0, 4, 1, 2, 3)

    @staticmethod
    def through(backbone: nn.Module, x: Tensor, tokens: ClipTokens, with_cp: bool) -> Tensor:
        """All blocks, with the adapters behind them."""
        def run(block: nn.Module, x: Tensor) -> Tensor:
            x = block(x)
            return x + block.adapter(x, tokens) if hasattr(block, 'adapter') else x

        for block in backbone.blocks:
            # a block in front of all that is trained keeps nothing anyway
            if with_cp and x.requires_grad and torch.is_grad_enabled():
                x = checkpoint(run, block, x, use_reentrant=False)
            else:
                x = run(block, x)
        return x

    def beside(self, backbone: nn.Module, x: Tensor, tokens: ClipTokens, with_cp: bool) -> Tensor:
        """All blocks without gradients, with the adapters beside them."""
        added, adapters = 0., dict(zip(self.blocks, self.adapters(backbone)))
        for number, block in enumerate(backbone.blocks):
            with torch.no_grad():
                x = block(x)
            if number not in adapters:
                continue
            if with_cp and torch.is_grad_enabled():
                added = added + checkpoint(adapters[number], x, tokens, use_reentrant=False)
            else:
                added = added + adapters[number](x, tokens)
        return x + added


@MODELS.register_module()
class TIAdapter(PlainAdapter):
    """Temporal-informative adapters of AdaTAD: ``x + gamma * Wu (u + g)`` after a block.

    u = GELU(Wd x), and g is a depth-wise and a 1x1 convolution of u over the tubelets of the whole
    video. Clips see each other through it, videos do not.

    Args:
        ratio (float): See :class:`PlainAdapter`. Defaults to 0.25.
        kernel_size (int): Of the depth-wise convolution, odd. Defaults to 3.
        dilation (int): Tubelets from tap to tap. Defaults to 1.
        blocks (Sequence[int], optional): See :class:`PlainAdapter`. Defaults to None: all.
        side_tuning (bool): See :class:`PlainAdapter`. Defaults to False.
    """

    def __init__(self, ratio: float = 0.25, kernel_size: int = 3, dilation: int = 1,
                 blocks: Optional[Sequence[int]] = None, side_tuning: bool = False) -> None:
        super().__init__(ratio, blocks, side_tuning)
        self.kernel_size, self.dilation = kernel_size, dilation

    def make(self, embed_dims: int) -> TemporalBlockAdapter:
        """The adapter of one block with tokens of ``embed_dims`` channels."""
        return TemporalBlockAdapter(embed_dims, self.ratio, self.kernel_size, self.dilation)


def embed(backbone: nn.Module, clips: Tensor) -> tuple[Tensor, tuple[int, int, int]]:
    """Patches of clips with their positions.

    Args:
        backbone (nn.Module): A ``VisionTransformer``.
        clips (Tensor): (K, 3, F, H, W), normalised. Of a picture that is no multiple of the patch
            the rest is left out.

    Returns:
        tuple: Tokens (K, N, C), and the tubelets, rows and columns that make N of them.

    Raises:
        ValueError: If the positions are for clips of another length.
    """
    x = backbone.patch_embed(clips)[0]
    rows, columns = (pixels // backbone.patch_size for pixels in clips.shape[3:])
    tubelets = x.shape[1] // (rows * columns)
    positions, grid = backbone.pos_embed, backbone.grid_size
    if positions.shape[1] != tubelets * grid[0] * grid[1]:
        raise ValueError(f'clips of {clips.shape[2]} frames make {tubelets} tubelets, and the '
                         f'backbone has positions for {positions.shape[1] // grid[0] // grid[1]}: '
                         'its num_frames must be the length of a clip')
    if (rows, columns) != grid:  # the table is resized, each tubelet's by itself
        table = positions.reshape(tubelets, *grid, -1).permute(0, 3, 1, 2)
        table = F.interpolate(table, (rows, columns), mode='bicubic', align_corners=False)
        positions = table.permute(0, 2, 3, 1).reshape(1, -1, backbone.embed_dims)
    return backbone.pos_drop(x + positions), (tubelets, rows, columns)
