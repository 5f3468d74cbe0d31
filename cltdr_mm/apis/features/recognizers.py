"""Builds what makes features of clips: MMAction2's recognizers, and any module of torch.

Both come out with a ``data_preprocessor`` and a ``backbone``, and with weights that are known: a
recognizer with random ones is refused.
"""
import hashlib
import importlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional, Union
from urllib.parse import urlparse

import torch
from mmaction.apis import init_recognizer
from mmengine.config import Config
from mmengine.runner.checkpoint import _load_checkpoint
from torch import nn

from ...engine.checkpoint_fit import misfits, state_dict_in, state_dict_problem
from ...utils import TALDataError
from ...utils.exits import error_line
from ..running.config_files import config_from_file
from .feature_presets import PRESETS, find_preset


class ModuleRecognizer(nn.Module):
    """A module that takes (N, 3, T, H, W) in 0..1 and gives (N, C, ...), as if a recognizer.

    Args:
        module (nn.Module): The module.
    """

    class Preprocessor(nn.Module):
        """Stacks clips, (1, 3, T, H, W) uint8 each, and scales them to 0..1."""

        def __init__(self):
            super().__init__()
            self.register_buffer('where', torch.zeros(()), persistent=False)  # the device

        def forward(self, data: dict) -> dict:
            """(N, 1, 3, T, H, W) float32."""
            return dict(inputs=torch.stack(data['inputs']).to(self.where.device).float() / 255)

    def __init__(self, module: nn.Module):
        super().__init__()
        self.data_preprocessor, self.backbone = self.Preprocessor(), module


def is_import_path(name: Any) -> bool:
    """Whether a name is that of something in a Python module: ``'package.module:Name'``."""
    return isinstance(name, str) and bool(re.fullmatch(r'[A-Za-z_][\w.]*:[A-Za-z_][\w.]*', name))


def name_of(recognizer: Union[str, Path, Config]) -> str:
    """What a recognizer is called in messages and manifests: a config by its file."""
    if isinstance(recognizer, Config):
        return str(recognizer.filename or 'the config')
    return str(recognizer)


def build(recognizer: Union[str, Path, Config], checkpoint: Optional[str],
          module_args: Mapping[str, Any]) -> tuple[nn.Module, Optional[dict]]:
    """Build a recognizer or a module, with its weights.

    Args:
        recognizer (str | Path | Config): Name of a preset, config, or import path of a module's
            class, or of a function that makes one.
        checkpoint (str, optional): File or address of the weights.
        module_args (Mapping): Arguments of the class or function.

    Returns:
        tuple[nn.Module, Optional[dict]]: The model, and ``file`` and ``sha256`` of its weights;
        None for a module that has none.

    Raises:
        ValueError: If there is no such thing, or it has no weights.
        TALDataError: If the weights are not its own.
    """
    name = name_of(recognizer)
    if isinstance(recognizer, str) and not is_import_path(name) and not Path(name).suffix:
        preset = find_preset(name)
        recognizer = preset.source if preset.is_module else preset.config
    if is_import_path(recognizer):
        return _build_module(recognizer, checkpoint, module_args)
    if module_args:
        raise ValueError(f'{name}: arguments are for modules, a recognizer has a config')
    model = _build_recognizer(recognizer, name)
    if checkpoint is None:
        url = PRESETS[name].weights_url() if name in PRESETS else None
        raise ValueError(
            f'{name}: a recognizer without weights makes features of random ones; give a '
            'checkpoint (--weights, in inference --recognizer-weights)'
            + (f', such as {url}' if url else ''))
    return model, load_weights(model, checkpoint)


def _build_recognizer(recognizer: Union[str, Path, Config], name: str) -> nn.Module:
    """Build what a config describes, if it is a recognizer."""
    from mmaction.models.recognizers import BaseRecognizer  # with all other models

    cfg = recognizer if isinstance(recognizer, Config) else config_from_file(recognizer)
    if 'model' not in cfg:
        raise ValueError(f'{name}: there is no `model`')
    model = init_recognizer(cfg, None, 'cpu')
    if not isinstance(model, BaseRecognizer):
        raise ValueError(f"{name}: the model is a {type(model).__name__}, and no recognizer of "
                         "MMAction2's")
    return model


def load_weights(model: nn.Module, name: str) -> dict:
    """Load a recognizer's checkpoint, which may have another classifier, but not backbone.

    Args:
        model (nn.Module): With a ``backbone``.
        name (str): The checkpoint.

    Returns:
        dict: ``file`` and ``sha256``.

    Raises:
        TALDataError: If it is no checkpoint, or not of this backbone.
    """
    state = state_dict_in(_load_checkpoint(name, map_location='cpu', logger='silent'), name)
    found = misfits(*({key: value for key, value in weights.items() if key.startswith('backbone.')}
                      for weights in (state, model.state_dict())))
    if found:
        raise TALDataError.of('checkpoint', name, 'state_dict',
                              f'does not fit the backbone of the recognizer: {found}')
    model.load_state_dict({key: value for key, value in state.items()
                           if key.startswith('backbone.')}, strict=False)
    return weights_facts(name)


def weights_facts(name: str) -> dict:
    """Name and hash of a file of weights, the downloaded one where the name is an address."""
    path = Path(name)
    if '://' in name:
        path = Path(torch.hub.get_dir(), 'checkpoints', Path(urlparse(name).path).name)
    total = hashlib.sha256()
    with open(path, 'rb') as file:
        while part := file.read(1 << 20):
            total.update(part)
    return dict(file=path.name, sha256=total.hexdigest())


