"""What a model costs at a length: parameters, arithmetic, time and memory.

Arithmetic is counted on tensors without values, so that any length takes the same moment. A
multiply-add is two FLOP.
"""
import copy
import ctypes
import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Optional

import torch
from mmaction.structures import ActionDataSample
from terminaltables import AsciiTable
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode

from ..structures import FeatureGrid, TimeMajor

aten = torch.ops.aten


@dataclass(frozen=True)
class Complexity:
    """Figures of one model at one length.

    Attributes:
        name (str): What the table calls it.
        parameters (int): Numbers of backbone, neck and head.
        flops (int): Of a forward of all outputs: backbone, neck and head.
        parts (dict[str, int]): The same of 'backbone', 'neck' and 'head'.
        kinds (dict[str, int]): The same of 'products' (matrix products, convolutions, attention),
            'element-wise' (depth-wise convolutions, scaling) and 'transforms' (Fourier).
        network_seconds (float, optional): Median time of that forward; None if not measured.
        total_seconds (float, optional): The same with decoding and post-processing.
        memory (int, optional): Most bytes that the forward takes beside weights and features;
            None if not measured.
        front_parameters (int): Numbers of a front, which is in no other figure: its arithmetic
            goes by the size of the frames. Defaults to 0.
    """

    name: str
    parameters: int
    flops: int
    parts: dict
    kinds: dict
    network_seconds: Optional[float] = None
    total_seconds: Optional[float] = None
    memory: Optional[int] = None
    front_parameters: int = 0


def _fft(shape: Sequence[int], dim: Sequence[int], *args, out_shape=None, **kwargs) -> int:
    """Half of a complex FFT's 5 T log2 T, of every real sequence."""
    real = max(shape, out_shape, key=lambda size: size[dim[0]])  # the side that is not halved
    steps = real[dim[0]]
    return round(math.prod(real) * 2.5 * math.log2(steps)) if steps > 1 else 0


def _elementwise(*args, out_shape=None, **kwargs) -> int:
    return 2 * math.prod(out_shape)


def _products() -> dict:
    """Products that torch knows under another name: in place, and attention on a CPU."""
    known = FlopCounterMode(display=False).flop_registry
    return {aten.addmm_: known[aten.addmm], aten.baddbmm_: known[aten.baddbmm],
            aten._scaled_dot_product_flash_attention_for_cpu:
                known[aten._scaled_dot_product_flash_attention]}


#: How operators are counted that torch's counter does not know.
KINDS = {
    'transforms': {aten._fft_r2c: _fft, aten._fft_c2r: _fft},
    'element-wise': {aten.addcmul: _elementwise, aten.addcmul_: _elementwise}}


def count_flops(model: nn.Module, forward: Callable[[], object]) -> tuple[int, dict, dict]:
    """Count the arithmetic of a function.

    Counted are matrix products, convolutions, attention, Fourier transforms (2.5 T log2 T each) and
    element-wise multiply-adds, which depth-wise convolutions are made of; no other element-wise
    work: norms, activations, pooling.

    Args:
        model (nn.Module): Whose parts are told apart.
        forward (Callable): Runs the model.

    Returns:
        tuple[int, dict, dict]: FLOP; ``parts`` and ``kinds`` of :class:`Complexity`.
    """
    rules = {op: rule for kind in KINDS.values() for op, rule in kind.items()}
    counter = FlopCounterMode(display=False, custom_mapping=rules)
    counter.flop_registry.update(_products())
    with torch.no_grad(), counter:
        forward()
    counts, total = counter.get_flop_counts(), counter.get_total_flops()
    parts = {name: sum(counts.get(f'{type(model).__name__}.{name}', {}).values())
             for name in ('backbone', 'neck')}
    parts['head'] = total - sum(parts.values())  # its towers run where they are read
    kinds = {kind: sum(counts['Global'].get(op, 0) for op in ops) for kind, ops in KINDS.items()}
    return total, parts, dict(products=total - sum(kinds.values()), **kinds)


