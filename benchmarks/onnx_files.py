"""ONNX files of configs against torch: largest differences, size, time of one video.

``python benchmarks/onnx_files.py cltdr_thumos tridet_thumos --markdown``

Weights are drawn: those of a model that was just built, moved by a normal distribution, so that
every branch has a say.
"""
import argparse
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import torch
from mmaction.registry import MODELS
from mmengine.registry import init_default_scope
from terminaltables import AsciiTable, GithubFlavoredMarkdownTable

from cltdr_mm.apis.export.onnx_export import LENGTHS, PointGraph, compare, open_session, write_graph
from cltdr_mm.apis.running.config_files import config_from_file, find_config


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('configs', nargs='+', help='config files, or names of configs')
    parser.add_argument('--steps', type=int, default=2304, help='of the video that is timed')
    parser.add_argument('--repeats', type=int, default=5)
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--spread', type=float, default=0.02,
                        help='standard deviation that weights are moved by')
    parser.add_argument('--markdown', action='store_true')
    return parser.parse_args()


@torch.no_grad()
def row(name: str, args: argparse.Namespace) -> list:
    """Export one config, compare and time it."""
    torch.manual_seed(0)
    model = MODELS.build(config_from_file(find_config(name)).model)
    for parameter in model.parameters():
        parameter += args.spread * torch.randn_like(parameter)
    graph = PointGraph(model)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / 'model.onnx')
        start = time.perf_counter()
        write_graph(graph, path, {})
        written = time.perf_counter() - start
        found = compare(graph, path, LENGTHS)
        session, size = open_session(path), Path(path).stat().st_size
        features = torch.randn(args.steps, model.backbone.in_channels)
        content = dict(features=np.asarray(features))
        spent = []
        for _ in range(args.repeats + 1):  # in turn: what else the machine does hits both
            times = [time.perf_counter()]
            graph(features)
            times.append(time.perf_counter())
            session.run(None, content)
            times.append(time.perf_counter())
            spent.append(np.diff(times))
    torch_ms, onnx_ms = (1000 * median(column) for column in zip(*spent[1:]))
    return [name, *(f'{max(getattr(p, key) for p in found):.0e}' for key in ('scores', 'segments')),
            f'{size / 2**20:.0f}', f'{written:.0f}', f'{torch_ms:.0f}', f'{onnx_ms:.0f}',
            f'{torch_ms / onnx_ms:.2f}']


def main() -> None:
    """Print the table."""
    args = parse_args()
    torch.set_num_threads(args.threads)
    init_default_scope('mmaction')
    rows = [['config', 'scores', 'segments', 'MiB', 'export, s', 'torch, ms', 'onnxruntime, ms',
             'ratio']]
    rows += [row(name, args) for name in args.configs]
    print((GithubFlavoredMarkdownTable if args.markdown else AsciiTable)(rows).table)
    print(f'differences: largest at {", ".join(map(str, LENGTHS))} steps; times: {args.steps} '
          f'steps, {args.threads} threads, median of {args.repeats}, all points decoded')


if __name__ == '__main__':
    main()
