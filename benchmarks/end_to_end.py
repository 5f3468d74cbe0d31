"""Memory and time of a front by setting: what a training step keeps, and what it takes at most.

Memory is counted at full size without computing: tensors have shapes only, and every storage is
followed until it is freed. So the figures are those of float32 and of the device whose operators
are traced (the CPU's), without an allocator's rounding. Times are CPU times of a forward and a
backward pass over a few clips of the same size.

``python benchmarks/end_to_end.py --sizes small base`` prints the tables of
``docs/methods/end_to_end.md``.
"""
import argparse
import gc
import sys
import time
import weakref

import torch
from mmaction.registry import MODELS
from terminaltables import GithubFlavoredMarkdownTable
from torch._subclasses import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

import cltdr_mm  # noqa: F401

#: Sizes of VideoMAE's transformers.
SIZES = dict(small=dict(embed_dims=384, depth=12, num_heads=6),
             base=dict(embed_dims=768, depth=12, num_heads=12),
             large=dict(embed_dims=1024, depth=24, num_heads=16))
TIA = dict(type='TIAdapter')
SETTINGS = {
    'full': dict(tuning='full'),
    'full, `with_cp`': dict(tuning='full', with_cp=True),
    'full, `with_cp`, a clip at once': dict(tuning='full', with_cp=True, clips_at_once=1),
    'adapters': dict(tuning='adapter', adapter=TIA),
    'adapters, `with_cp`': dict(tuning='adapter', adapter=TIA, with_cp=True),
    'adapters beside the last half': dict(tuning='adapter', adapter=dict(TIA, side_tuning=True)),
    'frozen': dict(tuning='frozen')}


class Followed(TorchDispatchMode):
    """Follows the storages that operators make until they are freed."""

    def __init__(self) -> None:
        super().__init__()
        self.alive: set[int] = set()
        self.now = self.peak = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **kwargs or {})
        given = {x.untyped_storage()._cdata for x in tree_leaves((args, kwargs))
                 if isinstance(x, torch.Tensor)}
        for x in tree_leaves(made):
            storage = x.untyped_storage() if isinstance(x, torch.Tensor) else None
            if storage is None or storage._cdata in given or storage._cdata in self.alive:
                continue
            self.alive.add(storage._cdata)
            self.now += storage.nbytes()
            weakref.finalize(storage, self.freed, storage._cdata, storage.nbytes())
        self.peak = max(self.peak, self.now)
        return made

    def freed(self, key: int, size: int) -> None:
        """A storage is gone."""
        self.alive.discard(key)
        self.now -= size


def build(size: str, setting: str, pixels: int, frames_per_step: int) -> torch.nn.Module:
    """A front of VideoMAE's transformer."""
    options = dict(SETTINGS[setting])
    if 'beside' in setting:
        depth = SIZES[size]['depth']
        options['adapter'] = dict(options['adapter'], blocks=range(depth // 2, depth))
    torch.manual_seed(0)
    return MODELS.build(dict(
        type='ClipFront', frames_per_step=frames_per_step,
        backbone=dict(type='VisionTransformer', img_size=pixels, patch_size=16,
                      return_feat_map=True, drop_path_rate=0.1, **SIZES[size]), **options))


def memory(front: torch.nn.Module, frames: int, pixels: int, learn: bool = True) -> tuple:
    """MiB kept between forward and backward pass, and most at any time, parameters left out."""
    with FakeTensorMode(allow_non_fake_inputs=True):
        video = torch.empty(3, frames, pixels, pixels, dtype=torch.uint8)
        with Followed() as followed, torch.set_grad_enabled(learn):
            rows, = front([video], [frames // front.frames_per_step])
            gc.collect()
            kept = followed.now - rows.untyped_storage().nbytes()
            if rows.requires_grad:
                rows.backward(torch.empty_like(rows))
    for param in front.parameters():
        param.grad = None
    return kept / 2**20, followed.peak / 2**20


def seconds(front: torch.nn.Module, frames: int, pixels: int, repeats: int) -> float:
    """Smallest CPU time of a step."""
    video = torch.randint(0, 256, (3, frames, pixels, pixels), dtype=torch.uint8)
    found = []
    for _ in range(repeats):
        begin = time.process_time()
        rows, = front([video], [frames // front.frames_per_step])
        if rows.requires_grad:
            rows.square().mean().backward()
        found.append(time.process_time() - begin)
        for param in front.parameters():
            param.grad = None
    return min(found)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--sizes', nargs='+', choices=SIZES, default=['small'])
    parser.add_argument('--frames', type=int, default=768, help='of a video; memory')
    parser.add_argument('--pixels', type=int, default=160)
    parser.add_argument('--timed-frames', type=int, default=16, help='0 times nothing')
    parser.add_argument('--repeats', type=int, default=1)
    parser.add_argument('--hour', type=int, default=27000, help='frames of a long video, predicted')
    args = parser.parse_args()
    torch.set_num_threads(1)
    for size in args.sizes:
        rows, full = [['setting', 'learned (M)', 'kept (MiB)', 'at most (MiB)', 'time']], None
        for name in SETTINGS:
            front = build(size, name, args.pixels, 1)
            learned = sum(param.numel() for param in front.parameters() if param.requires_grad)
            row = [name, f'{learned / 1e6:.2f}']
            row += [f'{part:,.0f}' for part in memory(front, args.frames, args.pixels)]
            if args.timed_frames:
                spent = seconds(front, args.timed_frames, args.pixels, args.repeats)
                full = full or spent
                row.append(f'{spent / full:.2f}')
            rows.append(row)
            print(row, file=sys.stderr, flush=True)
        print(f'\nViT-{size}, {args.frames} frames of {args.pixels} px, a step of training; time '
              f'of {args.timed_frames} frames\n')
        print(GithubFlavoredMarkdownTable(rows).table, flush=True)
    if args.hour:
        front = build(args.sizes[0], 'full', args.pixels, 1)
        most = [memory(front, number, args.pixels, learn=False)[1]
                for number in (args.frames, args.hour)]
        print(f'\nprediction: {most[0]:,.0f} MiB at most for {args.frames} frames, '
              f'{most[1]:,.0f} MiB for {args.hour}, beside the frames themselves, '
              f'{3 * args.hour * args.pixels**2 / 2**20:,.0f} MiB')


if __name__ == '__main__':
    main()
