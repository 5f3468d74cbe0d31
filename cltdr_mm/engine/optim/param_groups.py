"""Parameter groups: weight decay on what mixes features, on nothing else.

All recipes of this library use AdamW without decay on norms, biases and scales. MMEngine's own
constructor knows torch's norm classes only, and makes one group per parameter, which keeps the
optimizer from updating many tensors in one call; this one knows the channel norms, scales and
tables of temporal models and merges equal groups.
"""
import inspect
import re
from typing import Any, Optional

import torch.nn as nn
from mmaction.registry import OPTIM_WRAPPER_CONSTRUCTORS
from mmengine.optim import DefaultOptimWrapperConstructor
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd
from torch.nn.utils import clip_grad_norm_, clip_grad_value_

from ...utils.explained import suggestion
from ...utils.json_files import number_problem

_MIXING = (_ConvNd, nn.Linear, nn.Bilinear, nn.MultiheadAttention)
_NORMS = (_NormBase, nn.LayerNorm, nn.GroupNorm, nn.LocalResponseNorm)
_TABLES = (nn.Embedding, nn.EmbeddingBag)
# words in names of bare parameters (not the `weight` of a torch layer) that are never decayed
_FREE = re.compile(r'bias|b\d*|scale|norm|gamma|beta|pos|position|pe|embed|table|token')


def takes_weight_decay(module: nn.Module, name: str, param: nn.Parameter) -> bool:
    """Say whether a parameter should shrink towards zero.

    Decayed are the weights of convolutions (depth-wise ones too, also where a module writes them
    out as its own ``weight`` with the outputs in the first of several axes) and of linear layers,
    and bare parameters with at least two axes longer than one, unless their name marks them as
    bias, scale, norm or positional table. A module settles it for its own parameters by the
    attributes ``no_weight_decay`` and ``with_weight_decay``: collections of their names.

    Args:
        module (nn.Module): The module that owns the parameter.
        name (str): Name of the parameter in that module, without a prefix.
        param (nn.Parameter): The parameter.

    Returns:
        bool: True where weight decay applies.
    """
    if name in getattr(module, 'no_weight_decay', ()):
        return False
    if name in getattr(module, 'with_weight_decay', ()):
        return True
    if isinstance(module, _NORMS + _TABLES):
        return False
    if isinstance(module, _MIXING):
        return 'bias' not in name
    if any(_FREE.fullmatch(word) for word in name.lower().split('_')):
        return False
    if name == 'weight' and param.ndim > 1 and param.shape[0] > 1:
        return True
    # (C,), (1, C, 1) and scalars rescale channels, they do not mix them
    return sum(size > 1 for size in param.shape) > 1


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class TALOptimWrapperConstructor(DefaultOptimWrapperConstructor):
    """Optimizer wrapper whose groups follow :func:`takes_weight_decay`.

    Args:
        optim_wrapper_cfg (dict): Config of the wrapper; ``optimizer`` in it needs ``lr`` and
            ``weight_decay``.
        paramwise_cfg (dict, optional): May hold ``custom_keys``, a dict from a part of a
            parameter's full name to ``lr_mult`` and / or ``decay_mult``. Of several keys that
            match, the longest counts. ``decay_mult`` never brings decay to a parameter that
            :func:`takes_weight_decay` excludes, ``decay_all=True`` does, as adapters are trained.
            A key may match parameters that are not learned, so that what is frozen can change
            without it. Defaults to None.

    Raises:
        ValueError: If ``lr`` or ``weight_decay`` is missing or no number, if gradients are clipped
            to nothing or by arguments that torch does not take, if ``paramwise_cfg`` holds
            anything else, or if a custom key matches no parameter (a misspelt key changes
            nothing, which nobody notices).
    """

    def __init__(self, optim_wrapper_cfg: dict, paramwise_cfg: Optional[dict] = None):
        _check_optimizer(optim_wrapper_cfg.get('optimizer'))
        _check_clip_grad(optim_wrapper_cfg.get('clip_grad'))
        super().__init__(optim_wrapper_cfg, paramwise_cfg)
        if self.base_lr is None or self.base_wd is None:
            raise ValueError('optim_wrapper.optimizer needs lr and weight_decay')
        unknown = set(self.paramwise_cfg) - {'custom_keys'}
        if unknown:
            raise ValueError(f'paramwise_cfg of {type(self).__name__} knows custom_keys only, not '
                             f'{sorted(unknown)}: norms, biases and scales are exempt from decay '
                             'without being named')
        for key, options in self.paramwise_cfg.get('custom_keys', {}).items():
            unknown = set(options) - {'lr_mult', 'decay_mult', 'decay_all'}
            if unknown:
                raise ValueError(f'paramwise_cfg.custom_keys[{key!r}] knows lr_mult, decay_mult '
                                 f'and decay_all, not {sorted(unknown)}')
        # Never empty: the base class takes an empty one to mean "a single group for all".
        self.paramwise_cfg.setdefault('custom_keys', {})

    def add_params(self, params: list[dict], module: nn.Module, **kwargs) -> None:
        """Append the groups of a model, one for each pair of learning rate and decay.

        Args:
            params (list[dict]): Groups, extended in place. A parameter shared by several modules
                and one that needs no gradient is left out where it comes again.
            module (nn.Module): The model.
            **kwargs: Not used; the base class passes the state of its recursion.
        """
        custom = self.paramwise_cfg['custom_keys']
        keys = sorted(custom, key=len, reverse=True)
        unused, seen = set(custom), set()
        groups: dict[tuple, dict] = {}
        for prefix, owner in module.named_modules():
            for name, param in owner.named_parameters(recurse=False):
                full_name = f'{prefix}.{name}' if prefix else name
                unused.difference_update(key for key in keys if key in full_name)
                if param in seen or not param.requires_grad:
                    continue
                seen.add(param)
                options = next((custom[key] for key in keys if key in full_name), {})
                lr = self.base_lr * options.get('lr_mult', 1.)
                decay = self.base_wd * options.get('decay_mult', 1.)
                if not (options.get('decay_all') or takes_weight_decay(owner, name, param)):
                    decay = 0.
                group = groups.setdefault((lr, decay), dict(params=[], lr=lr, weight_decay=decay))
                group['params'].append(param)
        if unused:
            raise ValueError(f'no parameter of {type(module).__name__} has '
                             f'{sorted(unused)} of paramwise_cfg.custom_keys in its name')
        params.extend(groups.values())


