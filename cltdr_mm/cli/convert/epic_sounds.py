r"""Convert EPIC-Sounds' annotations: official CSV files, or OpenTAD's JSON file.

Examples::

    cltdr convert epic_sounds --video-info EPIC_100_video_info.csv \
        --train EPIC_Sounds_train.csv --validation EPIC_Sounds_validation.csv \
        --test EPIC_Sounds_detection_test_videos.csv
    cltdr convert epic_sounds --json epic_sounds.json
"""

from ...datasets.converters.common import summary
from ...datasets.converters.epic import convert_epic_sounds
from ...utils import exit_on_error, out_file
from .. import verb_parser


@exit_on_error()
def main(argv=None) -> None:
    """Parse arguments, convert, print the counts."""
    parser = verb_parser(__doc__)
    parser.add_argument('--video-info', help='EPIC_100_video_info.csv, goes with the next three')
    parser.add_argument('--train', help='EPIC_Sounds_train.csv')
    parser.add_argument('--validation', help='EPIC_Sounds_validation.csv')
    parser.add_argument('--test', help='EPIC_Sounds_detection_test_videos.csv')
    parser.add_argument('--json', help="OpenTAD's JSON file, in place of all of these")
    parser.add_argument('--out', type=out_file,
                        default='data/epic_sounds/annotations/epic_sounds.json',
                        help='JSON to write (default: %(default)s)')
    args = parser.parse_args(argv)
    tables = bool(args.train or args.validation or args.test)
    if tables == bool(args.json) or tables != bool(args.video_info):
        parser.error('give --video-info with --train, --validation or --test, or --json alone')
    print(summary(args.out, convert_epic_sounds(args.out, args.video_info, args.train,
                                                args.validation, args.test, args.json)))
