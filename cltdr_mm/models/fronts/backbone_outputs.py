"""What the backbones of MMAction2's recognizers return, as rows; and how wide it is."""
from typing import Any

import torch
from torch import Tensor, nn

#: Where configs of backbones say for which size of a frame they are; some take no other.
SIZE_KEYS = ('img_size', 'input_resolution', 'spatial_size')
#: Sizes to ask the others with; the second is C3D's, which takes no other.
SIZES = (224, 112)


def feature_maps(output: Any) -> list[Tensor]:
    """The feature maps in what a backbone returns.

    Args:
        output (Tensor | Sequence): A feature map; or several, as SlowFast's two pathways; or
            MViT's stages, each a pair of a feature map and a class token, of which the last counts.

    Returns:
        list[Tensor]: Feature maps.

    Raises:
        ValueError: If there are none.
    """
    if isinstance(output, (tuple, list)) and output:
        if isinstance(output[-1], (tuple, list)):
            return feature_maps(output[-1][0])
        return [found for part in output for found in feature_maps(part)]
    if not isinstance(output, Tensor) or output.ndim not in (2, 4, 5):
        found = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        raise ValueError('a backbone of a front must give (N, C, t, h, w), (N t, C, h, w) of '
                         f'images, or (N, C), got {found}')
    return [output]


def pooled_rows(output: Any, num_clips: int) -> tuple[Tensor, ...]:
    """Mean over space of what a backbone returns, a row a tubelet.

    Args:
        output (Tensor | Sequence): See :func:`feature_maps`.
        num_clips (int): Clips N that it was computed of.

    Returns:
        tuple[Tensor, ...]: (N t, C) float32 a feature map.
    """
    rows = []
    for x in feature_maps(output):
        if x.ndim == 5:  # (N, C, t, h, w)
            x = x.mean(dim=(3, 4), dtype=torch.float32).transpose(1, 2).flatten(0, 1)
        elif x.ndim == 4:  # (N t, C, h, w)
            x = x.mean(dim=(2, 3), dtype=torch.float32)
        if len(x) % num_clips:
            raise ValueError(f'the backbone gives {len(x)} rows for {num_clips} clips: as many '
                             'for each are needed')
        rows.append(x.float())
    return tuple(rows)


def trace(backbone: nn.Module, config: dict, clip_len: int,
          format_shape: str) -> tuple[int, set[str]]:
    """Ask a backbone for its width, and what its output does not depend on.

    Nothing is computed: tensors on the meta device have shapes only.

    Args:
        backbone (nn.Module): The backbone.
        config (dict): Its config.
        clip_len (int): Frames of a clip.
        format_shape (str): See :class:`.ClipFront`.

    Returns:
        tuple[int, set[str]]: Channels of all feature maps together, and names of parameters that
        they do not depend on.

    Raises:
        ValueError: If it makes nothing of such a clip.
    """
    state = {name: value.detach().to('meta').requires_grad_(isinstance(value, nn.Parameter))
             for name, value in (*backbone.named_parameters(), *backbone.named_buffers())}
    modes = {module: module.training for module in backbone.modules()}
    backbone.eval()
    reasons = []
    for size in [config[key] for key in SIZE_KEYS if isinstance(config.get(key), int)] or SIZES:
        shape = (clip_len, 3, size, size) if format_shape == 'NCHW' else (
            1, 3, clip_len, size, size)
        try:
            output = torch.func.functional_call(
                backbone, state, (torch.zeros(shape, device='meta'), ))
            rows = pooled_rows(output, 1)
            break
        except (RuntimeError, ValueError, AssertionError, IndexError) as error:
            reasons.append(f'{size} px: {error}')
    else:
        raise ValueError(f'front.backbone {type(backbone).__name__} makes nothing of a clip of '
                         f'{clip_len} frames as {format_shape}: {"; ".join(reasons)}')
    for module, mode in modes.items():
        module.training = mode
    names = [name for name, _ in backbone.named_parameters()]
    total = sum(x.sum() for x in rows)
    grads = torch.autograd.grad(total, [state[name] for name in names], allow_unused=True)
    idle = {name for name, grad in zip(names, grads) if grad is None}
    return sum(x.shape[1] for x in rows), idle
