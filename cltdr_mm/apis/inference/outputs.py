"""What an inference leaves in its folder besides the result file."""
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Optional

from ...datasets.labels import VideoFacts, labels_to_csv
from ...datasets.videos.video_frames import import_av
from ...utils import file_name
from ...visualization.subtitles import write_subtitles
from .labelled_video import write_labelled_video
from .reports import write_report

RESULTS = 'results.json'
#: By name, what there is; the result file is always written.
FORMATS = dict(json='results.json', csv='results.csv', png='pictures/', srt='subtitles/',
               video='videos/', html='report.html')


def check_formats(formats: Sequence[str]) -> None:
    """Find out before the work whether the formats can be written.

    Args:
        formats (Sequence[str]): Of ``FORMATS``.

    Raises:
        ImportError: If a package is missing.
        ValueError: If a format is unknown.
    """
    unknown = sorted(set(formats) - set(FORMATS))
    if unknown:
        raise ValueError(f'formats must be of {", ".join(FORMATS)}, got {", ".join(unknown)}')
    if 'video' in formats:
        import_av()
    if 'html' in formats and find_spec('plotly') is None:
        raise ImportError('a report is drawn by plotly: pip install "cltdr-mm[report]"')


def write_outputs(predictions: Sequence[dict], out_dir: str, formats: Sequence[str],
                  classes: Sequence[str] = (), annotations: Optional[str] = None,
                  min_score: Optional[float] = None) -> list[str]:
    """Write tables, subtitles, labelled videos and the report of predictions.

    Args:
        predictions (Sequence[dict]): Of :class:`.TALInferencer`.
        out_dir (str): Folder that holds their result file, ``results.json``.
        formats (Sequence[str]): Of ``FORMATS``; ``'json'`` and ``'png'`` are the inferencer's.
        classes (Sequence[str]): Class names, in the order of their colours. Defaults to none.
        annotations (str, optional): Annotation file with labels for the report. Defaults to None.
        min_score (float, optional): Where the slider of the report stands. Defaults to None.

    Returns:
        list[str]: Remarks on what could not be written.

    Raises:
        ImportError: If a package is missing.
        ValueError: If a file cannot be used, or written.
    """
    folder, remarks = Path(out_dir), []
    videos = {p['video_name']: p['video'] for p in predictions if p.get('video')}
    if 'csv' in formats:
        labels_to_csv(folder / RESULTS, folder / FORMATS['csv'])
    if 'srt' in formats:
        for prediction in predictions:
            write_subtitles(folder / FORMATS['srt'] / file_name(prediction['video_name'], '.srt'),
                            prediction['detections'])
    if 'video' in formats:
        silent = [prediction['video_name'] for prediction in predictions
                  if prediction['video_name'] in videos and not write_labelled_video(
                      videos[prediction['video_name']],
                      folder / FORMATS['video'] / file_name(prediction['video_name'], '.mp4'),
                      prediction['detections'], classes)]
        if silent:
            remarks.append(f'sound of {len(silent)} videos is of a format that MP4 does not take, '
                           f'such as of {silent[0]!r}: they are without it')
        if len(videos) < len(predictions):
            remarks.append(f'{len(predictions) - len(videos)} of {len(predictions)} inputs have no '
                           'video to draw on')
    if 'html' in formats:
        facts = {p['video_name']: VideoFacts(p['duration'], p['fps']) for p in predictions}
        remarks += write_report(folder / RESULTS, folder / FORMATS['html'], annotations, videos,
                                facts, min_score)
    return remarks
