"""Soft-NMS: CPU time against a NumPy loop, and against a C++ operator where a compiler is at hand.

Candidates of one video of 600 s, 20 classes, Gaussian, sigma 0.5, at most 2000 kept:
``uniform`` (scattered segments, most scores low), ``peaked`` (clusters around 60 actions) and
``hard`` (scattered, scores 0.1 to 1, so that nothing is dropped early). The NumPy loop and the C++
operator re-score every candidate after every kept one, as the published operator does; both are
written here, the latter compiled to a temporary folder. All results are compared.

``--mmaction``: BMN's post-processing in MMAction2, with its own soft-NMS and with ours in its
place, on proposals of one video of 100 steps, the best 100 kept.
"""
import argparse
import ctypes
import shutil
import subprocess
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
import torch

import cltdr_mm  # noqa: F401  (lets MMAction2's models be imported)
from cltdr_mm.postprocessing.functional import soft_nms

WORK = (('uniform', 1000), ('uniform', 10_000), ('uniform', 50_000), ('peaked', 1000),
        ('peaked', 10_000), ('peaked', 50_000), ('hard', 2000), ('hard', 10_000), ('hard', 50_000))
CLASSES, SIGMA, MIN_SCORE, MAX_NUM = 20, 0.5, 0.001, 2000

SOURCE = r"""
#include <cmath>
#include <algorithm>
// One class: segments and scores are worked on in place, best first; returns how many are left.
extern "C" int run(float* s, float* e, float* p, long* id, int n, float sigma, float low) {
  for (int i = 0; i < n; ++i) {
    int best = i;
    for (int j = i + 1; j < n; ++j) if (p[j] > p[best]) best = j;
    std::swap(s[i], s[best]); std::swap(e[i], e[best]);
    std::swap(p[i], p[best]); std::swap(id[i], id[best]);
    const float len = e[i] - s[i] + 1e-6f;
    for (int j = i + 1; j < n;) {
      const float inter = std::max(0.f, std::min(e[i], e[j]) - std::max(s[i], s[j]));
      const float iou = inter / (len + (e[j] - s[j] + 1e-6f) - inter);
      p[j] *= std::exp(-(iou * iou) / sigma);
      if (p[j] < low) {
        --n;
        s[j] = s[n]; e[j] = e[n]; p[j] = p[n]; id[j] = id[n];
      } else ++j;
    }
  }
  return n;
}
"""


def make(kind: str, num: int, seed: int = 0):
    """Candidates of one video: segments (num, 2) in seconds, scores, labels."""
    g = np.random.default_rng(seed)
    duration, labels = 600., g.integers(0, CLASSES, num)
    if kind == 'peaked':
        actions = g.random(60) * duration
        lengths = 2 + g.random(60) * 20
        of = g.integers(0, 60, num)
        centers = actions[of] + g.normal(size=num) * lengths[of] * 0.15
        widths = lengths[of] * np.exp(g.normal(size=num) * 0.2)
        labels = np.where(g.random(num) < 0.9, of % CLASSES, labels)
        scores = np.exp(-np.abs(centers - actions[of]) / lengths[of] * 8) * g.random(num)**2
    else:
        centers, widths = g.random(num) * duration, 1 + g.random(num) * 20
        scores = g.random(num)**4 if kind == 'uniform' else 0.1 + 0.9 * g.random(num)
    segments = np.stack([centers - widths / 2, centers + widths / 2], axis=1)
    return (torch.from_numpy(segments).float(),
            torch.from_numpy(MIN_SCORE + (1 - MIN_SCORE) * scores).float(),
            torch.from_numpy(labels))


def per_class(segments, scores, labels, one_class):
    """Run `one_class` on every class and keep the best of all: (indices, scores)."""
    segments, scores, labels = (x.numpy() for x in (segments, scores, labels))
    kept, values = [], []
    for c in np.unique(labels):
        index = np.flatnonzero(labels == c)
        i, v = one_class(segments[index, 0].copy(), segments[index, 1].copy(),
                         scores[index].copy(), index.astype(np.int64))
        kept.append(i[:MAX_NUM])
        values.append(v[:MAX_NUM])
    kept, values = np.concatenate(kept), np.concatenate(values)
    order = np.argsort(-values, kind='stable')[:MAX_NUM]
    return kept[order], values[order]


def numpy_class(starts, ends, scores, index):
    """One class with NumPy: all remaining candidates at once, a loop over the kept ones."""
    kept, values = [], []
    while len(scores) and len(kept) < MAX_NUM:
        best = int(scores.argmax())
        start, end = starts[best], ends[best]
        kept.append(index[best])
        values.append(scores[best])
        inter = np.maximum(np.minimum(ends, end) - np.maximum(starts, start), 0)
        iou = inter / ((end - start + 1e-6) + (ends - starts + 1e-6) - inter)
        scores = scores * np.exp(-iou * iou / SIGMA)
        rest = scores >= MIN_SCORE
        rest[best] = False
        starts, ends, scores, index = starts[rest], ends[rest], scores[rest], index[rest]
    return np.array(kept, dtype=np.int64), np.array(values, dtype=np.float32)