def measure(model: nn.Module, steps: int, name: str = 'model', repeats: int = 5) -> Complexity:
    """Count, time and watch a localizer on one video.

    Args:
        model (nn.Module): A localizer; goes to evaluation mode.
        steps (int): Steps T of the video; features are standard normal, from a seed. A front,
            which would make them of frames, does not run.
        name (str): What to call it. Defaults to 'model'.
        repeats (int): Forwards that are timed, after one that is not; 0 only counts.
            Defaults to 5.

    Returns:
        Complexity: Its figures.
    """
    model.eval()
    channels = model.backbone.in_channels
    # float64 takes torch's own operators on every device; others' cannot be counted
    ghost = copy.deepcopy(model).cpu().double()
    with FakeTensorMode(allow_non_fake_inputs=True):
        blank = TimeMajor(torch.empty(steps, channels, dtype=torch.float64))
        packed = ghost.data_preprocessor.pack([blank])
        counted = count_flops(ghost, lambda: ghost(packed, mode='tensor'))
    front = getattr(model, 'front', None)
    in_front = 0 if front is None else sum(param.numel() for param in front.parameters())
    parameters = sum(parameter.numel() for parameter in model.parameters()) - in_front
    if not repeats:
        return Complexity(name, parameters, *counted, front_parameters=in_front)

    device = next(model.parameters()).device
    features = torch.randn(steps, channels, generator=torch.Generator().manual_seed(0))
    grid = FeatureGrid(fps=30., stride=4., window=16., num_steps=steps)
    meta = dict(video_name='drawn', duration=grid.extent, fps=30., grid=grid)

    def network() -> None:
        packed = model.data_preprocessor.pack([TimeMajor(features.to(device))])
        model(packed, mode='tensor')

    def whole() -> None:
        packed = model.data_preprocessor.pack([TimeMajor(features.to(device))])
        model(packed, [ActionDataSample(metainfo=meta)], 'predict')

    with torch.no_grad():
        seconds = _median_seconds((network, whole), device, repeats)
        memory = _peak_memory(network, device)
    return Complexity(name, parameters, *counted, *seconds, memory, in_front)


def _median_seconds(runs: Sequence[Callable[[], None]], device: torch.device,
                    repeats: int) -> list[float]:
    """Median time of each, done in turn; the first round, which loads kernels, does not count."""
    def now() -> float:
        if device.type == 'cuda':
            torch.cuda.synchronize(device)
        return time.perf_counter()

    spent: list[list[float]] = [[] for _ in runs]
    for _ in range(repeats + 1):
        for run, times in zip(runs, spent):
            start = now()
            run()
            times.append(now() - start)
    return [statistics.median(times[1:]) for times in spent]


def _peak_memory(run: Callable[[], None], device: torch.device) -> Optional[int]:
    """Most bytes above what was taken before; None where the system does not say."""
    if device.type == 'cuda':
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        run()
        return torch.cuda.max_memory_allocated(device) - before
    try:
        ctypes.CDLL(None).malloc_trim(0)  # what earlier runs gave back, and the library kept
        Path('/proc/self/clear_refs').write_text('5')  # the peak is what is resident now
        before = _resident('VmRSS')
        run()
        return _resident('VmHWM') - before
    except (OSError, AttributeError, TypeError):  # not glibc, or not Linux
        return None


def _resident(field: str) -> int:
    """Memory of this process in bytes, a field of Linux's status file."""
    status = Path('/proc/self/status').read_text()
    return int(status.split(f'{field}:')[1].split()[0]) * 1024


def complexity_table(found: Sequence[Complexity]) -> str:
    """Models one below the other, as text; below it a line of each that has a front."""
    def figure(value: Optional[float], unit: float, digits: int) -> str:
        return '-' if value is None else f'{value / unit:.{digits}f}'

    rows = [['config', 'parameters, M', 'GMAC', 'backbone', 'neck', 'head', 'network, ms',
             'to detections, ms', 'memory, MiB']]
    rows += [[one.name, figure(one.parameters, 1e6, 2), figure(one.flops, 2e9, 2),
              *(figure(one.parts[part], 2e9, 2) for part in ('backbone', 'neck', 'head')),
              figure(one.network_seconds, 1e-3, 1), figure(one.total_seconds, 1e-3, 1),
              figure(one.memory, 2**20, 0)] for one in found]
    fronts = [f'{one.name}: without its front, which makes features of frames: '
              f'{figure(one.front_parameters, 1e6, 2)} M parameters, and arithmetic by the size of '
              'the frames' for one in found if one.front_parameters]
    return '\n'.join([AsciiTable(rows).table, *fronts])


def complexity_json(found: Sequence[Complexity]) -> list[dict]:
    """The same for a JSON file, in plain units: FLOP, seconds, bytes."""
    return [asdict(one) for one in found]
