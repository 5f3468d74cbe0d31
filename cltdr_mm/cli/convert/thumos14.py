"""Check and convert THUMOS14's annotations (ActionFormer's JSON or the official text files).

Examples::

    cltdr convert thumos14 thumos14.json
    cltdr convert thumos14 annotations/ --video-info videos.csv
"""

from ...datasets.converters.common import summary
from ...datasets.converters.thumos import convert_thumos14
from ...utils import exit_on_error, out_file
from .. import verb_parser


@exit_on_error()
def main(argv=None) -> None:
    """Parse arguments, convert, print the counts."""
    parser = verb_parser(__doc__)
    parser.add_argument('source', help='JSON file, or folder of <Class>_val.txt, <Class>_test.txt')
    parser.add_argument('--video-info', help='for text files: CSV with video, duration, fps')
    parser.add_argument('--out', type=out_file, default='data/thumos14/annotations/thumos14.json',
                        help='JSON to write (default: %(default)s)')
    args = parser.parse_args(argv)
    print(summary(args.out, convert_thumos14(args.source, args.out, args.video_info)))
