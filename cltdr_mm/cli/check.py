r"""Look at data, and at a config for them, before anything is trained.

Everything that a training would find out is looked for, and all that is wrong is listed, a line
each with file, video and field. Then: statistics, settings that fit the data, and which levels of
the pyramid learn which share of the instances. The exit status is 0 if it can be trained.

Examples::

    cltdr check configs/mine.py --out-dir pictures/
    cltdr check data/mine/annotations.json --features data/mine/features --stride 8 --window 16
"""
import argparse
import os
from typing import Union

from ..apis.own_data.data_check import CheckedData, check_annotations, check_config, suggestions_for
from ..apis.running.command_line import read_config, running_arguments
from ..apis.running.config_files import find_config
from ..engine.screen import quiet_log
from ..utils import exit_on_error, out_folder
from . import verb_parser


def data_arguments(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Add what says how features were taken and what the subsets are for."""
    parser.add_argument('--features', nargs='+', metavar='FOLDER', help='of feature files, or '
                        'several whose channels are joined, or an HDF5 file (default: features, '
                        'beside the annotation file)')
    parser.add_argument('--stride', type=_stride, help='frames between two steps, or `resampled` '
                        'for features of one length (default: as the manifest of the features '
                        'says, or each video of the annotation file)')
    parser.add_argument('--window', type=_number, help='frames that a step sees (default: as the '
                        'manifest says, else as many as the stride)')
    parser.add_argument('--fps', type=_number, help='frames per second of videos whose entry says '
                        'nothing')
    for role in ('training', 'validation', 'test'):
        parser.add_argument(f'--{role}', metavar='SUBSET', help=f'name of the {role} subset, where '
                            'it is not the usual one')
    parser.add_argument('--device', choices=['cpu', 'cuda'], help='what it will be trained on '
                        '(default: a GPU if there is one here)')
    return parser


def data_of(args: argparse.Namespace) -> CheckedData:
    """Check the annotations and features of a command line, see :func:`.check_annotations`."""
    folders = args.features or [os.path.join(os.path.dirname(args.annotations), 'features')]
    return check_annotations(args.annotations, folders, args.stride, args.window, args.fps,
                             training=args.training, validation=args.validation, test=args.test)


def parse_args(argv=None) -> argparse.Namespace:
    """Read the command line."""
    parser = verb_parser(__doc__)
    parser.add_argument('source', metavar='CONFIG|ANNOTATIONS', help='config file, name of a '
                        'config of this library, or annotation JSON')
    parser.add_argument('--cfg-options', nargs='+', default=[], help='changes to a config, as for '
                        'training')
    parser.add_argument('--out-dir', type=out_folder, help='draw statistics.png here')
    args = data_arguments(parser).parse_args(argv)
    args.annotations = args.source if args.source.endswith(('.json', '.json.gz')) else None
    if args.annotations is None:
        for name in ('features', 'stride', 'window', 'fps', 'training', 'validation', 'test'):
            if getattr(args, name) is not None:
                parser.error(f'--{name} goes with an annotation file; a config says it itself')
    elif args.cfg_options:
        parser.error('--cfg-options changes a config, not an annotation file')
    return args


@quiet_log()
def main(argv=None) -> None:
    """Check, print, draw."""
    with exit_on_error((Exception, )):  # all is of the command line, the config or the data
        args = parse_args(argv)
        data = data_of(args) if args.annotations else _config_data(args)
        chosen = suggestions_for(data, args.device)
        print(data.text(chosen))
        if args.out_dir is not None:
            from ..visualization import draw_statistics, save_figure
            figure = draw_statistics(data.subsets, data.ranges_with(chosen), args.source)
            print(f'drew {save_figure(figure, os.path.join(args.out_dir, "statistics.png"))}')
        print('all checks passed: this can be trained')


def _number(text: str) -> Union[int, float]:
    try:
        value = float(text)
    except ValueError:
        value = 0.
    if not 0 < value < float('inf'):
        raise argparse.ArgumentTypeError(f'{text!r} is no positive number')
    return int(value) if value == int(value) else value


def _stride(text: str) -> Union[int, float, str]:
    return text if text == 'resampled' else _number(text)


def _config_data(args: argparse.Namespace) -> CheckedData:
    changes = ['--cfg-options', *args.cfg_options] if args.cfg_options else []
    parser = running_arguments(argparse.ArgumentParser())
    cfg = read_config(parser.parse_args([find_config(args.source), *changes]))
    with exit_on_error((Exception, ), cfg=cfg):
        return check_config(cfg)
