"""Counts of what a model does: operators and arithmetic."""
import copy
import math
from collections import Counter
from collections.abc import Callable

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode


@torch.no_grad()
def gflop(forward: Callable) -> float:
    """Arithmetic of a function, 2 FLOP a multiply-add.

    Counted are convolutions and matrix products of ATen, and linear layers of oneDNN, also those
    within an own autograd function; neither Fourier transforms nor element-wise work. Another
    revision is counted by it too, so that it is not the library's own.
    """
    counter = FlopCounterMode(
        display=False, custom_mapping={torch.ops.aten.mkldnn_linear: _linear})
    for name in ('addmm', 'baddbmm'):  # in place it would not be counted
        counter.flop_registry[getattr(torch.ops.aten, f'{name}_')] = \
            counter.flop_registry[getattr(torch.ops.aten, name)]
    with counter:
        forward()
    return counter.get_total_flops() / 1e9


def _linear(x, weight, *args, out_shape=None, **kwargs) -> int:
    return 2 * math.prod(out_shape) * weight[1]


class OperatorCounter(TorchDispatchMode):
    """Counts operators that reach a backend; those that only look at memory apart."""

    def __init__(self) -> None:
        super().__init__()
        self.counts = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        returns = func._schema.returns
        view = bool(returns) and all(
            r.alias_info is not None and not r.alias_info.is_write for r in returns)
        name = func._schema.name
        self.counts['free' if view or 'empty' in name else 'launching'] += 1
        return func(*args, **(kwargs or {}))


def as_leaves(arguments):
    """A copy of nested arguments whose tensors start a graph of their own.

    Raises:
        ValueError: If there is no tensor in them that needs a gradient: they hold it where this
            function does not look.
    """
    seen = {}
    found = _as_leaves(arguments, seen)
    if not seen:
        raise ValueError('no tensor that needs a gradient was found')
    return found


def _as_leaves(value, seen: dict):
    if isinstance(value, torch.Tensor):
        if not value.requires_grad:
            return value
        if id(value) not in seen:
            seen[id(value)] = value.detach().requires_grad_()
        return seen[id(value)]
    if isinstance(value, (list, tuple)):
        names = range(len(value))
    elif isinstance(value, dict):
        names = list(value)
    elif type(value).__module__.startswith('cltdr_mm') and hasattr(value, '__dict__') \
            and not isinstance(value, (type, nn.Module)):
        names = list(vars(value))
    else:
        return value
    own = isinstance(value, (list, tuple, dict))
    old = [(value if own else vars(value))[name] for name in names]
    new = [_as_leaves(part, seen) for part in old]
    if all(a is b for a, b in zip(old, new)):
        return value  # what it has worked out and kept stays with it
    if isinstance(value, (list, tuple)):
        return type(value)(*new) if hasattr(value, '_fields') else type(value)(new)
    if isinstance(value, dict):
        return dict(zip(names, new))
    value = copy.copy(value)
    value.__dict__.update(zip(names, new))  # also of frozen data classes
    return value
