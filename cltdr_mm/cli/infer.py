r"""Localize actions in feature files or videos.

Examples::

    cltdr infer configs/cltdr_hapt.py best.pth features/ --out-dir out
    cltdr infer config.py best.pth clip.mp4 --out-dir out --recognizer-weights i3d.pth
    cltdr infer configs/cltdr_hapt.py best.pth features/ --out-dir out --min-score auto \
        --videos videos/ --formats csv srt video html
    cltdr infer model.onnx features/ --out-dir out
    cltdr infer config.py best.pth clip.mp4 --out-dir out --recognizer tsn.py \
        --recognizer-weights tsn.pth --clip-len 16 --stride 4
"""
import argparse
from pathlib import Path
from typing import Union

from ..apis import TALInferencer, VideoFeatureExtractor
from ..apis.features.feature_presets import PRESETS
from ..apis.inference.input_list import is_video, list_inputs
from ..apis.inference.outputs import FORMATS, check_formats, write_outputs
from ..apis.running.command_line import usable_device
from ..apis.running.config_files import config_from_file, find_config
from ..apis.running.config_options import ConfigOption, change_config
from ..utils import TALDataError, exit_on_error, out_folder
from . import verb_parser


def parse_args(argv=None):
    """Parse the command line."""
    parser = verb_parser(__doc__)
    parser.add_argument('config', help="config of the localizer, or 'checkpoint' for the one that "
                        "the checkpoint contains; or an ONNX file of `cltdr export`")
    parser.add_argument('checkpoint', help='not with an ONNX file, which holds its weights')
    parser.add_argument('inputs', nargs='*', help='feature files, videos, folders of either')
    parser.add_argument('--out-dir', required=True, type=out_folder,
                        help='for results.json and the other formats')
    parser.add_argument('--formats', nargs='+', choices=FORMATS, default=['png'], metavar='FORMAT',
                        help='what to write besides results.json: png (timelines, the default), '
                        'csv (a table), srt (subtitles), video (the videos with labels drawn on '
                        'them), html (a report); json for nothing else')
    parser.add_argument('--min-score', type=_score, metavar='SCORE',
                        help='smallest score of what is written: a number, or auto for the one of '
                        'best F1 in the validation of the checkpoint (default: no limit)')
    parser.add_argument('--top', type=int, help='most detections written per video (default: no '
                        'limit)')
    parser.add_argument('--videos', metavar='FOLDER', help='videos of the feature files, for video '
                        'and html; they say rate and duration where nothing else does')
    parser.add_argument('--skip-broken', action='store_true', help='leave out videos among the '
                        'inputs that cannot be read; they are listed at the end, with exit status '
                        '1')
    parser.add_argument('--cfg-options', nargs='+', action=ConfigOption, help='changes to the '
                        'config file, as for cltdr test')
    parser.add_argument('--device', type=usable_device, help='default: the best there is')
    parser.add_argument('--batch-size', type=int, default=1)
    parser.add_argument('--annotations', help='annotation file that knows durations and rates')
    parser.add_argument('--duration', type=float, help='seconds, of all inputs')
    parser.add_argument('--fps', type=float, help='frames per second, of all inputs; of a video: '
                        'the rate to which its frames are resampled')
    parser.add_argument('--stride', type=float, help='frames between two feature steps, whole ones '
                        'of a video')
    parser.add_argument('--window', type=float, help='frames that one feature step sees')
    group = parser.add_argument_group(
        'videos', 'default: what the manifest of the training features says; where there is none, '
        'it must be given as the training features were made. A model that reads frames takes '
        'videos without any of it')
    group.add_argument('--recognizer', help='preset of cltdr features, config of an MMAction2 '
                       'recognizer, or package.module:Name')
    group.add_argument('--recognizer-weights')
    group.add_argument('--clip-len', type=int, help='frames of a clip')
    group.add_argument('--frame-interval', type=int)
    group.add_argument('--short-side', type=int, help='pixels')
    group.add_argument('--crop-size', type=int, help='pixels')
    group.add_argument('--max-gap', type=float, default=60.0,
                       help='longest gap in the time stamps, seconds (default: %(default)g)')
    group.add_argument('--min-read', type=float, default=0.99,
                       help='part of the length that a file announces that must be there '
                       '(default: %(default)g)')
    args = parser.parse_intermixed_args(argv)  # inputs may follow options
    if args.config.endswith('.onnx'):
        args.inputs.insert(0, args.checkpoint)
        args.checkpoint = None
    elif not args.inputs:
        parser.error('the following arguments are required: inputs')
    if args.cfg_options is not None and (
            args.config == 'checkpoint' or args.config.endswith('.onnx')):
        parser.error(f'--cfg-options changes a config file: name one in place of {args.config}')
    if args.recognizer and args.recognizer not in PRESETS and args.stride is None:
        parser.error('--recognizer needs --stride')
    for name in ('clip_len', 'frame_interval', 'short_side', 'crop_size'):
        if getattr(args, name) is not None and not args.recognizer:
            parser.error(f'--{name.replace("_", "-")} needs --recognizer')
    if 'video' in args.formats and args.videos is None \
            and not any(is_video(item) for item in list_inputs(args.inputs)):
        parser.error('--formats video of feature files needs --videos, the folder of their videos')
    return args


