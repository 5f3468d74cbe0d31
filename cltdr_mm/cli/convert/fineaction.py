r"""Convert FineAction's annotations.

Example::

    cltdr convert fineaction annotations_gt.json \
        --exclude v_00004011 v_00006080 v_00002783
"""

from ...datasets.converters.activitynet import convert_fineaction
from ...datasets.converters.common import summary
from ...utils import exit_on_error, out_file
from .. import verb_parser


@exit_on_error()
def main(argv=None) -> None:
    """Parse arguments, convert, print the counts."""
    parser = verb_parser(__doc__)
    parser.add_argument('source', help='annotations_gt.json')
    parser.add_argument('--exclude', nargs='*', default=[], metavar='VIDEO',
                        help='videos to leave out, say for errors or want of features')
    parser.add_argument('--out', type=out_file,
                        default='data/fineaction/annotations/fineaction.json',
                        help='JSON to write (default: %(default)s)')
    args = parser.parse_args(argv)
    database, left_out = convert_fineaction(args.source, args.out, args.exclude)
    labels = {item['label'] for entry in database.values() for item in entry['annotations']}
    print(summary(args.out, database, left_out))
    print(f'  {len(labels)} classes')
