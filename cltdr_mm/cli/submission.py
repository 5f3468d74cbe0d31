"""Write or check the file that a challenge takes, of detections in ActivityNet's layout.

Examples::

    cltdr submission ego4d_mq detections.json --retrieval sigma07/detections.json --out mq.json
    cltdr submission epic_sounds detections.json --out epic_sounds.zip
    cltdr submission epic_action actions/detections.json --out epic_action.zip
    cltdr submission check actions/test.json
"""
import argparse

from ..evaluation.submissions import (
    ego4d_mq_submission,
    epic_action_submission,
    epic_sounds_submission,
    read_submission,
    write_submission,
)
from ..utils import exit_on_error, out_file, read_result_file
from . import verb_parser

EPIC = dict(epic_action=epic_action_submission, epic_sounds=epic_sounds_submission)


def parse_args(argv=None) -> argparse.Namespace:
    """Read the command line."""
    parser = verb_parser(__doc__)
    parser.add_argument('challenge', choices=['ego4d_mq', *EPIC, 'check'],
                        help='whose file to write, or check for one that is there')
    parser.add_argument('results', help='result JSON, or JSON.GZ; with check the '
                        '.json or .zip to look at')
    parser.add_argument('--retrieval', help='ego4d_mq: detections of another suppression, which '
                        'are judged by recall (default: the same)')
    parser.add_argument('--supervision', type=int, nargs=3, choices=range(6), metavar='LEVEL',
                        help='epic_*: levels of pre-training, training labels and training data, '
                        '0 to 5 each (default: 2 3 4)')
    parser.add_argument('--out', type=out_file, help='file to write: .json, or .zip with a '
                        'test.json in it')
    args = parser.parse_args(argv)
    if (args.out is None) != (args.challenge == 'check'):
        parser.error('--out names the file to write' if args.out is None
                     else 'check writes nothing: leave --out out')
    if args.retrieval is not None and args.challenge != 'ego4d_mq':
        parser.error('--retrieval is for ego4d_mq')
    if args.supervision is not None and args.challenge not in EPIC:
        parser.error('--supervision is for epic_action and epic_sounds')
    return args


@exit_on_error()
def main(argv=None) -> None:
    """Write or check what the command line names."""
    args = parse_args(argv)
    if args.challenge == 'check':
        content = read_submission(args.results)
    else:
        results = read_result_file(args.results)
        if args.challenge == 'ego4d_mq':
            other = None if args.retrieval is None else read_result_file(args.retrieval)
            content = ego4d_mq_submission(results, other)
        else:
            content = EPIC[args.challenge](results, args.supervision or (2, 3, 4))
        write_submission(content, args.out)
    for key in ('results', 'detect_results', 'retrieve_results'):
        if key in content:
            found = content[key]
            print(f'{key}: {len(found)} videos, {sum(map(len, found.values()))} detections, as '
                  f'the challenge {content["challenge"]} takes them')
