r"""Convert Charades' annotations: official CSV files, or the JSON file of super-events.

Examples::

    cltdr convert charades --train Charades_v1_train.csv --test Charades_v1_test.csv \
        --class-list Charades_v1_classes.txt --skip-inverted
    cltdr convert charades --json charades.json --skip-inverted
"""

from ...datasets.converters.charades import convert_charades
from ...datasets.converters.common import summary
from ...utils import exit_on_error, out_file
from .. import verb_parser


@exit_on_error()
def main(argv=None) -> None:
    """Parse arguments, convert, print the counts."""
    parser = verb_parser(__doc__)
    parser.add_argument('--train', help='Charades_v1_train.csv')
    parser.add_argument('--test', help='Charades_v1_test.csv')
    parser.add_argument('--json', help='charades.json of super-events, in place of both')
    parser.add_argument('--class-list', help='Charades_v1_classes.txt, lines "c000 name"; without '
                        'it classes are called by their codes')
    parser.add_argument('--skip-inverted', action='store_true', help='leave out segments that end '
                        'before they start, of which the published files have 7, and list them')
    parser.add_argument('--out', type=out_file, default='data/charades/annotations/charades.json',
                        help='JSON to write (default: %(default)s)')
    args = parser.parse_args(argv)
    if bool(args.train or args.test) == bool(args.json):
        parser.error('give --train, --test or both, or --json')
    database, left_out = convert_charades(args.out, args.train, args.test, args.json,
                                          args.class_list, args.skip_inverted)
    print(summary(args.out, database, left_out))
