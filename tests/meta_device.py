"""Full-sized models without memory or time: their tensors have names and shapes only."""
import contextlib

import torch
from torch.overrides import TorchFunctionMode


class _Spread(TorchFunctionMode):
    """Keeps ``torch.linspace`` on the CPU: transformers read the rates of their drop paths."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if function is torch.linspace:
            kwargs.setdefault('device', 'cpu')
        return function(*args, **kwargs)


@contextlib.contextmanager
def meta_device():
    """What is built in it lies on the meta device."""
    with torch.device('meta'), _Spread():
        yield
