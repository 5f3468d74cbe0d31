r"""Write a short config for your own data, each value with its reason.

Annotations and features are checked first, as by `cltdr check`; it writes no configs for training
on frames, see docs/datasets/custom.md for one. Numbers come from the training
subset alone. With --from the training starts from a checkpoint, published or your own, whose
classes and features may be others; what is kept and what starts anew is printed.

Examples::

    cltdr init data/mine/annotations.json --out configs/mine.py
    cltdr init data/mine/annotations.json --features data/mine/rgb data/mine/flow --stride 4 \
        --window 16 --method tridet --out configs/mine_tridet.py
    cltdr init data/mine/annotations.json --from work_dirs/old/best.pth --out configs/tuned.py
"""
import argparse
import os
import shlex
import sys

from ..apis.own_data.config_writing import METHODS, config_text, write_config
from ..apis.own_data.data_check import ranges_of, suggestions_for
from ..apis.own_data.fine_tuning import StartingPoint
from ..apis.running.config_files import find_config
from ..engine.screen import quiet_log
from ..utils import exit_on_error, out_file
from . import verb_parser
from .check import data_arguments, data_of


def parse_args(argv=None) -> argparse.Namespace:
    """Read the command line."""
    parser = verb_parser(__doc__)
    parser.add_argument('annotations', metavar='ANNOTATIONS', help='annotation JSON')
    parser.add_argument('--out', required=True, type=out_file, help='config to write')
    parser.add_argument('--method', choices=METHODS, default='cltdr_gmg',
                        help='whose model (default: %(default)s)')
    parser.add_argument('--width', type=int, help='channels of the model (default: what fits)')
    parser.add_argument('--epochs', type=int, help='of training (default: what fits)')
    parser.add_argument('--from', dest='checkpoint', metavar='CHECKPOINT',
                        help='start from these weights, with their model')
    parser.add_argument('--config', help='config of the checkpoint, where it holds none')
    args = data_arguments(parser).parse_args(argv)
    if not args.out.endswith('.py'):
        parser.error(f'--out: a config ends in .py, got {args.out}')
    if os.path.exists(args.out):
        parser.error(f'--out: {args.out} is there already: name another file, or remove it')
    if args.config and not args.checkpoint:
        parser.error('--config is that of the checkpoint: give --from as well')
    if args.checkpoint and args.width:
        parser.error('--width: the model of the checkpoint has its own')
    args.command = shlex.join(['cltdr', 'init', *(sys.argv[1:] if argv is None else argv)])
    return args


@quiet_log()
def main(argv=None) -> None:
    """Check the data, write the config, say what to do next."""
    with exit_on_error((Exception, )):  # all is of the command line, the data or the checkpoint
        args = parse_args(argv)
        start = None
        if args.checkpoint:
            start = StartingPoint(args.checkpoint,
                                  find_config(args.config) if args.config else None)
        data = data_of(args)
        width, model = args.width, None
        if start is not None:
            model = start.model_for(data.channels, len(data.training.classes))
            width = model['backbone'].get('embed_dims')
        chosen = suggestions_for(data, args.device, epochs=args.epochs, width=width)
        built = write_config(config_text(data, chosen, args.method, f'Written by: {args.command}',
                                         model, args.checkpoint), args.out)
        data.ranges = ranges_of(built)
        print(data.text(chosen if start is None else start.fit(chosen, built)))
        if start is not None:
            print(start.report(built, data))
        print(f'wrote {args.out}; next: cltdr train {args.out}')
