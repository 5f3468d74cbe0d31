"""Convert UCI's raw HAPT archive to features and annotations.

Example::

    cltdr convert hapt HAPT.zip --out data/hapt
    cltdr convert hapt HAPT.zip --out data/hapt --folds 5 --seed 0
    cltdr convert hapt HAPT.zip --out data/hapt_fine --window 26 --stride 13
"""
import os.path as osp

from ...datasets.annotations import read_annotation_file
from ...datasets.converters.common import ANNOTATIONS, summary
from ...datasets.converters.hapt import STRIDE, WINDOW, convert_hapt
from ...utils import exit_on_error, fold_file, out_folder
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
    parser.add_argument('--folds', type=int, default=0, metavar='N', help='also write '
                        'annotations_fold<0 to N-1>.json: the training people alone, those of one '
                        'fold as the subset validation')
    parser.add_argument('--seed', type=int, default=0,
                        help='of the folds (default: %(default)s)')
    parser.add_argument('--window', type=int, default=WINDOW,
                        help='samples of a feature step, 50 a second (default: %(default)s)')
    parser.add_argument('--stride', type=int, default=STRIDE,
                        help='samples between feature steps (default: %(default)s)')
    args = parser.parse_args(argv)
    database = convert_hapt(args.source, args.out, args.partial, args.folds, args.seed, args.window,
                            args.stride)
    print(summary(osp.join(args.out, ANNOTATIONS), database))
    for number in range(args.folds):
        path = osp.join(args.out, fold_file(ANNOTATIONS, number))
        print(summary(path, read_annotation_file(path)['database']))
