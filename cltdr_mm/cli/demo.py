"""Train, test and draw CLTDR-GMG: on generated features, or on UCI's recordings.

Every command that is run is printed first. What it leaves is in the work directory:
detections.json, metrics.json, timelines/ and checkpoints.

Examples::

    cltdr demo
    cltdr demo --hapt HAPT.zip
"""
import argparse
import shlex
import subprocess
import sys
from pathlib import Path

from ..utils import exit_on_error, out_folder
from . import verb_parser


def parse_args(argv=None) -> argparse.Namespace:
    """Read the command line."""
    parser = verb_parser(__doc__)
    parser.add_argument('--hapt', metavar='SOURCE', help="UCI's archive of waist-worn recordings, "
                        'or the folder it was unpacked to; made into features in data/hapt')
    parser.add_argument('--work-dir', type=out_folder,
                        help='default: work_dirs/demo, with --hapt work_dirs/hapt')
    parser.add_argument('--seed', type=int, default=0, help='default: %(default)s')
    return parser.parse_args(argv)


def commands(args: argparse.Namespace) -> list[list[str]]:
    """The commands of a demo, in the order in which they run.

    Args:
        args (argparse.Namespace): From :func:`parse_args`.

    Returns:
        list[list[str]]: The words of each after ``cltdr``.
    """
    name = 'synthetic' if args.hapt is None else 'hapt'
    # where the configs look for it
    data, config = f'data/{name}', f'cltdr_{name}'
    out = args.work_dir or f'work_dirs/{"demo" if args.hapt is None else "hapt"}'
    make, draw = ['convert', name, '--out', data], []
    if args.hapt is not None:
        make.append(args.hapt)
        draw = ['--signals', args.hapt, '--signal-name', 'acceleration [g]']
    return [
        make,
        ['train', config, '--work-dir', out, '--seed', str(args.seed)],
        ['test', config, out, '--work-dir', out, '--out', out],
        ['draw', 'timelines', f'{out}/detections.json', f'{data}/annotations.json',
         '--out-dir', f'{out}/timelines', *draw],
    ]


@exit_on_error()
def main(argv=None) -> None:
    """Run the commands one after another; the first that fails ends it."""
    args = parse_args(argv)
    todo = commands(args)
    for words in todo:
        print(f'$ cltdr {shlex.join(words)}', flush=True)
        done = subprocess.run([sys.executable, '-m', 'cltdr_mm', *words])
        if done.returncode:
            raise SystemExit(done.returncode)
    print(f'detections.json, metrics.json and timelines/ are in {Path(todo[1][3])}')
