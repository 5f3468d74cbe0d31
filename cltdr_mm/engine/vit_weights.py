"""Weights of video transformers from wherever they are published, for MMAction2's class.

One network, VideoMAE's, is published under three sets of names: MMAction2's, the original ones
(also VideoMAE V2's) and Hugging Face's. Detectors of AdaTAD hold it with adapters inside of a
longer prefix. What a file holds besides is named in the log; what the network lacks is an error.
"""
import re
from collections.abc import Mapping
from typing import Any, Optional

import torch
from mmengine.logging import print_log
from mmengine.model import update_init_info
from mmengine.registry import WEIGHT_INITIALIZERS
from mmengine.runner.checkpoint import _load_checkpoint
from torch import Tensor, nn

from ..utils import Problem, TALDataError
from .checkpoint_fit import SHOWN, state_dict_problem

#: Under which keys weights lie in a file, the first that is there; the average before the rest.
_PLACES = ('state_dict_ema', 'state_dict', 'module', 'model')

#: Prefix of the transformer in AdaTAD's detectors, in ours, and in MMAction2's recognizers.
_AROUND = ('backbone.model.backbone.', 'front.backbone.', 'backbone.')

_ORIGINAL = [
    (r'^patch_embed\.proj\.', 'patch_embed.projection.'),
    (r'^(blocks\.\d+\.mlp\.)fc1\.', r'\1layers.0.0.'),
    (r'^(blocks\.\d+\.mlp\.)fc2\.', r'\1layers.1.'),
]
_HUGGING_FACE = [
    (r'^embeddings\.patch_embeddings\.projection\.', 'patch_embed.projection.'),
    (r'^embeddings\.position_embeddings$', 'pos_embed'),
    (r'^encoder\.layer\.(\d+)\.attention\.attention\.([qv]_bias)$', r'blocks.\1.attn.\2'),
    (r'^encoder\.layer\.(\d+)\.attention\.attention\.(query|key|value)\.weight$',
     r'blocks.\1.attn.\2.weight'),
    (r'^encoder\.layer\.(\d+)\.attention\.output\.dense\.', r'blocks.\1.attn.proj.'),
    (r'^encoder\.layer\.(\d+)\.layernorm_before\.', r'blocks.\1.norm1.'),
    (r'^encoder\.layer\.(\d+)\.layernorm_after\.', r'blocks.\1.norm2.'),
    (r'^encoder\.layer\.(\d+)\.intermediate\.dense\.', r'blocks.\1.mlp.layers.0.0.'),
    (r'^encoder\.layer\.(\d+)\.output\.dense\.', r'blocks.\1.mlp.layers.1.'),
    (r'^layernorm\.', 'norm.'),
]
#: What a file may hold that a feature map needs nothing of.
_LEFT_OUT = {
    'classifier': r'^(cls_head|head|classifier)\.',
    'decoder of the pre-training': r'^(decoder\.|encoder_to_decoder\.|mask_token$)',
    'norm before a classifier': r'^(fc_)?norm\.',
    'table of positions, which follows from the sizes': r'^pos_embed$',
}
_ADAPTER = re.compile(r'^(blocks\.\d+\.adapter|ladders\.adapters\.\d+)\.')


def vit_weights(checkpoint: Any) -> dict[str, Tensor]:
    """The weights in a file, under the names of MMAction2's ``VisionTransformer``.

    Args:
        checkpoint: What was loaded. Weights lie in it as they are, or under ``state_dict_ema``,
            ``state_dict``, ``module`` or ``model``.

    Returns:
        dict[str, Tensor]: All of them. What belongs to a detector around the transformer begins
        with ``detector.``; names that no rule knows are left as they are.

    Raises:
        ValueError: If it holds no weights.
    """
    state = checkpoint
    if isinstance(checkpoint, Mapping):
        found = [place for place in _PLACES if isinstance(checkpoint.get(place), Mapping)]
        state = checkpoint[found[0]] if found else checkpoint
    if not isinstance(state, Mapping) or not state or not all(
            isinstance(key, str) and isinstance(value, Tensor) for key, value in state.items()):
        raise ValueError('holds no weights: neither tensors by name nor such under '
                         f'{", ".join(_PLACES)}')
    state = {re.sub(r'^(module\.)+', '', key): value for key, value in state.items()}
    for prefix in _AROUND:
        if any(key.startswith(prefix) for key in state):
            return {key[len(prefix):] if key.startswith(prefix) else
                    key if key.startswith('cls_head.') else f'detector.{key}': value
                    for key, value in state.items()}
    state = {re.sub(r'^videomae\.', '', key): value for key, value in state.items()}
    if any(key.startswith('encoder.layer.') for key in state):
        return _join_qkv(_renamed(state, _HUGGING_FACE))
    if any(key.startswith('encoder.') for key in state):  # pre-training, beside a decoder
        state = {re.sub(r'^encoder\.', '', key): value for key, value in state.items()}
    return _renamed(state, _ORIGINAL)


def _renamed(state: Mapping[str, Tensor], rules: list[tuple[str, str]]) -> dict[str, Tensor]:
    names = {}
    for key, value in state.items():
        for pattern, replacement in rules:
            key = re.sub(pattern, replacement, key)
        names[key] = value
    return names


