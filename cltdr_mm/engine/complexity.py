"""What a model costs at a length: parameters, arithmetic, time and memory.

Arithmetic is counted on tensors without values, so that any length takes the same moment. A
multiply-add is two FLOP.
"""
import copy
import ctypes
import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Optional, Union

import torch
from mmaction.structures import ActionDataSample
from terminaltables import AsciiTable
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode

from ..structures import FeatureGrid, TimeMajor

aten = torch.ops.aten


@dataclass(frozen=True)
class Complexity:
    """Figures of one model at one length.

    Attributes:
        name (str): What the table calls it.
        steps (int): Steps T of the video.
        parameters (int): Numbers of all parts.
        flops (int): Of a forward of all outputs, from features, or from frames for a front.
        parts (dict[str, int]): The same of 'front', 'backbone', 'neck' and 'head'.
        kinds (dict[str, int]): The same of 'products' (matrix products, convolutions, attention),
            'element-wise' (depth-wise convolutions, scaling) and 'transforms' (Fourier).
        network_seconds (float, optional): Median time of that forward; None if not measured.
        total_seconds (float, optional): The same with decoding and post-processing.
        memory (int, optional): Most bytes that the forward takes beside weights and input; None
            if not measured.
        frames (tuple[int, int], optional): Of a model with a front, how many frames it takes, and
            pixels of a side of each.
        front_parameters (int): How many of the parameters are the front's. Defaults to 0.
    """

    name: str
    steps: int
    parameters: int
    flops: int
    parts: dict
    kinds: dict
    network_seconds: Optional[float] = None
    total_seconds: Optional[float] = None
    memory: Optional[int] = None
    frames: Optional[tuple] = None
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
             for name in ('front', 'backbone', 'neck')}
    parts['head'] = total - sum(parts.values())  # its towers run where they are read
    kinds = {kind: sum(counts['Global'].get(op, 0) for op in ops) for kind, ops in KINDS.items()}
    return total, parts, dict(products=total - sum(kinds.values()), **kinds)


def size_of_input(cfg: Mapping) -> tuple[Optional[int], Optional[int]]:
    """What a model with a front gets of a video in tests, as far as its config says.

    Args:
        cfg (Mapping): A config.

    Returns:
        tuple: Steps of a window, or of every video where all have as many; and pixels of a side of
        the frames, where these are square. None each if the videos decide, or without a front.
    """
    dataset = (cfg.get('test_dataloader') or {}).get('dataset') or {}
    if 'front' not in cfg.get('model', ()):
        return None, None
    steps = (dataset.get('window') or {}).get('size') or dataset.get('num_steps')
    sides = [step['crop_size'] for step in dataset.get('pipeline') or ()
             if step['type'] == 'CenterCrop' and isinstance(step['crop_size'], int)]
    return steps, sides[-1] if sides else None


def measure(model: nn.Module, steps: int, name: str = 'model', repeats: int = 5,
            pixels: Optional[int] = None) -> Complexity:
    """Count, time and watch a localizer on one video.

    Args:
        model (nn.Module): A localizer; goes to evaluation mode.
        steps (int): Steps T of the video; features are standard normal, and frames even noise,
            from a seed.
        name (str): What to call it. Defaults to 'model'.
        repeats (int): Forwards that are timed, after one that is not; 0 only counts.
            Defaults to 5.
        pixels (int, optional): Of a side of the frames, which a model with a front takes.

    Returns:
        Complexity: Its figures.

    Raises:
        ValueError: If the model has a front, and ``pixels`` is missing.
    """
    model.eval()
    front = getattr(model, 'front', None)
    if front is not None and pixels is None:
        raise ValueError(f'{name}: model.front takes frames, and the config leaves them at the '
                         'size that videos have: name it (--pixels)')
    # float64 takes torch's own operators on every device; others' cannot be counted
    ghost = copy.deepcopy(model).cpu().double()
    frames, in_front = None, 0
    if front is not None:
        frames = (steps * front.frames_per_step, pixels)
        in_front = sum(parameter.numel() for parameter in front.parameters())
        # a front answers in float32, whatever it is
        ghost.front.register_forward_hook(lambda *args: [rows.double() for rows in args[-1]])
    with FakeTensorMode(allow_non_fake_inputs=True):
        blank = _video(model, steps, frames, torch.float64)
        inputs = ghost.data_preprocessor.pack([blank]) if front is None else [blank]
        counted = count_flops(ghost, lambda: ghost(inputs, mode='tensor'))
    parameters = sum(parameter.numel() for parameter in model.parameters())
    figures = dict(name=name, steps=steps, parameters=parameters, frames=frames,
                   front_parameters=in_front, **dict(zip(('flops', 'parts', 'kinds'), counted)))
    if not repeats:
        return Complexity(**figures)

    device = next(model.parameters()).device
    video = _video(model, steps, frames, torch.float32)
    grid = FeatureGrid(fps=30., stride=4., window=16., num_steps=steps)
    meta = dict(video_name='drawn', duration=grid.extent, fps=30., grid=grid)

    def inputs_on_device() -> object:
        if front is None:
            return model.data_preprocessor.pack([TimeMajor(video.rows.to(device))])
        return [video.to(device)]

    def network() -> None:
        model(inputs_on_device(), mode='tensor')

    def whole() -> None:
        model(inputs_on_device(), [ActionDataSample(metainfo=meta)], 'predict')

    with torch.no_grad():
        seconds = _median_seconds((network, whole), device, repeats)
        memory = _peak_memory(network, device)
    return Complexity(**figures, network_seconds=seconds[0], total_seconds=seconds[1],
                      memory=memory)


def _video(model: nn.Module, steps: int, frames: Optional[tuple[int, int]],
           dtype: torch.dtype) -> Union[TimeMajor, Tensor]:
    """Features of noise, or frames of it, (3, F, H, W) uint8."""
    generator = torch.Generator().manual_seed(0)
    if frames is None:
        return TimeMajor(torch.randn(steps, model.backbone.in_channels, generator=generator,
                                     dtype=dtype))
    number, side = frames
    return torch.randint(256, (3, number, side, side), generator=generator, dtype=torch.uint8)


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
    """Models one below the other, as text; below it a line of each that takes frames."""
    def figure(value: Optional[float], unit: float, digits: int) -> str:
        return '-' if value is None else f'{value / unit:.{digits}f}'

    parts = ('front', ) * any(one.frames for one in found) + ('backbone', 'neck', 'head')
    rows = [['config', 'steps', 'parameters, M', 'GMAC', *parts, 'network, ms',
             'to detections, ms', 'memory, MiB']]
    rows += [[one.name, str(one.steps), figure(one.parameters, 1e6, 2), figure(one.flops, 2e9, 2),
              *(figure(one.parts[part], 2e9, 2) for part in parts),
              figure(one.network_seconds, 1e-3, 1), figure(one.total_seconds, 1e-3, 1),
              figure(one.memory, 2**20, 0)] for one in found]
    fronts = [f'{one.name}: of {one.frames[0]} frames of {one.frames[1]} x {one.frames[1]} pixels; '
              f'{figure(one.front_parameters, 1e6, 2)} M parameters are the front\'s'
              for one in found if one.frames]
    return '\n'.join([AsciiTable(rows).table, *fronts])


def complexity_json(found: Sequence[Complexity]) -> list[dict]:
    """The same for a JSON file, in plain units: FLOP, seconds, bytes."""
    return [asdict(one) for one in found]