def _score(text: str) -> Union[float, str]:
    if text == 'auto':
        return text
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a number or auto, got '{text}'") from None


@exit_on_error()
def main(argv=None) -> None:
    """Run the inferencer."""
    args = parse_args(argv)
    out_dir = Path(args.out_dir)
    cfg = model = None
    if args.config.endswith('.onnx'):
        model = args.config
    elif args.config != 'checkpoint':
        model = cfg = config_from_file(find_config(args.config))
    with exit_on_error((Exception, ), cfg=cfg):  # nothing runs yet
        if args.cfg_options is not None:
            change_config(cfg, args.cfg_options)
        extractor = dict(checkpoint=args.recognizer_weights, max_gap=args.max_gap,
                         min_read=args.min_read)
        if args.recognizer:
            extractor = VideoFeatureExtractor(
                args.recognizer, args.recognizer_weights, args.clip_len, args.frame_interval,
                args.stride, args.fps, args.short_side, args.crop_size,
                device=args.device or 'cpu', max_gap=args.max_gap, min_read=args.min_read)
        check_formats(args.formats)
        inferencer = TALInferencer(model, args.checkpoint, args.device, extractor=extractor,
                                   show_progress=True)
        min_score, top = inferencer.limits(args.min_score, args.top)
    if args.min_score == 'auto':
        print(f'keeping detections of score {min_score:.3f} or more (best F1 in validation)')
    out = inferencer(
        args.inputs, batch_size=args.batch_size, min_score=min_score, top=top,
        annotations=args.annotations, videos=args.videos, skip_broken=args.skip_broken,
        duration=args.duration, fps=args.fps, stride=args.stride, window=args.window,
        out_file=str(out_dir / FORMATS['json']),
        picture_dir=str(out_dir / FORMATS['png']) if 'png' in args.formats else None)
    predictions = out['predictions']
    for prediction in predictions:
        best = prediction['detections'][:1]
        line = '; strongest: {label} {segment[0]:.2f} to {segment[1]:.2f} s, score {score:.3f}'
        print(f'{prediction["video_name"]}: {len(prediction["detections"])} detections'
              + (line.format(**{'label': 'proposal', **best[0]}) if best else ''))
    for remark in write_outputs(predictions, out_dir, args.formats, inferencer.classes,
                                args.annotations, min_score):
        print(remark)
    written = [path for name, path in FORMATS.items() if name in ('json', *args.formats)]
    print(f'wrote {", ".join(str(out_dir / path) for path in written)}')
    if out['broken']:
        raise TALDataError(out['broken'], 'videos left out')
