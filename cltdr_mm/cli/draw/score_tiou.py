"""Draw the scores of candidates before NMS beside the tIoU that they have, a panel a model.

A result file of candidates comes from a test without NMS::

    cltdr test CONFIG CHECKPOINT --out candidates --cfg-options model.postprocessor.nms=None

Example::

    cltdr draw score_tiou a.json b.json thumos14.json --protocol thumos14 --out score_tiou.png
"""
from dataclasses import replace
from pathlib import Path

import numpy as np

from ...evaluation import (
    PROTOCOLS,
    get_protocol,
    ground_truth_remarks,
    load_ground_truth,
    read_results,
)
from ...evaluation.functional import (
    STRONG,
    fingerprint,
    score_tiou,
    score_tiou_numbers,
)
from ...utils import exit_on_error, out_file, write_json
from ...visualization import draw_score_tiou, save_figure
from .. import verb_parser
from .curves import legend_names


def parse_args(argv=None):
    """Parse the command line."""
    parser = verb_parser(__doc__)
    parser.add_argument('results', nargs='+', help='result files (.json, .json.gz), one a model')
    parser.add_argument('annotations', help='annotation JSON')
    parser.add_argument('--protocol', required=True, choices=sorted(PROTOCOLS))
    parser.add_argument('--subset', help="subset of the annotations (default: the protocol's)")
    parser.add_argument('--out', required=True, type=out_file,
                        help='picture to write; the numbers go beside it, as .json')
    parser.add_argument('--names', nargs='+', help='names of the models, one a result file')
    parser.add_argument('--videos', nargs='+', help='only these videos (default: all)')
    parser.add_argument('--title', help='of the picture (default: protocol, and subset or videos)')
    args = parser.parse_args(argv)
    args.names = legend_names(parser, args.names, args.results)
    return args


def run(args) -> tuple[dict, dict, str]:
    """Read and compare, one file after the other.

    Returns:
        tuple[dict, dict, str]: What :func:`.draw_score_tiou` draws, what is written as JSON, and
        the title.
    """
    protocol = get_protocol(args.protocol)
    truth = load_ground_truth(args.annotations, args.subset or protocol.subsets, protocol=protocol)
    chosen = np.ones(len(truth.video_names), dtype=bool)
    if args.videos:
        strange = sorted(set(args.videos) - set(truth.video_names))
        if strange:
            raise ValueError(f'{args.annotations}: no video {", ".join(strange)} in subset '
                             f"'{truth.subset}'")
        chosen = np.isin(truth.video_names, args.videos)
    for remark in ground_truth_remarks(truth, protocol):
        print(remark)
    mine = chosen[truth.videos]
    truth_of = replace(truth, segments=truth.segments[mine], labels=truth.labels[mine],
                       videos=truth.videos[mine])
    drawn, numbers = {}, {}
    for name, path in zip(args.names, args.results):
        found = read_results(path, truth)
        for remark in found.remarks:
            print(f'{path}: {remark}')
        outside = sum(found.unknown_videos.values())
        if outside:
            print(f'{path}: {outside} candidates of videos outside the subset are left out')
        videos = found.detections.videos
        inside = videos < len(chosen)
        inside[inside] = chosen[videos[inside]]
        compared = score_tiou(found.detections.select(inside), truth_of)
        numbers[name] = score_tiou_numbers(compared)
        drawn[name] = dict(
            scores=compared.scores, tious=compared.tious, numbers=numbers[name],
            instance_scores=compared.instance_scores, instance_tious=compared.instance_tious)
    report = dict(
        protocol=protocol.name, fingerprint=fingerprint(truth, ()), videos=args.videos or 'all',
        strong_per_instance=STRONG, models=numbers)
    what = ', '.join(args.videos) if args.videos else f"subset '{truth.subset}'"
    return drawn, report, args.title or f'{protocol.name}, {what}'


@exit_on_error()
def main(argv=None) -> None:
    """Compare, draw, write, print."""
    args = parse_args(argv)
    models, report, title = run(args)
    print(save_figure(draw_score_tiou(models, title), args.out))
    path = Path(args.out).with_suffix('.json')
    write_json(report, path, indent=2)
    print(path)
