"""Draws the library as a whole, as docs/images/architecture.svg beside this script."""
from pathlib import Path

from svg import FAINT, LINE, PAPER, VIDEOS, Drawing, write_picture

HEIGHT = 820
#: Parts of a model by what a config calls them: what they do, and what can stand there.
PARTS = (
    ('data_preprocessor', ('a batch is one', 'table of rows,', 'nothing padded'), ()),
    ('backbone', ('to a pyramid of', 'ever longer steps'),
     ('GMG', 'SGP', 'ActionFormer', 'TemporalMaxer', 'LoGo', 'ConvPyramid')),
    ('neck', ('levels see', 'each other, or not'), ('IdentityNeck', 'FPN1D')),
    ('head', ('classes and', 'boundaries; losses'),
     ('CLTDRHead', 'TridentHead', 'ActionFormerHead', 'CLFFHead', 'ASLHead')),
    ('postprocessor', ('candidates to', 'detections'),
     ('SoftNMS', 'HardNMS', 'SegmentVoting', 'ExternalScores')),
    ('evaluator', ('mAP by the', "data's protocol"), ('TALMetric', 'ProposalMetric')),
)
#: What comes out: title, verb of ``cltdr`` and words.
RESULTS = (
    ('segments', 'infer', ('of new videos: JSON,', 'tables, subtitles,', 'labelled videos')),
    ('a page', 'report', ('truth and detections', 'beside the video, to', 'look at and correct')),
    ('measures', 'test', ('mAP, precision and', 'recall by class,', 'the best threshold')),
    ('errors', 'diagnose', ('wrong class, wrong', 'boundary, double,', 'missed; by length')),
    ('pictures', 'draw', ('timelines, curves', 'over tIoU and', 'of trainings')),
    ('a model file', 'export', ('ONNX at any length,', 'run without torch')),
)


def box(d, x, y, width, height, title, words, command=None):
    """A box with a title, a command below it if there is one, and lines of words."""
    d.rect(x, y, width, height, PAPER, LINE, 6)
    d.text(x + 12, y + 26, title, 16, bold=True)
    y += 26
    if command:
        d.text(x + 12, y + 23, command, 15, VIDEOS[0], code=True)
        y += 23
    d.lines(x + 12, y + 23, list(words), color=FAINT, size=15, step=19)


def draw_data(d, y):
    """From videos and labels to features, annotations and a config."""
    d.band(y, 262, 'your data', 'what is wrong with it is said before anything is trained')
    rows = (y + 48, y + 152)
    box(d, 58, rows[0], 170, 90, 'videos', ['any that FFmpeg', 'reads'])
    box(d, 58, rows[1], 170, 90, 'labels', ['a table, or of an', 'annotation tool'])
    box(d, 398, rows[0], 214, 90, 'features', ['a matrix (T, C) a video,', 'and how it was made'])
    box(d, 398, rows[1], 214, 90, 'annotations', ['segments in seconds,', 'classes, subsets'])
    for row, words in zip(rows, ('cltdr features', 'cltdr labels')):
        d.arrow(236, row + 45, 390, row + 45, [words])
    box(d, 700, y + 78, 200, 138, 'do they fit?',
        ['files, lengths, times,', 'classes; statistics', 'of the actions'], 'cltdr check')
    d.line(618, rows[0] + 45, 692, y + 130)
    d.line(618, rows[1] + 45, 692, y + 164)
    box(d, 954, y + 78, 188, 138, 'config',
        ['levels, ranges, length,', 'epochs, rate, each', 'with its reason'], 'cltdr init')
    d.line(906, y + 147, 946, y + 147)


def draw_model(d, y):
    """The parts of a model, and what each can be."""
    d.band(y, 282, 'model', "any part goes with any other, by name; cltdr train hands it to "
           "MMEngine's Runner")
    width, gap = 176, 13
    for number, (name, words, choices) in enumerate(PARTS):
        x = 40 + number * (width + gap)
        d.rect(x, y + 48, width, 216, PAPER, LINE, 6)
        d.text(x + 10, y + 72, name, 15, bold=True, code=True)
        d.lines(x + 10, y + 96, list(words), color=FAINT, size=15, step=19)
        d.lines(x + 10, y + 144, list(choices), size=15, step=20, code=True)
        if number:
            d.line(x - gap, y + 68, x - 1, y + 68)


def draw_results(d, y):
    """What a user gets."""
    d.band(y, 194, 'results', 'in seconds of the video')
    width, gap = 176, 13
    for number, (title, verb, words) in enumerate(RESULTS):
        box(d, 40 + number * (width + gap), y + 48, width, 128, title, words, f'cltdr {verb}')


def picture() -> str:
    """The whole picture."""
    d = Drawing(HEIGHT, 'From videos and labels to a model and its results')
    y = 20
    for draw, height in ((draw_data, 262), (draw_model, 282), (draw_results, 194)):
        draw(d, y)
        y += height + 22
        if draw is not draw_results:
            d.line(600, y - 21, 600, y - 3)
    return d.svg()


if __name__ == '__main__':
    write_picture(__doc__, picture, Path(__file__).with_name('architecture.svg'))