def _join_qkv(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Three matrices of a block as one, whose rows are in this order."""
    for key in list(state):
        if key.endswith('.attn.query.weight'):
            names = [key.replace('query', name) for name in ('query', 'key', 'value')]
            if all(name in state for name in names):
                state[key.replace('query', 'qkv')] = torch.cat([state.pop(name) for name in names])
    return state


def fit_vit_weights(weights: Mapping[str, Tensor], model: nn.Module,
                    name: str) -> tuple[dict[str, Tensor], list[str]]:
    """Choose what a transformer takes of weights, by names and shapes.

    Args:
        weights (Mapping[str, Tensor]): From :func:`vit_weights`; may be on the meta device.
        model (nn.Module): A ``VisionTransformer``, with adapters or without.
        name (str): The file, for the error.

    Returns:
        tuple: The weights that are taken, and a line for each kind of those that are not.

    Raises:
        TALDataError: If the transformer lacks something, or the file has something that is no part
            of it. Adapters may be lacking if all of them are, and start anew.
    """
    expected, tables = model.state_dict(), dict(model.named_buffers())
    taken = {key: value for key, value in weights.items()
             if key in expected and (key not in tables or value.shape == expected[key].shape)}
    left = [key for key in weights if key not in taken]
    kinds = {kind: [key for key in left if re.match(pattern, key)]
             for kind, pattern in _LEFT_OUT.items()}
    kinds['detector around the transformer'] = [
        key for key in left if key.startswith('detector.')]
    known = {key for keys in kinds.values() for key in keys}
    anew = not any(_ADAPTER.match(key) for key in weights)
    shapes = [f'{key} is {tuple(value.shape)}, not {tuple(expected[key].shape)}'
              for key, value in taken.items() if value.shape != expected[key].shape]
    wrong = {
        'missing': [key for key in expected if key not in weights and key not in tables
                    and not key.startswith('fc_norm.')  # no feature map passes it
                    and not (anew and _ADAPTER.match(key))],
        'of another shape': shapes,
        'adapters that the model does not have': [
            key for key in left if _ADAPTER.match(key)],
        'unknown': [key for key in left if key not in known and not _ADAPTER.match(key)],
    }
    problems = [Problem(name, None, 'state_dict', f'{kind}: {_some(keys)}')
                for kind, keys in wrong.items() if keys]
    if problems:
        raise TALDataError(problems, f'weights for {type(model).__name__}', _advice(model, wrong))
    lines = [f'left out, {kind}: {_some(keys)}' for kind, keys in kinds.items() if keys]
    started = [key for key in expected if anew and _ADAPTER.match(key)]
    if started:
        lines.append(f'not in the file, adapters start anew: {_some(started)}')
    return taken, lines


def _some(keys: list[str]) -> str:
    more = f' and {len(keys) - SHOWN} more' if len(keys) > SHOWN else ''
    return ', '.join(keys[:SHOWN]) + more


def _advice(model: nn.Module, wrong: Mapping[str, list[str]]) -> str:
    if wrong['of another shape'] or wrong['missing']:
        return (f'the config says embed_dims={model.embed_dims} and depth={len(model.blocks)}; '
                'docs/methods/adatad.md lists the sizes that are published')
    return ''


@WEIGHT_INITIALIZERS.register_module()
class PretrainedViT:
    """Loads a ``VisionTransformer``: ``init_cfg=dict(type='PretrainedViT', checkpoint=...)``.

    Takes MMAction2's, VideoMAE's, VideoMAE V2's and Hugging Face's files, and detectors of AdaTAD,
    of which it takes transformer and adapters.

    Args:
        checkpoint (str): File or address.
    """

    def __init__(self, checkpoint: str) -> None:
        self.checkpoint = str(checkpoint)

    def __call__(self, module: nn.Module) -> None:
        """Load.

        Args:
            module (nn.Module): A ``VisionTransformer``, with adapters or without.

        Raises:
            FileNotFoundError: If there is no such file.
            TALDataError: Naming the file, if it is damaged or does not fit.
        """
        name = self.checkpoint
        try:
            weights = vit_weights(_load_checkpoint(name, map_location='cpu', logger='silent'))
        except TALDataError:
            raise
        except ValueError as error:
            raise TALDataError.of('checkpoint', name, 'file', str(error)) from error
        taken, lines = fit_vit_weights(weights, module, name)
        why = _broken(taken)
        if why is not None:
            raise TALDataError.of('checkpoint', name, 'state_dict', why)
        module.load_state_dict(taken, strict=False)
        for prefix, part in module.named_modules():  # which are asked to initialise after this
            names = [f'{prefix}.{key}' for key, _ in part.named_parameters()]
            if prefix and names and hasattr(part, 'is_init') and taken.keys() >= set(names):
                part.is_init = True
        for line in [f'{len(taken)} tensors loaded', *lines]:
            print_log(f'{name}: {line}', logger='current')
        if hasattr(module, '_params_init_info'):
            update_init_info(module, init_info=f'PretrainedViT: load from {name}')


def _broken(weights: Mapping[str, Tensor]) -> Optional[str]:
    """What keeps weights from being numbers to compute with."""
    why = state_dict_problem(weights)
    if why is not None:
        return why
    broken = [key for key, value in weights.items() if not value.isfinite().all()]
    return f'holds NaN or infinity in {_some(broken)}' if broken else None
