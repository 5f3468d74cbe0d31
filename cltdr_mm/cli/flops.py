r"""Parameters, arithmetic, time and memory of configs at a length.

Examples::

    cltdr flops cltdr_thumos tridet_thumos --length 2304
    cltdr flops --all --repeats 0 --out flops.json
    cltdr flops adatad/thumos_s --repeats 0
"""
import platform
from pathlib import Path

import torch
from mmaction.registry import MODELS
from mmengine.registry import init_default_scope

from ..apis.running.command_line import usable_device
from ..apis.running.config_files import config_from_file, find_config
from ..engine.complexity import complexity_json, complexity_table, measure, size_of_input
from ..resources import resource_root
from ..utils import exit_on_error, out_file, write_json
from . import verb_parser

#: Length of THUMOS14's crops of features.
STEPS = 2304


def parse_args(argv=None):
    """Parse the command line."""
    parser = verb_parser(__doc__)
    parser.add_argument('configs', nargs='*', help='config files, or names of configs')
    parser.add_argument('--all', action='store_true', help="all systems of this library's configs/")
    parser.add_argument('--length', type=int, help=f'steps of the video (default: {STEPS}; of a '
                        'model that takes frames, those of the windows that its config tests by)')
    parser.add_argument('--pixels', type=int, help='of a side of the frames, for models that take '
                        'frames (default: as the config crops them)')
    parser.add_argument('--repeats', type=int, default=5, help='runs of which the median time is '
                        'taken; 0 only counts (default: %(default)s)')
    parser.add_argument('--device', type=usable_device, default='cpu',
                        help='what runs are timed on (default: %(default)s)')
    parser.add_argument('--out', type=out_file, help='write the figures to this JSON file')
    args = parser.parse_args(argv)
    if bool(args.configs) == args.all:
        parser.error('name configs, or give --all')
    if min(value for value in (args.length, args.pixels, 1) if value is not None) < 1:
        parser.error('--length and --pixels must be at least 1')
    if args.repeats < 0:
        parser.error('--repeats must be at least 0')
    return args


@exit_on_error()
def main(argv=None) -> None:
    """Measure one config after the other, print one table."""
    args = parse_args(argv)
    names = args.configs
    if args.all:
        names = sorted(path.stem for path in (resource_root() / 'configs').glob('*.py'))
    configs = {Path(name).stem: config_from_file(find_config(name)) for name in names}
    init_default_scope('mmaction')
    found = []
    for name, cfg in configs.items():
        with exit_on_error((Exception, ), cfg=cfg):
            torch.manual_seed(0)
            model = MODELS.build(cfg.model).to(args.device)
            steps, pixels = size_of_input(cfg)
            found.append(measure(model, args.length or steps or STEPS, name, args.repeats,
                                 args.pixels or pixels))
    print(complexity_table(found))
    print('a MAC is one multiply-add, two FLOP')
    if args.repeats:
        where = (torch.cuda.get_device_name(args.device) if args.device.startswith('cuda')
                 else f'{_processor()}, {torch.get_num_threads()} threads')
        print(f'times: median of {args.repeats} runs in float32 on {where}, torch '
              f'{torch.__version__}; untrained weights')
    if args.out:
        write_json(dict(configs=complexity_json(found)), args.out, indent=1)
        print(f'wrote {args.out}')


def _processor() -> str:
    """What the processor calls itself."""
    info = Path('/proc/cpuinfo')
    lines = info.read_text().splitlines() if info.is_file() else []
    names = [line.split(':', 1)[1].strip() for line in lines if line.startswith('model name')]
    return names[0] if names else platform.processor() or platform.machine()
