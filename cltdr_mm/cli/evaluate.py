r"""Judge a result file (ActivityNet's submission layout) without a model.

Examples::

    cltdr evaluate detections.json thumos14.json --protocol thumos14
    cltdr evaluate actions/detections.json epic100_verb.json --nouns epic100_noun.json \
        --protocol epic100
"""
import argparse

from ..evaluation import (
    PROTOCOLS,
    evaluate_detections,
    get_protocol,
    judge_actions,
    load_actions,
    load_ground_truth,
    read_results,
    report_text,
)
from ..evaluation.functional import RECALL_AVERAGES
from ..utils import exit_on_error, out_file, write_json
from . import verb_parser


def parse_args(argv=None) -> argparse.Namespace:
    """Read the command line."""
    parser = verb_parser(__doc__)
    parser.add_argument('results', help='result JSON, or JSON.GZ')
    parser.add_argument('annotations', help='annotation JSON')
    parser.add_argument('--protocol', required=True, choices=sorted(PROTOCOLS))
    parser.add_argument(
        '--nouns', metavar='ANNOTATIONS', help='annotation JSON of nouns, where the first is of '
        "verbs: judges EPIC-KITCHENS-100's actions, labelled 'verb,noun' by the numbers of the "
        'classes, as verbs, nouns and actions')
    parser.add_argument('--out', type=out_file, help='write all numbers to this JSON file')
    parser.add_argument('--subset', help="subset of the annotations (default: the protocol's)")
    parser.add_argument(
        '--tiou', type=float, nargs='+', help="thresholds in place of the protocol's")
    parser.add_argument(
        '--require-all', action='store_true',
        help='a video of the subset that the results do not list is an error')
    parser.add_argument(
        '--unknown-videos', choices=('keep', 'drop', 'error'), default='keep',
        help='detections of videos outside the subset: keep as false positives, as published '
        'evaluators do (default), drop, or stop')
    parser.add_argument(
        '--unknown-labels', choices=('drop', 'error'), default='error',
        help='detections of labels that the annotations do not have (default: stop)')
    parser.add_argument(
        '--keep-duplicates', action='store_true',
        help='count annotations that repeat another within 1 ms, whatever the protocol says')
    parser.add_argument(
        '--recall', choices=RECALL_AVERAGES, help='average the recall over classes (macro, as '
        "ActionFormer and OpenTAD do) or over instances (micro, as Ego4D does; default: the "
        "protocol's)")
    parser.add_argument(
        '--tie-order', choices=('stable', 'published'), default='stable',
        help="order of equal scores: as in the file (default), or as NumPy's sort leaves them, "
        'like the published evaluators (may differ between CPUs)')
    args = parser.parse_args(argv)
    if args.nouns and (args.protocol != 'epic100' or args.recall):
        parser.error('--nouns goes with --protocol epic100, and without --recall: of actions only '
                     'mAP is known')
    return args


def evaluate(args: argparse.Namespace) -> None:
    """Read, evaluate, print, write."""
    protocol = get_protocol(args.protocol, args.tiou, args.recall)
    subset = args.subset or protocol.subsets
    if args.nouns:
        ground_truth = load_actions(args.annotations, args.nouns, subset, protocol)
    else:
        ground_truth = load_ground_truth(
            args.annotations, subset, merge_duplicates=False if args.keep_duplicates else None,
            protocol=protocol)
    found = read_results(args.results, ground_truth, args.unknown_videos, args.unknown_labels)
    missing = [name for name in ground_truth.video_names if name not in found.videos]
    if missing and args.require_all:
        raise ValueError(f'{args.results}: {len(missing)} videos of the subset are missing: '
                         f'{", ".join(missing[:10])}{" ..." if len(missing) > 10 else ""}')
    if args.nouns:
        report, *lines = judge_actions(found.detections, ground_truth, protocol, args.tie_order)
        report['remarks'] = found.remarks
        text = '\n'.join([*lines, *found.remarks])
    else:
        report = evaluate_detections(found.detections, ground_truth, protocol, args.tie_order)
        report['remarks'] += found.remarks
        text = report_text(report, protocol)
    report['videos'] = dict(
        missing=missing, outside_subset=found.unknown_videos, unknown_labels=found.unknown_labels,
        ignored_labels=found.ignored_labels)
    print(text)
    if missing:
        print(f'{len(missing)} videos of the subset are not listed in the results')
    if found.unknown_videos:
        kept = 'left out' if args.unknown_videos == 'drop' else 'counted as false positives'
        print(f'{len(found.unknown_videos)} videos are not part of the subset, their detections '
              f'are {kept}: {", ".join(list(found.unknown_videos)[:10])}')
    if args.out:
        write_json(report, args.out)


@exit_on_error()
def main(argv=None) -> None:
    """Evaluate what the command line names."""
    evaluate(parse_args(argv))
