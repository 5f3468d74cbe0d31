r"""Make an annotation file of labels: tables, ActivityNet, ELAN, VIA, Label Studio, CVAT, BORIS.

Examples::

    cltdr labels labels.csv --videos videos/ --out data/mine/annotations.json \
        --split 0.7 0.15 0.15 --group person
    cltdr labels a.eaf b.eaf --tiers action --videos videos.csv --out annotations.json \
        --split 0.8 0.2 0
    cltdr labels data/mine/annotations.json --to-csv labels.csv
"""
import argparse

from ..datasets.annotations import read_class_file
from ..datasets.labels import (
    FORMATS,
    labels_to_csv,
    read_labels,
    save_labels,
    split_videos,
    summary_table,
)
from ..datasets.videos.video_facts import find_videos
from ..utils import exit_on_error
from . import verb_parser


def parse_args(argv=None) -> argparse.Namespace:
    """Parse the command line."""
    parser = verb_parser(__doc__)
    parser.add_argument('labels', nargs='+', help='files of labels; with --to-csv, one annotation '
                        'or result file')
    out = parser.add_mutually_exclusive_group(required=True)
    out.add_argument('--out', help='annotation JSON to write')
    out.add_argument('--to-csv', metavar='CSV', help='table to write, the other way round')
    parser.add_argument('--format', choices=sorted(FORMATS), help='of the labels (default: what '
                        'each file looks like)')
    parser.add_argument('--columns', nargs='+', metavar='FIELD=COLUMN', default=[],
                        help='columns of a table by what they hold, such as label=verb, '
                        'start_frame=from')
    parser.add_argument('--tiers', nargs='+', help='tiers of ELAN, attributes of VIA, control tags '
                        'of Label Studio that are the classes (default: the only one)')
    parser.add_argument('--videos', help='folder of videos, or a table of them (columns video, '
                        'duration in seconds, fps), or an annotation file')
    parser.add_argument('--skip-broken', action='store_true', help='leave out videos of the folder '
                        'that cannot be read, and say which')
    parser.add_argument('--duration', type=float, help='seconds, of videos of which nothing else '
                        'says it')
    parser.add_argument('--fps', type=float, help='frames per second, likewise')
    parser.add_argument('--split', nargs=3, type=float, metavar=('TRAINING', 'VALIDATION', 'TEST'),
                        help='shares of the subsets (default: those that the labels name)')
    parser.add_argument('--group', metavar='COLUMN', help='videos with the same value in this '
                        'column stay in one subset')
    parser.add_argument('--seed', type=int, default=0, help='of the split (default: %(default)s)')
    parser.add_argument('--classes', metavar='FILE', help='class names, one a line, in the order '
                        'wanted (default: sorted)')
    args = parser.parse_args(argv)
    if args.skip_broken and args.videos is None:
        parser.error('--skip-broken needs --videos')
    if args.to_csv and len(args.labels) > 1:
        parser.error('--to-csv takes one file')
    if not all(0 < item.find('=') < len(item) - 1 for item in args.columns):
        parser.error('--columns takes FIELD=COLUMN, such as label=verb')
    return args


@exit_on_error()
def main(argv=None) -> None:
    """Read the labels, write what is asked for, print the counts."""
    args = parse_args(argv)
    if args.to_csv:
        number = labels_to_csv(args.labels[0], args.to_csv)
        print(f'wrote {args.to_csv}: {number} segments')
        return
    labels = read_labels(
        args.labels, args.format, dict(item.split('=', 1) for item in args.columns) or None,
        args.tiers, args.group,
        find_videos(args.videos, args.group, args.skip_broken) if args.videos else None,
        args.duration, args.fps)
    subsets = split_videos(labels, args.split, args.seed) if args.split else None
    classes = read_class_file(args.classes) if args.classes else None
    content = save_labels(args.out, labels, subsets, classes)
    print('\n'.join([*labels.remarks, summary_table(content), f'wrote {args.out}']))
