r"""Write a localizer as an ONNX file, and compare it with torch.

Examples::

    cltdr export cltdr_hapt work_dirs/cltdr_hapt/best.pth --out model.onnx
    cltdr export checkpoint best.pth --out model.onnx --lengths 1 100 20000
"""
from pathlib import Path

from ..apis.export.onnx_export import LENGTHS, export_onnx
from ..apis.running.config_files import config_from_file, find_config
from ..apis.running.config_options import ConfigOption, change_config
from ..utils import exit_on_error, out_file
from . import verb_parser


def parse_args(argv=None):
    """Parse the command line."""
    parser = verb_parser(__doc__)
    parser.add_argument('config', help="config of the localizer, or 'checkpoint' for the one that "
                        "the checkpoint contains")
    parser.add_argument('checkpoint', nargs='?', help='without one the model is untrained')
    parser.add_argument('--out', required=True, type=out_file, help='the file to write')
    parser.add_argument('--lengths', nargs='+', type=int, default=LENGTHS,
                        help='steps at which results are compared (default: %(default)s)')
    parser.add_argument('--cfg-options', nargs='+', action=ConfigOption, help='changes to the '
                        'config file, as for cltdr test')
    args = parser.parse_args(argv)
    if not args.out.endswith('.onnx'):
        parser.error(f'--out must end in .onnx, by which others know it, got {args.out}')
    if min(args.lengths) < 1:
        parser.error(f'--lengths must be at least 1, got {min(args.lengths)}')
    if args.config == 'checkpoint' and args.checkpoint is None:
        parser.error("'checkpoint' in place of a config needs a checkpoint")
    if args.cfg_options is not None and args.config == 'checkpoint':
        parser.error('--cfg-options changes a config file: name one in place of checkpoint')
    return args


@exit_on_error()
def main(argv=None) -> None:
    """Export, compare, print by how much results differ."""
    args = parse_args(argv)
    cfg = None if args.config == 'checkpoint' else config_from_file(find_config(args.config))
    with exit_on_error((Exception, ), cfg=cfg):
        if args.cfg_options is not None:
            change_config(cfg, args.cfg_options)
        found = export_onnx(cfg, args.checkpoint, args.out, args.lengths)
    if args.checkpoint is None:
        print('the model is untrained: no checkpoint was given')
    print('steps    scores   segments   (largest differences to torch)')
    for parity in found:
        print(f'{parity.steps:5d}   {parity.scores:.1e}   {parity.segments:.1e}')
    print(f'wrote {args.out}, {Path(args.out).stat().st_size / 2**20:.1f} MiB')
