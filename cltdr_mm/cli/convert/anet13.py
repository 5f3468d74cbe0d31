"""Convert ActivityNet-1.3's annotations as BMN ships them.

Example::

    cltdr convert anet13 anet_anno_action.json video_info_new.csv
"""

from ...datasets.converters.activitynet import convert_activitynet
from ...datasets.converters.common import summary
from ...utils import exit_on_error, out_file
from .. import verb_parser


@exit_on_error()
def main(argv=None) -> None:
    """Parse arguments, convert, print the counts."""
    parser = verb_parser(__doc__)
    parser.add_argument('source', help='anet_anno_action.json')
    parser.add_argument('video_info', help='video_info_new.csv')
    parser.add_argument('--out', type=out_file, default='data/anet13/annotations/anet13.json',
                        help='JSON to write (default: %(default)s)')
    args = parser.parse_args(argv)
    database, left_out = convert_activitynet(args.source, args.video_info, args.out)
    print(summary(args.out, database, left_out))