def compile_cpp(folder: str):
    """The operator above as a function of one class; None without a C++ compiler."""
    compiler = shutil.which('g++') or shutil.which('clang++')
    if compiler is None:
        return None
    source, library = Path(folder) / 'nms.cpp', Path(folder) / 'nms.so'
    source.write_text(SOURCE)
    subprocess.run([compiler, '-O3', '-shared', '-fPIC', str(source), '-o', str(library)],
                   check=True)
    run = ctypes.CDLL(str(library)).run
    floats, longs = (np.ctypeslib.ndpointer(t, flags='C') for t in (np.float32, np.int64))
    run.argtypes = [floats] * 3 + [longs, ctypes.c_int, ctypes.c_float, ctypes.c_float]

    def one_class(starts, ends, scores, index):
        n = run(starts, ends, scores, index, len(scores), SIGMA, MIN_SCORE)
        return index[:n], scores[:n]

    return one_class


def best_time(function, repeats: int, clock=time.process_time) -> float:
    """Shortest CPU time of several runs in milliseconds, the first not counted."""
    function()
    times = []
    for _ in range(repeats):
        begin = clock()
        function()
        times.append(clock() - begin)
    return 1000 * min(times)


def ours(candidates, backend):
    """Function that runs the library."""
    return lambda: soft_nms(
        *candidates, sigma=SIGMA, min_score=MIN_SCORE, max_num=MAX_NUM, backend=backend)


def agree(found, expected) -> bool:
    """Equal scores to 1e-5; where the order differs, scores that float32 cannot tell apart."""
    if len(found[0]) != len(expected[0]):
        return False
    index, scores = np.asarray(found[0]), np.asarray(found[1])
    if np.abs(scores - expected[1]).max(initial=0) > 1e-5:
        return False
    return float((index != expected[0]).mean()) < 0.02


def mmaction_table(repeats: int) -> None:
    """Print BMN's post-processing with both functions, for as many proposals as it may have."""
    from mmaction.models.localizers.utils import post_processing, proposal_utils

    from cltdr_mm.postprocessing.functional import bsn_soft_nms
    theirs = proposal_utils.soft_nms
    first, last = np.triu_indices(100, 1)
    video, rng = dict(duration_frame=1600, duration_second=100.), np.random.default_rng(0)
    print(f'CPU times in ms, best of {repeats}: post_processing of MMAction2')
    print(' '.join(f'{h:>16}' for h in ('proposals', 'its soft_nms', 'ours', 'its/ours')))
    for num in (200, 1000, 4950):
        chosen = rng.choice(len(first), num, replace=False)
        rows = np.column_stack([first[chosen] / 100, last[chosen] / 100, rng.random((num, 5))**2])
        found, times = [], []
        for function in (theirs, bsn_soft_nms):
            proposal_utils.soft_nms = function
            try:
                run = partial(post_processing, rows, video, 0.4, 0.5, 0.9, 100, 16)
                found.append([(*p['segment'], p['score']) for p in run()])
                times.append(best_time(run, min(repeats, 3) if function is theirs else repeats))
            finally:
                proposal_utils.soft_nms = theirs
        if not np.allclose(*found, rtol=1e-12):
            raise SystemExit(f"{num} proposals: ours differs from MMAction2's")
        cells = num, f'{times[0]:.1f}', f'{times[1]:.2f}', f'{times[0] / times[1]:.0f}'
        print(' '.join(f'{c:>16}' for c in cells), flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--repeats', type=int, default=7)
    parser.add_argument('--torch', action='store_true', help='also time the torch path')
    parser.add_argument('--device', default='cpu', help='where the torch path runs')
    parser.add_argument('--agnostic', action='store_true', help='one class instead of 20')
    parser.add_argument('--mmaction', action='store_true',
                        help="time MMAction2's post-processing of BMN instead")
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.mmaction:
        mmaction_table(args.repeats)
        return
    with tempfile.TemporaryDirectory() as folder:
        cpp = compile_cpp(folder)
        head = ['candidates', 'numpy', 'C++', 'ours', 'numpy/ours', 'C++/ours']
        head += [f'torch ({args.device})'] if args.torch else []
        print(f'CPU times in ms, best of {args.repeats}, one thread; torch {torch.__version__}, '
              f'C++ operator: {"compiled here" if cpp else "no compiler found"}')
        print(' '.join(f'{h:>16}' for h in head))
        for kind, num in WORK:
            candidates = make(kind, num)
            if args.agnostic:
                candidates = (*candidates[:2], torch.zeros_like(candidates[2]))
            slow = per_class(*candidates, numpy_class)
            if not agree(ours(candidates, 'auto')(), slow):
                raise SystemExit(f'{num} {kind}: ours differs from the NumPy loop')
            if cpp and not agree(per_class(*candidates, cpp), slow):
                raise SystemExit(f'{num} {kind}: the C++ operator differs from the NumPy loop')
            t_numpy = best_time(lambda c=candidates: per_class(*c, numpy_class),
                                min(args.repeats, 3))
            t_cpp = best_time(lambda c=candidates: per_class(*c, cpp),
                              args.repeats) if cpp else float('nan')
            t_ours = best_time(ours(candidates, 'auto'), args.repeats)
            cells = [f'{t_numpy:.1f}', f'{t_cpp:.2f}', f'{t_ours:.2f}', f'{t_numpy / t_ours:.1f}',
                     f'{t_cpp / t_ours:.1f}']
            if args.torch:
                on_device = tuple(x.to(args.device) for x in candidates)
                if not agree([x.cpu() for x in ours(on_device, 'torch')()], slow):
                    raise SystemExit(f'{num} {kind}: the torch path differs from the NumPy loop')
                # a GPU's time is none of the process's
                took = best_time(ours(on_device, 'torch'), 3, time.perf_counter)
                cells.append(f'{took:.1f}')
            print(' '.join(f'{c:>16}' for c in [f'{num} {kind}', *cells]), flush=True)


if __name__ == '__main__':
    main()
