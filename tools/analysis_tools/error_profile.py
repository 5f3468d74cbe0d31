"""Draw where the detections of a result file fail, and which instances they miss.

The numbers behind the pictures are those that diagnose_results.py prints.
"""
import argparse
from pathlib import Path

from cltdr_mm.evaluation import (
    PROTOCOLS,
    get_protocol,
    ground_truth_remarks,
    load_ground_truth,
    read_results,
)
from cltdr_mm.evaluation.functional import (
    ERROR_TYPES,
    NO_COVERAGE,
    diagnose,
    error_impact,
    false_positive_profile,
    instance_sizes,
    sensitivity,
    size_ranges,
)
from cltdr_mm.utils import exit_on_error, out_folder
from cltdr_mm.visualization import draw_false_positive_profile, draw_sensitivity, save_figure


_NAMES = dict(coverage='part of the video covered', length='length',
              instances='of the class in the video')


def parse_args(argv=None):
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('results', help='result JSON, or JSON.GZ')
    parser.add_argument('annotations', help='annotation JSON')
    parser.add_argument('--protocol', required=True, choices=sorted(PROTOCOLS))
    parser.add_argument('--subset', help="subset of the annotations (default: the protocol's)")
    parser.add_argument('--tiou', type=float, default=0.5, help='threshold (default: 0.5)')
    parser.add_argument('--out-dir', required=True, type=out_folder,
                        help='folder of the three pictures')
    parser.add_argument('--title', default='')
    return parser.parse_args(argv)


def draw(args) -> dict:
    """Diagnose and draw.

    Returns:
        dict[str, Figure]: By the picture's name.
    """
    protocol = get_protocol(args.protocol)
    ground_truth = load_ground_truth(
        args.annotations, args.subset or protocol.subsets, protocol=protocol)
    found = read_results(args.results, ground_truth)
    for remark in ground_truth_remarks(ground_truth, protocol) + found.remarks:
        print(remark)
    diagnosis = diagnose(found.detections, ground_truth, args.tiou)
    impact = error_impact(diagnosis, ground_truth)
    title = args.title or f'{Path(args.results).name.split(".")[0]} on {protocol.name}'
    title += f', tIoU {args.tiou:g}, mAP {100 * impact.pop("mAP"):.1f}'
    sizes = instance_sizes(ground_truth, protocol.coverage_edges, protocol.length_edges,
                           protocol.count_edges)
    if 'coverage' not in sizes:
        print(NO_COVERAGE)
    table = sensitivity(diagnosis, ground_truth, sizes)
    whole = table.pop('all')['all']
    ranges = dict(coverage=size_ranges(protocol.coverage_edges, '%'),
                  length=size_ranges(protocol.length_edges, 's'),
                  instances=size_ranges(protocol.count_edges))
    # what the sizes are, and the share of instances that have them
    notes = {_NAMES[name]: {size: (ranges[name][size],
                                  f"{100 * b['instances'] / whole['instances']:.0f} %")
                           for size, b in buckets.items()} for name, buckets in table.items()}

    def bars(key):
        return {_NAMES[n]: {size: b[key] for size, b in buckets.items()}
                for n, buckets in table.items()}

    rows = ('size', 'range', 'share')
    return {
        'false_positives': draw_false_positive_profile(
            false_positive_profile(diagnosis, ground_truth), ERROR_TYPES, impact, title),
        'sensitivity': draw_sensitivity(bars('mAP_N'), whole['mAP_N'], notes, title, rows=rows),
        'missed': draw_sensitivity(bars('missed'), whole['missed'], notes, title,
                                   'instances missed (%)', rows)}


@exit_on_error()
def main(argv=None) -> None:
    """Draw what the command line asks for."""
    args = parse_args(argv)
    for name, figure in draw(args).items():
        print(save_figure(figure, Path(args.out_dir) / f'{name}.png'))


if __name__ == '__main__':
    main()
