"""Plot mAP over tIoU of metrics files, or scalars of training runs.

Examples::

    cltdr draw curves map a/metrics.json b/metrics.json --out map.png
    cltdr draw curves train work_dirs/a work_dirs/b --out train.png
"""
from pathlib import Path

from ...utils import exit_on_error, out_file
from ...visualization import (
    draw_map_curves,
    draw_training_curves,
    load_metrics,
    load_scalars,
    save_figure,
)
from .. import verb_parser


def parse_args(argv=None):
    """Parse the command line."""
    parser = verb_parser(__doc__)
    parser.add_argument('kind', choices=('map', 'train'))
    parser.add_argument('inputs', nargs='+', help="map: metrics files as evaluate_results.py "
                        "writes them; train: scalars.json files or work directories")
    parser.add_argument('--out', required=True, type=out_file, help='picture to write')
    parser.add_argument('--names', nargs='+', help='names in the legend, one per input')
    parser.add_argument('--keys', nargs='+', default=['loss', 'lr', 'average_mAP'],
                        help='train: scalars to plot')
    parser.add_argument('--title', default='')
    args = parser.parse_args(argv)
    args.names = legend_names(parser, args.names, args.inputs)
    return args


@exit_on_error()
def main(argv=None) -> None:
    """Plot what the command line asks for."""
    args = parse_args(argv)
    if args.kind == 'map':
        data = {name: load_metrics(path) for name, path in zip(args.names, args.inputs)}
        figure = draw_map_curves(data, args.title)
    else:
        data = {name: load_scalars(path) for name, path in zip(args.names, args.inputs)}
        figure = draw_training_curves(data, args.keys, args.title)
    print(save_figure(figure, args.out))


def legend_names(parser, names, inputs) -> list:
    """The names that were given, checked, or the shortest ends of paths that tell them apart."""
    if names and len(names) != len(inputs):
        parser.error(f'{len(inputs)} inputs, but {len(names)} names')
    if names and len(set(names)) < len(names):
        parser.error(f'--names must differ, got {names}')
    if names:
        return names
    parts = [Path(p.removesuffix('.gz')).with_suffix('').parts for p in inputs]
    for length in range(1, max(map(len, parts)) + 1):
        names = ['/'.join(p[-length:]) for p in parts]
        if len(set(names)) == len(names):
            return names
    return [f'{name} ({i})' for i, name in enumerate(names, 1)]
