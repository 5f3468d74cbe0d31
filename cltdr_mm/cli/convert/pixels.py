"""Generate small videos of moving shapes to learn from pixels, and clips to pre-train on.

Examples::

    cltdr convert pixels --out data/pixels
    cltdr convert pixels --num-train 8 --num-test 4 --num-clips 0 --out data/few_pixels
"""
import inspect
import os.path as osp
from dataclasses import fields

from ...datasets.converters.common import ANNOTATIONS, summary
from ...datasets.converters.pixel_set import PIXELS, make_pixel_set
from ...datasets.converters.shape_world import ShapeSpec
from ...utils import exit_on_error, out_folder
from .. import verb_parser


@exit_on_error()
def main(argv=None) -> None:
    """Parse arguments, generate, print the counts."""
    parser = verb_parser(__doc__)
    parser.add_argument('--out', type=out_folder, default='data/pixels',
                        help='folder to write (default: %(default)s)')
    counts = {name: parameter.default
              for name, parameter in inspect.signature(make_pixel_set).parameters.items()
              if name.startswith('num_')}
    sizes = parser.add_argument_group('sizes and difficulty, see make_pixel_set and ShapeSpec')
    spec = {field.name: getattr(PIXELS, field.name) for field in fields(ShapeSpec)
            if field.name != 'num_videos'}
    for name, default in {**counts, **spec}.items():
        kind = type(getattr(ShapeSpec, name, default))
        sizes.add_argument('--' + name.replace('_', '-'), type=kind, default=default,
                           help='default: %(default)s')
    args = parser.parse_args(argv)
    database = make_pixel_set(args.out, ShapeSpec(**{name: getattr(args, name) for name in spec}),
                              **{name: getattr(args, name) for name in counts})
    print(summary(osp.join(args.out, ANNOTATIONS), database))
    if args.num_clips:
        print(f'wrote {osp.join(args.out, "clips")}: {args.num_clips} to train on, '
              f'{args.num_clips // 6} to judge by')
