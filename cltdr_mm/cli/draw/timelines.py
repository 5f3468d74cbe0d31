"""Draw ground truth and detections of videos on a time axis, one picture per video.

Example::

    cltdr draw timelines results.json thumos14.json --out-dir pictures
"""
from pathlib import Path

from ...utils import exit_on_error, file_name, out_folder
from ...visualization import draw_timeline, save_figure
from ...visualization.files import TimelineSource, load_signal
from .. import verb_parser


def parse_args(argv=None):
    """Parse the command line."""
    parser = verb_parser(__doc__)
    parser.add_argument('results', help="result file in ActivityNet's layout (.json, .json.gz), "
                        "or 'none' to draw annotations only")
    parser.add_argument('annotations', help="annotation file in ActivityNet's layout")
    parser.add_argument('--out-dir', required=True, type=out_folder,
                        help='folder of the pictures')
    parser.add_argument('--videos', nargs='+', help='videos to draw')
    parser.add_argument('--num', type=int, default=4,
                        help='without --videos: how many, spread over the sorted names')
    parser.add_argument('--score-thr', type=float, help='smallest score drawn')
    parser.add_argument('--top-k', type=int, help='detections drawn per video, the strongest')
    parser.add_argument('--max-classes', type=int, default=16,
                        help='rows before the rarest classes share one')
    parser.add_argument('--time-range', type=float, nargs=2, metavar=('START', 'END'),
                        help='stretch to draw, seconds')
    parser.add_argument('--signals', help='folder or zip with a signal file (.npy, .txt, .csv) '
                        'per video, drawn below; of several channels their norm')
    parser.add_argument('--signal-rate', type=float, default=50.0, help='samples per second')
    parser.add_argument('--signal-name', default='signal', help='name and unit of the signal')
    parser.add_argument('--format', default='png', choices=('png', 'pdf', 'svg'))
    return parser.parse_args(argv)


@exit_on_error()
def main(argv=None) -> None:
    """Draw what the command line asks for."""
    args = parse_args(argv)
    source = TimelineSource(args.annotations,
                            None if args.results == 'none' else args.results)
    for video in args.videos or source.choose(args.num):
        truth, found, duration = source.load(video)
        signal = None
        if args.signals:
            signal = load_signal(args.signals, video, args.signal_rate, args.signal_name)
        figure = draw_timeline(
            truth, found, source.classes, video, duration, args.score_thr, args.top_k,
            args.time_range, args.max_classes, signal=signal)
        name = file_name(video, f'.{args.format}')
        print(save_figure(figure, Path(args.out_dir) / name))