def _build_module(name: str, checkpoint: Optional[str],
                  module_args: Mapping[str, Any]) -> tuple[nn.Module, Optional[dict]]:
    """Import and call; a module's weights are loaded, brought by itself, or there are none."""
    module = _call(name, module_args, 0)
    state = module.state_dict()
    if checkpoint is not None:
        content = _load_checkpoint(checkpoint, map_location='cpu', logger='silent')
        bare = isinstance(content, Mapping) and state_dict_problem(content) is None
        found = content if bare else state_dict_in(content, checkpoint)
        why = misfits(found, state)
        if why:
            raise TALDataError.of('checkpoint', checkpoint, 'state_dict',
                                  f'does not fit {name}: {why}')
        module.load_state_dict(found)
        weights = weights_facts(checkpoint)
    elif not state:
        weights = None
    else:
        digest = _digest(state)
        # what another seed changes was drawn, and not loaded by the module itself
        if _digest(_call(name, module_args, 1).state_dict()) != digest:
            raise ValueError(f'{name}: its weights are random; give a checkpoint (--weights), or '
                             'arguments with which it loads its own (--module-args)')
        weights = dict(file=name, sha256=digest)
    return ModuleRecognizer(module), weights


def _call(name: str, module_args: Mapping[str, Any], seed: int) -> nn.Module:
    where, _, attribute = name.partition(':')
    try:
        found = importlib.import_module(where)
        for part in attribute.split('.'):
            found = getattr(found, part)
    except Exception as error:  # a module may raise anything
        raise ValueError(f'{name}: cannot be imported ({type(error).__name__}: {error})') from error
    if isinstance(found, nn.Module):
        return found
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            made = found(**module_args)
    except Exception as error:
        raise ValueError(f'{name}: cannot be made with the arguments {dict(module_args)} '
                         f'({error_line(error)})') from error
    if not isinstance(made, nn.Module):
        raise ValueError(f'{name}: must make a module of torch, made a {type(made).__name__}')
    return made


def _digest(state: Mapping[str, torch.Tensor]) -> str:
    """Hash of names and values."""
    total = hashlib.sha256()
    for key, value in sorted(state.items()):
        total.update(f'{key} {tuple(value.shape)} {value.dtype}'.encode())
        total.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    return total.hexdigest()


def recipe(cfg: Config) -> dict:
    """Clip length, frame interval and sizes of a recognizer's own pipeline, as far as it has them.

    Args:
        cfg (Config): The recognizer's config; what it validates with goes before what it tests
            with, for that takes several crops.

    Returns:
        dict: Any of ``clip_len``, ``frame_interval``, ``short_side`` and ``crop_size``.
    """
    steps = {step.get('type'): step for step in
             cfg.get('val_pipeline') or cfg.get('test_pipeline') or ()}
    sampled, scaled = steps.get('SampleFrames', {}), steps.get('Resize', {}).get('scale')
    found = {key: sampled[key] for key in ('clip_len', 'frame_interval') if key in sampled}
    if isinstance(scaled, (tuple, list)) and min(scaled) == -1:
        found['short_side'] = max(scaled)
    if 'CenterCrop' in steps:
        found['crop_size'] = steps['CenterCrop'].get('crop_size')
    return found


def defaults(recognizer: Any) -> dict:
    """The settings that go with a recognizer where nothing is said.

    Args:
        recognizer: As :class:`.VideoFeatureExtractor` takes it, a config as such.

    Returns:
        dict: A preset's; of a config its :func:`recipe`; else a plain clip.
    """
    plain = dict(clip_len=16, frame_interval=1, stride=4, fps=None, short_side=256, crop_size=224,
                 layer=None)
    if isinstance(recognizer, str) and recognizer in PRESETS:
        return {name: getattr(PRESETS[recognizer], name) for name in plain}
    return {**plain, **(recipe(recognizer) if isinstance(recognizer, Config) else {})}


def pool(output: Any, tokens: Optional[tuple[int, Optional[int]]] = None) -> torch.Tensor:
    """Average a backbone's output over space and time.

    Args:
        output (Tensor | tuple): (N, C, ...), or several such, whose channels are concatenated as
            SlowFast's two pathways are. (N, C) is taken as it is. Of MViT's stages, (feature map,
            class token) each, the last one's class token, as its head does.
        tokens (tuple, optional): What a sequence of three axes is: the axis over which it is
            averaged, and how many channels it must have (None: any). Defaults to None: unknown.

    Returns:
        Tensor: (N, C).

    Raises:
        ValueError: If it is something else, or a sequence that is not known.
    """
    if isinstance(output, (tuple, list)) and output:
        if isinstance(output[-1], (tuple, list)):
            return pool(output[-1][-1], tokens)
        return torch.cat([pool(part, tokens) for part in output], dim=1)
    if not isinstance(output, torch.Tensor) or output.ndim < 2:
        found = tuple(output.shape) if isinstance(output, torch.Tensor) else type(output).__name__
        raise ValueError(f'VideoFeatureExtractor: features must be (N, C, ...), got {found}')
    if output.ndim == 2:
        return output
    if output.ndim == 3:
        axis, channels = tokens or (None, None)
        if axis is None or channels not in (None, output.shape[-1]):
            raise ValueError(f'VideoFeatureExtractor: the backbone gives tokens of shape '
                             f'{tuple(output.shape)}; choose another layer, or configure it to '
                             'give pooled or spatial features')
        return output.mean(axis)
    return output.flatten(2).mean(2)
