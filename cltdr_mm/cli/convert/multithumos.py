"""Convert MultiTHUMOS's annotations as super-events publish them.

Example::

    cltdr convert multithumos multithumos.json --thumos14 thumos14.json
"""

from ...datasets.converters.common import summary
from ...datasets.converters.thumos import convert_multithumos
from ...utils import exit_on_error, out_file
from .. import verb_parser


@exit_on_error()
def main(argv=None) -> None:
    """Parse arguments, convert, print the counts."""
    parser = verb_parser(__doc__)
    parser.add_argument('source', help='multithumos.json')
    parser.add_argument('--thumos14', help="THUMOS14's annotation JSON, for the fps of the videos")
    parser.add_argument('--class-list', help='lines "number name" for the 65 classes')
    parser.add_argument('--default-fps', type=float, default=30.0,
                        help='fps of videos THUMOS14 does not have (default: %(default)s)')
    parser.add_argument('--exclude', nargs='*', default=[], metavar='VIDEO',
                        help='videos to leave out, say for want of features')
    parser.add_argument('--out', type=out_file,
                        default='data/multithumos/annotations/multithumos.json',
                        help='JSON to write (default: %(default)s)')
    args = parser.parse_args(argv)
    database, left_out = convert_multithumos(
        args.source, args.out, args.thumos14, args.class_list, args.default_fps, args.exclude)
    print(summary(args.out, database, left_out))
