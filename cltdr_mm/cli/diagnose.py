"""Say where the detections of a result file fail, and which instances they miss.

Example::

    cltdr diagnose detections.json thumos14.json --protocol thumos14 --out-dir pictures
"""
import argparse
from pathlib import Path

import numpy as np
from terminaltables import AsciiTable

from ..evaluation import (
    PROTOCOLS,
    get_protocol,
    ground_truth_remarks,
    load_ground_truth,
    read_results,
)
from ..evaluation.functional import (
    ERROR_TYPES,
    NO_COVERAGE,
    average_error_impact,
    diagnose,
    error_impact,
    false_positive_profile,
    fingerprint,
    fingerprint_line,
    instance_sizes,
    sensitivity,
    size_ranges,
)
from ..evaluation.protocols import tiou_name
from ..utils import exit_on_error, out_file, out_folder, write_json
from . import verb_parser


def parse_args(argv=None) -> argparse.Namespace:
    """Read the command line."""
    parser = verb_parser(__doc__)
    parser.add_argument('results', help='result JSON, or JSON.GZ')
    parser.add_argument('annotations', help='annotation JSON')
    parser.add_argument('--protocol', required=True, choices=sorted(PROTOCOLS))
    parser.add_argument('--subset', help="subset of the annotations (default: the protocol's)")
    parser.add_argument('--tiou', type=float, default=0.5,
                        help='threshold of what false positives are (default: 0.5)')
    parser.add_argument(
        '--top-k', type=int, default=10,
        help='profile up to k times as many detections as a class has instances (default: 10)')
    parser.add_argument('--out', type=out_file, help='write all numbers to this JSON file')
    parser.add_argument('--out-dir', type=out_folder, help='draw five pictures here')
    parser.add_argument('--title', help='of the pictures (default: results and protocol)')
    return parser.parse_args(argv)


def run(args: argparse.Namespace) -> dict:
    """Diagnose and print two tables.

    Returns:
        dict: What ``--out`` writes.
    """
    protocol = get_protocol(args.protocol)
    ground_truth = load_ground_truth(
        args.annotations, args.subset or protocol.subsets, protocol=protocol)
    found = read_results(args.results, ground_truth)
    diagnosis = diagnose(found.detections, ground_truth, args.tiou)
    profile = false_positive_profile(diagnosis, ground_truth, args.top_k)
    impact = error_impact(diagnosis, ground_truth)
    average_impact = average_error_impact(found.detections, ground_truth, protocol.tious)
    sizes = instance_sizes(ground_truth, protocol.coverage_edges, protocol.length_edges,
                           protocol.count_edges)
    ranges = dict(coverage=size_ranges(protocol.coverage_edges, '%'),
                  length=size_ranges(protocol.length_edges, 's'),
                  instances=size_ranges(protocol.count_edges))
    tious = sorted({*protocol.all_tious, args.tiou})
    averaged = [tious.index(t) for t in protocol.tious]
    buckets = {
        name: {
            size: dict(range=ranges[name][size] if name in ranges else 'all',
                       instances=b['instances'],
                       **_over_tious('mAP_N', b['mAP_N'], tious, averaged),
                       **_over_tious('missed', b['missed'], tious, averaged))
            for size, b in table.items()
        } for name, table in sensitivity(found.detections, ground_truth, sizes, tious).items()
    }

    prints = fingerprint(ground_truth, (args.tiou, ))
    print(f'{protocol.name}: {fingerprint_line(prints)}')
    for remark in ground_truth_remarks(ground_truth, protocol) + found.remarks:
        print(remark)
    print(f"mAP at tIoU {args.tiou:g}: {100 * impact['mAP']:.2f}")
    rows = [['best detections', *ERROR_TYPES]]
    rows += [[f'{k}G to {k + 1}G', *(f'{100 * v:.1f}' for v in row)]
             for k, row in enumerate(profile)]
    rows += [[name, '-', *(f'{100 * gains[n]:+.2f}' for n in ERROR_TYPES[1:])] for name, gains in
             (('mAP gain without', impact), ('average mAP gain', average_impact))]
    print_table(rows, ' detections by kind, % of G instances, mean over classes ')
    at = tiou_name(args.tiou)
    rows = [['characteristic', 'size', 'range', 'instances', f'mAP_N@{at}', 'average',
             f'missed@{at}', 'average']]
    rows += [[name, size, b['range'], b['instances'],
              *(f'{100 * v:.2f}' for v in (b['mAP_N'][at], b['average_mAP_N'])),
              *(f'{100 * v:.1f}' for v in (b['missed'][at], b['average_missed']))]
             for name, table in buckets.items() for size, b in table.items()]
    print_table(rows, ' instances by size, % ')
    print(f"average: over tIoU {', '.join(map(tiou_name, protocol.tious))}")
    if 'coverage' not in sizes:
        print(NO_COVERAGE)
    return dict(
        protocol=protocol.name, tiou=args.tiou, fingerprint=prints, impact=impact,
        average_impact=average_impact, averaged_tious=list(protocol.tious),
        profile=[dict(zip(ERROR_TYPES, row)) for row in profile.tolist()], sensitivity=buckets)


def _over_tious(name: str, values: np.ndarray, tious: list, averaged: list) -> dict:
    """A measure by threshold, and its average over those at ``averaged``."""
    return {name: {tiou_name(t): float(v) for t, v in zip(tious, values)},
            f'average_{name}': float(values[averaged].mean())}


def print_table(rows: list, title: str) -> None:
    """Print a table with everything but the first column to the right."""
    table = AsciiTable(rows, title)
    for column in range(1, len(rows[0])):
        table.justify_columns[column] = 'right'
    print(table.table)


@exit_on_error()
def main(argv=None) -> None:
    """Read, judge, print, write, draw."""
    args = parse_args(argv)
    report = run(args)
    if args.out:
        write_json(report, args.out)
    if args.out_dir:
        from ..visualization import draw_diagnosis, save_figure

        title = args.title or f'{Path(args.results).name.split(".")[0]} on {report["protocol"]}'
        for name, figure in draw_diagnosis(report, title).items():
            print(save_figure(figure, Path(args.out_dir) / f'{name}.png'))
