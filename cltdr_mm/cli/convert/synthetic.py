r"""Generate untrimmed feature sequences with planted actions.

Examples::

    cltdr convert synthetic --out data/synthetic
    cltdr convert synthetic --annotations thumos14.json --dataset THUMOS14Dataset \
        --max-videos 8 --out data/miniature
"""
import os.path as osp
from dataclasses import fields

from mmaction.registry import DATASETS

from ...datasets.annotations import file_classes, read_annotation_file
from ...datasets.converters.common import summary
from ...datasets.converters.synthetic import (
    SyntheticSpec,
    make_features_for,
    make_synthetic,
)
from ...utils import exit_on_error, out_folder
from .. import verb_parser


@exit_on_error()
def main(argv=None) -> None:
    """Parse arguments, generate, print the counts."""
    parser = verb_parser(__doc__)
    parser.add_argument('--out', type=out_folder, default='data/synthetic',
                        help='folder to write (default: %(default)s)')
    sizes = parser.add_argument_group('sizes and difficulty, see SyntheticSpec')
    for field in fields(SyntheticSpec):
        sizes.add_argument('--' + field.name.replace('_', '-'), type=type(field.default),
                           default=field.default, help='default: %(default)s')
    mini = parser.add_argument_group('a miniature of a benchmark')
    mini.add_argument('--annotations', help='annotation file to make features for')
    mini.add_argument('--dataset', default='TALDataset', help='registered dataset whose classes '
                      'and known exceptions apply, say THUMOS14Dataset (default: %(default)s)')
    mini.add_argument('--max-videos', type=int, help='videos of each subset')
    args = parser.parse_args(argv)
    values = {field.name: getattr(args, field.name) for field in fields(SyntheticSpec)}
    if args.annotations is None:
        database = make_synthetic(args.out, SyntheticSpec(**values))
    else:
        kind = DATASETS.get(args.dataset)
        if kind is None:
            parser.error(f'no dataset {args.dataset} is registered')
        classes = kind.METAINFO.get('classes') or file_classes(
            read_annotation_file(args.annotations), args.annotations)
        if classes is None:
            parser.error(f'{args.annotations} lists no classes: give --dataset')
        values['num_classes'] = len(classes)
        database = make_features_for(
            args.annotations, args.out, SyntheticSpec(**values), classes, args.max_videos,
            duration_tolerance=kind.DURATION_TOLERANCE, exempt_videos=kind.EXEMPT_VIDEOS)
    print(summary(osp.join(args.out, 'annotations.json'), database))
