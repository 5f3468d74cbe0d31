"""Convert HACS Segments' annotations (HACS_segments_v1.1.1.json)."""
import argparse

from cltdr_mm.datasets.converters.activitynet import convert_hacs
from cltdr_mm.datasets.converters.common import summary
from cltdr_mm.utils import exit_on_error, out_file


@exit_on_error()
def main(argv=None) -> None:
    """Parse arguments, convert, print the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('source', help='HACS_segments_v1.1.1.json')
    parser.add_argument('--subset', help='only this subset')
    parser.add_argument('--out', type=out_file, default='data/hacs/annotations/hacs.json',
                        help='JSON to write (default: %(default)s)')
    args = parser.parse_args(argv)
    database, left_out = convert_hacs(args.source, args.out, args.subset)
    print(summary(args.out, database, left_out))


if __name__ == '__main__':
    main()
