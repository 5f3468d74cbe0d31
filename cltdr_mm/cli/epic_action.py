r"""Find EPIC-KITCHENS-100's actions with a model of verbs and one of nouns.

The actions of both are judged as verbs, nouns and actions, as the challenge does, and what each
model finds by itself is judged as well. --out also gets test.json, the challenge's file.

Examples::

    cltdr epic_action cltdr_epic_verb verb.pth cltdr_epic_noun noun.pth --out actions
    cltdr epic_action verb.py work_dirs/verb noun.py work_dirs/noun --out actions \
        --subset test --cfg-options model.nms_pre=50000 model.postprocessor.max_per_video=30000
"""
import argparse
from pathlib import Path

from ..apis.running.command_line import read_config, run
from ..apis.running.config_files import find_config
from ..apis.running.config_options import ConfigOption, change_config
from ..apis.running.epic_actions import action_config, join_checkpoints, set_out_dir, set_subset
from ..engine.work_dir import find_checkpoint
from ..utils import exit_on_error, out_folder
from . import verb_parser


def parse_args(argv=None) -> argparse.Namespace:
    """Read the command line."""
    parser = verb_parser(__doc__)
    for task in ('verb', 'noun'):
        parser.add_argument(f'{task}_config', help=f'config of the model of {task}s, or the name '
                            'of one of this library')
        parser.add_argument(f'{task}_checkpoint', help='checkpoint file or URL, or the folder of a '
                            'training, which stands for its latest checkpoint')
    parser.add_argument('--out', type=out_folder, help='folder for detections.json, metrics.json '
                        'and test.json of the actions, and of the models alone in verb and noun')
    parser.add_argument('--work-dir', type=out_folder, default='work_dirs/epic_action',
                        help='folder of the log and of the checkpoint of both models '
                        '(default: %(default)s)')
    parser.add_argument('--subset', help="videos to test (default: the verb config's)")
    parser.add_argument('--supervision', type=int, nargs=3, choices=range(6), metavar='LEVEL',
                        default=(2, 3, 4), help='what test.json says of pre-training, training '
                        'labels and training data, 0 to 5 each (default: 2 3 4)')
    parser.add_argument('--cfg-options', nargs='+', action=ConfigOption, help='changes to the '
                        'config of both models together, whose model is a VerbNounLocalizer')
    parser.add_argument('--verbose', action='store_true', help='print all that the log file gets')
    return parser.parse_args(argv)


def main(argv=None) -> None:
    """Test both models."""
    with exit_on_error((Exception, )):  # all is of the command line or the configs
        args = parse_args(argv)
        names = [find_config(name) for name in (args.verb_config, args.noun_config)]
        configs = [read_config(argparse.Namespace(config=name, cfg_options=None, fold=None,
                                                  work_dir=args.work_dir)) for name in names]
        cfg = action_config(configs, names)
        cfg.test_evaluator[0].supervision = list(args.supervision)
        if args.subset is not None:
            set_subset(cfg, args.subset)
        if args.out is not None:
            set_out_dir(cfg, args.out)
        if args.cfg_options is not None:
            change_config(cfg, args.cfg_options)
        checkpoints = [find_checkpoint(path)
                       for path in (args.verb_checkpoint, args.noun_checkpoint)]
        cfg.load_from, cfg.resume = str(Path(args.work_dir, 'verb_noun.pth')), False
        join_checkpoints(configs, checkpoints, names, cfg.load_from)
    run(cfg, 'test', 'none', args.verbose)
