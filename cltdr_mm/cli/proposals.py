"""Make BSN's proposals and their features, of the curves of its TEM and for its PEM.

Examples::

    cltdr proposals configs/mix/bsn_pem_hapt.py work_dirs/bsn_hapt/tem_results
    cltdr proposals configs/encoded/bsn_pem_hapt.py work_dirs/encoded_bsn_hapt/tem_results
"""
import argparse

from ..apis.running.bsn_proposals import make_proposals
from ..apis.running.command_line import read_config, running_arguments
from ..apis.running.config_files import find_config
from ..utils import exit_on_error
from . import verb_parser


def parse_args(argv=None) -> argparse.Namespace:
    """Read the command line."""
    parser = verb_parser(__doc__)
    parser.add_argument('config', help='config of PEM: its LoadProposals says where to write, and '
                        'its data sets for which videos')
    parser.add_argument('curves', help='folder of the curves that a test of TEM wrote')
    parser.add_argument('--peak-threshold', type=float, default=0.5, help='share of the largest '
                        'probability from which a step may be a boundary (default: %(default)s)')
    parser.add_argument('--workers', type=int, default=1,
                        help='processes (default: %(default)s)')
    parser.add_argument('--cfg-options', nargs='+', default=[], help='changes to the config, as '
                        'for training')
    return parser.parse_args(argv)


def main(argv=None) -> None:
    """Make the proposals, print the counts."""
    with exit_on_error((Exception, )):  # all is of the command line, the config or the data
        args = parse_args(argv)
        changes = ['--cfg-options', *args.cfg_options] if args.cfg_options else []
        parser = running_arguments(argparse.ArgumentParser())
        cfg = read_config(parser.parse_args([find_config(args.config), *changes]))
        counts = make_proposals(cfg, args.curves, args.peak_threshold, args.workers)
        print('{videos} videos, {proposals} proposals, {matching} of which overlap an action by a '
              'tIoU above 0.5'.format(**counts))
