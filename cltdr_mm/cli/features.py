r"""Make features of a folder of videos, with a manifest that data set and inference read.

What is done is not done again: start the same command once more after whatever stopped it.
`--recognizer motion` needs no weights; it is no trained recognizer, but statistics of colour and
motion, for a first try.

Examples::

    cltdr features videos/ --recognizer motion --out data/mine
    cltdr features videos/ --recognizer i3d-r50 --weights i3d.pth --out data/mine --dtype float16
    cltdr features videos/ --recognizer my_config.py --weights w.pth --stride 4 --out data/mine
    cltdr features videos/ --module my_package.nets:Net --module-args depth=18 --weights net.pth \
        --clip-len 16 --fps 25 --out data/mine --jobs 4
    torchrun --nproc-per-node 8 -m cltdr_mm features videos/ --recognizer i3d-r50 \
        --weights i3d.pth --out data/mine
    cltdr features --list-presets
"""
import argparse
import ast
import os
import re
import time
from typing import Any

import torch

from ..apis.features.feature_extraction import all_ranks, extract_features, rank_shard
from ..apis.features.feature_presets import PRESETS, presets_table
from ..apis.features.recognizers import is_import_path
from ..apis.features.video_features import OWN_RATE
from ..apis.running.command_line import usable_device
from ..datasets.feature_manifest import DTYPES
from ..engine.screen import quiet_log
from ..utils import TALDataError, exit_on_error, out_folder
from . import verb_parser

_SETTINGS = ('clip_len', 'frame_interval', 'stride', 'fps', 'short_side', 'crop_size', 'layer',
             'batch_size', 'max_gap', 'min_read', 'module_args')


class _ListPresets(argparse.Action):
    """Prints the presets and ends, as --help does."""

    def __call__(self, parser, *_):
        print(presets_table())
        parser.exit()


def parse_args(argv=None) -> argparse.Namespace:
    """Parse the command line."""
    parser = verb_parser(__doc__)
    parser.add_argument('videos', help='folder; sub-folders are part of the names of videos')
    parser.add_argument('--list-presets', nargs=0, action=_ListPresets,
                        help='print the presets, and where their weights are')
    made = parser.add_mutually_exclusive_group(required=True)
    made.add_argument('--recognizer', metavar='NAME|CONFIG', help='preset '
                      f"({', '.join(PRESETS)}), or config of an MMAction2 recognizer")
    made.add_argument('--module', metavar='PACKAGE.MODULE:NAME', help='class of a torch module, '
                      'or function that makes one; takes (N, 3, T, H, W) from 0 to 1, gives '
                      '(N, C, ...)')
    parser.add_argument('--module-args', nargs='+', metavar='KEY=VALUE', type=_argument,
                        help='arguments of the class or function')
    parser.add_argument('--weights', help='file or address; all of the backbone must be in it')
    parser.add_argument('--out', required=True, type=out_folder, metavar='FOLDER',
                        help='of the data set; features go into FOLDER/features')
    parser.add_argument('--dtype', choices=DTYPES, default='float32',
                        help='of the files (default: %(default)s)')
    group = parser.add_argument_group(
        'frames', "default: the preset's, or what the config validates with; see --list-presets")
    group.add_argument('--clip-len', type=int, help='frames of a clip')
    group.add_argument('--frame-interval', type=int, help='frames from one of them to the next')
    group.add_argument('--stride', type=int, help='frames from one clip to the next')
    group.add_argument('--fps', type=_rate, help='frames per second to which videos are '
                       f"resampled, by time stamps; '{OWN_RATE}' for each video's own rate")
    group.add_argument('--short-side', type=int, help='pixels')
    group.add_argument('--crop-size', type=int, help='pixels, cut from the centre; 0 for the '
                       'whole frame')
    group.add_argument('--layer', help="module within the backbone whose output is taken, such as "
                       "layer3 (default: the backbone's own)")
    group.add_argument('--max-gap', type=float, help='longest gap in the time stamps, seconds '
                       '(default: 60)')
    group.add_argument('--min-read', type=float, help='part of the length that a file announces '
                       'that must be there (default: 0.99)')
    group = parser.add_argument_group('running')
    group.add_argument('--device', type=usable_device, help='default: the best there is')
    group.add_argument('--batch-size', type=int, help='clips at once (default: 8)')
    group.add_argument('--jobs', type=int, default=1, help='processes (default: %(default)s)')
    group.add_argument('--shard', type=_shard, metavar='I/N', help='of every N videos the I-th, '
                       'from 1, for several machines (default: the rank of torchrun, or all)')
    args = parser.parse_args(argv)
    if args.module is not None and not is_import_path(args.module):
        parser.error(f'--module takes package.module:Name, got {args.module}')
    if args.module_args is not None and args.module is None:
        parser.error('--module-args needs --module')
    return args


def _argument(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition('=')
    if not equals or not key.isidentifier():
        raise argparse.ArgumentTypeError(f'must be key=value, got {text}')
    try:
        return key, ast.literal_eval(value)
    except (SyntaxError, ValueError):
        return key, value


def _rate(text: str) -> Any:
    try:
        return text if text == OWN_RATE else float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be frames per second or '{OWN_RATE}', got {text!r}") from None


def _shard(text: str) -> tuple[int, int]:
    found = re.fullmatch(r'(\d+)/(\d+)', text)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise argparse.ArgumentTypeError(f'must be I/N with I from 1 to N, got {text}')
    return int(found[1]), int(found[2])


def _device() -> str:
    """The GPU of this rank, if there is one."""
    return f'cuda:{os.environ.get("LOCAL_RANK", 0)}' if torch.cuda.is_available() else 'cpu'


@exit_on_error()
@quiet_log()  # recognizers tell how they are built
def main(argv=None) -> None:
    """Extract; videos that could not be used are listed at the end."""
    args = parse_args(argv)
    settings = {name: getattr(args, name) for name in _SETTINGS}
    recognizer = {name: value for name, value in settings.items() if value is not None}
    if args.module_args is not None:
        recognizer['module_args'] = dict(args.module_args)
    recognizer.update(recognizer=args.module or args.recognizer, checkpoint=args.weights,
                      device=str(args.device or _device()))
    begin = time.monotonic()
    # only what Ctrl-C stopped goes on by itself
    with all_ranks(), exit_on_error((), lambda: 'the same command goes on where it was'):
        made = extract_features(args.videos, args.out, recognizer, args.dtype, args.jobs,
                                args.shard or rank_shard(), show_progress=True)
    manifest, spent = made.manifest, time.monotonic() - begin
    print(f'{made.done} videos done ({made.seconds:.0f} s of video in {spent:.0f} s), {made.there} '
          f'were there, {len(made.problems)} could not be used\n'
          f'wrote {made.folder}: (T, {manifest.channels}) {manifest.dtype}, a step every '
          f'{manifest.stride} frames of {manifest.window}, '
          + (f'{manifest.fps:g} frames a second' if manifest.fps else "at each video's own rate"))
    if made.problems:
        raise TALDataError(made.problems, 'videos without features')
