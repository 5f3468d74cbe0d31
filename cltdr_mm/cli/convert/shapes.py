"""Generate videos of moving shapes, and a table of what they do.

Examples::

    cltdr convert shapes --out data/shapes
    cltdr convert shapes --num-videos 40 --seed 1 --out data/more_shapes
"""
from collections import Counter
from dataclasses import fields
from pathlib import Path

from ...datasets.converters.shape_videos import LABELS, make_shape_videos
from ...datasets.converters.shape_world import ShapeSpec
from ...utils import exit_on_error, out_folder
from .. import verb_parser


@exit_on_error()
def main(argv=None) -> None:
    """Parse arguments, generate, print the counts."""
    parser = verb_parser(__doc__)
    parser.add_argument('--out', type=out_folder, default='data/shapes',
                        help='folder to write (default: %(default)s)')
    sizes = parser.add_argument_group('sizes and difficulty, see ShapeSpec')
    for field in fields(ShapeSpec):
        sizes.add_argument('--' + field.name.replace('_', '-'), type=type(field.default),
                           default=field.default, help='default: %(default)s')
    args = parser.parse_args(argv)
    database = make_shape_videos(
        args.out, ShapeSpec(**{field.name: getattr(args, field.name)
                               for field in fields(ShapeSpec)}))
    seconds = sum(entry['duration'] for entry in database.values())
    counts = Counter(one['label'] for entry in database.values() for one in entry['annotations'])
    print(f'wrote {Path(args.out) / "videos"}: {len(database)} videos, {seconds / 60:.1f} minutes')
    print(f'wrote {Path(args.out) / LABELS}: {counts.total()} actions ('
          + ', '.join(f'{name} {count}' for name, count in sorted(counts.items())) + ')')
