r"""Convert EPIC-KITCHENS-100's annotations for verbs or nouns.

Example::

    cltdr convert epic100 verb --video-info EPIC_100_video_info.csv \
        --train EPIC_100_train.csv --validation EPIC_100_validation.csv
"""

from ...datasets.converters.common import summary
from ...datasets.converters.epic import convert_epic100
from ...utils import exit_on_error, out_file
from .. import verb_parser


@exit_on_error()
def main(argv=None) -> None:
    """Parse arguments, convert, print the counts."""
    parser = verb_parser(__doc__)
    parser.add_argument('task', choices=['verb', 'noun'], help='which label a segment gets')
    parser.add_argument('--video-info', required=True, help='EPIC_100_video_info.csv')
    parser.add_argument('--train', help='EPIC_100_train.csv')
    parser.add_argument('--validation', help='EPIC_100_validation.csv')
    parser.add_argument('--test', help='CSV file whose column video_id names the test videos')
    parser.add_argument(
        '--out', type=out_file,
        help='JSON to write (default: data/epic100/annotations/epic100_<task>.json)')
    args = parser.parse_args(argv)
    if not (args.train or args.validation or args.test):
        parser.error('give --train, --validation or --test')
    out = args.out or f'data/epic100/annotations/epic100_{args.task}.json'
    print(summary(out, convert_epic100(args.task, args.video_info, out, args.train,
                                       args.validation, args.test)))
