"""Convert HACS Segments' annotations.

Example::

    cltdr convert hacs HACS_segments_v1.1.1.json
"""

from ...datasets.converters.activitynet import convert_hacs
from ...datasets.converters.common import summary
from ...utils import exit_on_error, out_file
from .. import verb_parser


@exit_on_error()
def main(argv=None) -> None:
    """Parse arguments, convert, print the counts."""
    parser = verb_parser(__doc__)
    parser.add_argument('source', help='HACS_segments_v1.1.1.json')
    parser.add_argument('--subset', help='only this subset')
    parser.add_argument('--out', type=out_file, default='data/hacs/annotations/hacs.json',
                        help='JSON to write (default: %(default)s)')
    args = parser.parse_args(argv)
    database, left_out = convert_hacs(args.source, args.out, args.subset)
    print(summary(args.out, database, left_out))
