"""Convert UCI's raw HAPT archive to features and annotations.

Example::

    cltdr convert hapt HAPT.zip --out data/hapt
"""
import os.path as osp

from ...datasets.converters.common import summary
from ...datasets.converters.hapt import convert_hapt
from ...utils import exit_on_error, out_folder
from .. import verb_parser


@exit_on_error()
def main(argv=None) -> None:
    """Parse arguments, convert, print the counts."""
    parser = verb_parser(__doc__)
    parser.add_argument('source', help='zip archive, or folder it was unpacked to')
    parser.add_argument('--out', type=out_folder, default='data/hapt',
                        help='folder to write (default: %(default)s)')
    parser.add_argument('--partial', action='store_true',
                        help='accept less than the 61 recordings and 1,214 segments published')
    parser.add_argument('--validation', nargs='+', type=int, default=[], metavar='USER',
                        help='training people to set apart as the subset validation')
    args = parser.parse_args(argv)
    database = convert_hapt(args.source, args.out, args.partial, args.validation)
    print(summary(osp.join(args.out, 'annotations.json'), database))
