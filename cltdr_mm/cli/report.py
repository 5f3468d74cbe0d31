r"""Write a page that shows detections on a timeline beside the video, to be read and corrected.

Examples::

    cltdr report out/results.json --annotations data/mine/annotations.json --videos videos/ \
        --out report.html
    cltdr report out/results.json --videos videos/ --out report.html
"""
from ..apis.inference.reports import write_report
from ..utils import exit_on_error, out_file
from . import verb_parser


def parse_args(argv=None):
    """Parse the command line."""
    parser = verb_parser(__doc__)
    parser.add_argument('results', help="result file in ActivityNet's layout, as infer, test and "
                        'others write it')
    parser.add_argument('--annotations', help='annotation file with the labels (default: there are '
                        'none yet)')
    parser.add_argument('--videos', help='folder of the videos, to which the page links from where '
                        'it lies')
    parser.add_argument('--out', required=True, type=out_file, help='the page, one file of HTML')
    return parser.parse_args(argv)


@exit_on_error()
def main(argv=None) -> None:
    """Write the page."""
    args = parse_args(argv)
    for remark in write_report(args.results, args.out, args.annotations, args.videos):
        print(remark)
    print(f'wrote {args.out}: open it in a browser')
