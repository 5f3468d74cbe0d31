"""Convert annotations of Ego4D's Moment Queries, official ones or those of others' code.

Examples::

    cltdr convert ego4d_mq moments_train.json moments_val.json moments_test_unannotated.json
    cltdr convert ego4d_mq ego4d_v2_220429.json
"""

from ...datasets.converters.common import summary
from ...datasets.converters.ego4d import convert_ego4d_mq
from ...utils import exit_on_error, out_file
from .. import verb_parser


@exit_on_error()
def main(argv=None) -> None:
    """Parse arguments, convert, print the counts."""
    parser = verb_parser(__doc__)
    parser.add_argument('sources', nargs='+', metavar='FILE', help='moments_train.json, '
                        'moments_val.json, moments_test_unannotated.json; or one JSON file of '
                        'OpenTAD, ActionFormer or ASL')
    parser.add_argument('--skip-bad-rates', action='store_true', help='leave out clips whose '
                        'frames and seconds make less than 10 or more than 100 frames a second, '
                        'and list them')
    parser.add_argument('--out', type=out_file, default='data/ego4d/annotations/ego4d_mq.json',
                        help='JSON to write (default: %(default)s)')
    args = parser.parse_args(argv)
    database, left_out = convert_ego4d_mq(args.sources, args.out, args.skip_bad_rates)
    print(summary(args.out, database, left_out))
