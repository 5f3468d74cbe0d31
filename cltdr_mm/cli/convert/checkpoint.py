r"""Make a checkpoint of ours from a published one of CLTDR-GMG or a relative.

Example::

    cltdr convert checkpoint epoch_039.pth.tar cltdr.pth --from cltdr-gmg \
        --config release/cltdr_gmg/thumos_i3d_focalloss
"""
import argparse
import os

from mmaction.registry import MODELS
from mmengine.registry import init_default_scope

from ...apis.running.config_files import config_from_file, find_config
from ...engine.checkpoint_conversion import FAMILIES, convert_checkpoint
from ...utils import exit_on_error, out_file
from .. import verb_parser


def parse_args(argv=None) -> argparse.Namespace:
    """Read the command line.

    Returns:
        argparse.Namespace: Its arguments.
    """
    parser = verb_parser(__doc__)
    parser.add_argument('source', metavar='SRC', help='published checkpoint')
    parser.add_argument('target', metavar='DST', type=out_file, help='checkpoint to write')
    parser.add_argument('--from', dest='family', required=True, choices=sorted(FAMILIES),
                        help='whose checkpoint it is')
    parser.add_argument('--config', help='the config it is for, one of configs/release: checks '
                        'keys and shapes (without it, names only)')
    parser.add_argument('--no-ema', action='store_true',
                        help='take the weights themselves, not their moving average, which the '
                        'published results come from')
    args = parser.parse_args(argv)
    if not os.path.isfile(args.source):
        parser.error(f'there is no file {args.source}')
    return args


@exit_on_error()
def main(argv=None) -> None:
    """Convert; what does not fit ends the program with a message and no file."""
    args = parse_args(argv)
    model = None
    if args.config is not None:
        cfg = config_from_file(find_config(args.config))
        with exit_on_error((Exception, ), cfg=cfg):
            init_default_scope(cfg.get('default_scope', 'mmaction'))
            model = MODELS.build(cfg['model'])
    converted = convert_checkpoint(args.source, args.target, args.family, model,
                                   ema=not args.no_ema)
    tensors = converted['state_dict'].values()
    print(f'{args.target}: {len(tensors)} tensors, '
          f'{sum(tensor.numel() for tensor in tensors):,} numbers')
    if model is None:
        print('names are checked, shapes are not: give --config')