def _check_optimizer(cfg: Any) -> None:
    if not isinstance(cfg, dict):
        raise ValueError(f'optim_wrapper.optimizer must be dict(type=..., lr=..., '
                         f'weight_decay=...), got {cfg!r}')
    for key in ('lr', 'weight_decay'):
        why = None if cfg.get(key) is None else number_problem(cfg[key])
        if why is not None:
            raise ValueError(f'optim_wrapper.optimizer.{key} {why}')


def _check_clip_grad(cfg: Any) -> None:
    """What torch and MMEngine would meet in the first step only, or never."""
    if cfg is None:
        return
    if not isinstance(cfg, dict):
        raise ValueError(f'optim_wrapper.clip_grad must be dict(max_norm=...) or None, got {cfg!r}')
    options = dict(cfg)
    clip, limit = ((clip_grad_value_, 'clip_value') if options.pop('type', 'norm') == 'value' else
                   (clip_grad_norm_, 'max_norm'))
    known = list(inspect.signature(clip).parameters)[1:]
    for key in options:
        if key not in known:
            raise ValueError(f'optim_wrapper.clip_grad.{key}: {clip.__name__} has no such argument'
                             + suggestion(key, known))
    why = number_problem(options.get(limit))
    if why is None and options[limit] <= 0:
        why = f'must be positive, got {options[limit]}; clip_grad=None clips nothing'
    if why is not None:
        raise ValueError(f'optim_wrapper.clip_grad.{limit} {why}')
