"""Draws the way of the data through the rooms, as docs/images/data_way.svg.

    python docs/images/draw_data_way.py                    # writes the file beside this script
    python docs/images/draw_data_way.py --out OTHER.svg

Two videos of 9 and 5 steps, three levels: every row that is drawn is a row of the tables that the
models would make of them. Needs nothing but Python.
"""
from pathlib import Path

from svg import FAINT, LINE, PAPER, VIDEOS, Drawing, write_picture

STEPS = (9, 5)  # of video a and of video b
LEVELS = 3
GAP = 3
#: Rows of the table of all levels that the boundary towers run on, drawn as an example.
NEAR_POSITIVES = ((0, 0, range(1, 7)), (1, 1, range(0, 3)))  # (level, video, steps)

HEIGHT = 1294
GAP_FILL = '#e3e6ec'
ROW = 6  # pixels from row to row


def layout(lengths, levels=None):
    """(kind, level, video, step) of every row; kind is 'gap' or 'row'."""
    rows = [('gap', None, None, None)] * GAP
    for index, length in enumerate(lengths):
        level = 0 if levels is None else levels[index]
        rows += [('row', level, index % len(STEPS), step) for step in range(length)]
        rows += [('gap', None, None, None)] * GAP
    return rows


def lengths_of(level):
    """Steps of both videos on a level: half, rounded up, of those on the finer one."""
    return [-(-steps // 2**level) for steps in STEPS]


def stacked():
    """Rows of the table of all levels."""
    lengths = [length for level in range(LEVELS) for length in lengths_of(level)]
    return layout(lengths, [level for level in range(LEVELS) for _ in STEPS])


class TableDrawing(Drawing):
    """Draws rows of tables too."""

    def table(self, x, y, rows, width, shown=None):
        """Rows of a table; those that `shown` refuses are left empty."""
        for index, row in enumerate(rows):
            top = y + ROW * index
            kind, level, video, _ = row
            if kind == 'gap':
                self.rect(x, top, width, ROW - 1, GAP_FILL)
            elif shown is not None and not shown(row):
                self.rect(x + .5, top + .5, width - 1, ROW - 2, PAPER, LINE)
            else:
                self.rect(x, top, width, ROW - 1, VIDEOS[video], opacity=1 - 0.25 * level)


def draw_datasets(d, y):
    """From files to time-major sequences."""
    d.band(y, 216, 'datasets', 'one video at a time; time runs down, channels across')
    d.lines(58, y + 66, ['feature file (T, C)'], bold=True)
    for video, x in zip(range(2), (58, 142)):
        d.table(x, y + 82, [('row', 0, video, t) for t in range(STEPS[video])], 64)
        d.text(x + 32, y + 82 + ROW * STEPS[video] + 17, f'{"ab"[video]}: T = {STEPS[video]}', 15,
               FAINT, 'middle')
    d.lines(58, y + 180, ['annotation: segments', 'in seconds, labels'], color=FAINT, size=15)

    d.arrow(236, y + 118, 418, y + 118, ['LoadTALFeature', 'RandomCropFeature'])
    d.lines(436, y + 66, ['sample in the pipeline'], bold=True)
    d.lines(436, y + 92, ['rows', 'grid', 'gt_segments', 'gt_labels'], code=True)
    d.lines(554, y + 92, ['(T, C)', 'FeatureGrid', '(N, 2)', '(N,)'], code=True)
    d.lines(436, y + 180, ['segments are in grid steps from here on;',
                           'grid converts them, in both directions'], color=FAINT, size=15)

    d.arrow(680, y + 118, 804, y + 118, ['PackTALInputs'])
    d.lines(820, y + 66, ['what a model is handed, per video'], bold=True)
    d.lines(820, y + 92, ['inputs', 'data_samples'], code=True)
    d.lines(946, y + 92, ['TimeMajor, rows (T, C)', 'gt_instances, grid,', 'duration, video_name'],
            code=True)
    d.lines(820, y + 180, ['collated to lists of B; a plain tensor', 'would be (C, T)'],
            color=FAINT, size=15)


def draw_pyramid(d, y):
    """From sequences to a pyramid of tables."""
    d.band(y, 312, 'models', 'data_preprocessor, backbones, necks: a batch is one table of rows')
    top = y + 90
    first = layout(lengths_of(0))
    d.lines(58, y + 66, ['PackedRows (R, C)'], bold=True)
    d.table(58, top, first, 88)
    row = GAP * ROW
    d.text(154, top + 13, 'gap: 3 zero rows', 15, FAINT)
    d.text(154, top + row + 32, f'video a, {STEPS[0]} rows', 15, VIDEOS[0])
    row += (STEPS[0] + GAP) * ROW
    d.text(154, top + row + 20, f'video b, {STEPS[1]} rows', 15, VIDEOS[1])
    d.lines(58, top + ROW * len(first) + 24,
            [f'R = {len(first)}; the Layout says which rows', 'are whose. No padding, no mask;',
             'input noise in training'], color=FAINT, size=15, step=19)

    d.arrow(296, top + 76, 420, top + 76, ['embedding,', 'stem'])
    xs = (440, 590, 740)
    d.lines(440, y + 66, ['a table a level, width D'], bold=True)
    for level, x in enumerate(xs):
        rows = layout(lengths_of(level))
        d.table(x, top, [(kind, level if kind == 'row' else None, v, t)
                         for kind, _, v, t in rows], 80)
        d.text(x + 40, top + ROW * len(rows) + 17, f'level {level}, R = {len(rows)}', 15, FAINT,
               'middle')
        if level:
            d.arrow(x - 64, top + 76, x - 6, top + 76, ['block'])
    d.lines(440, top + ROW * len(first) + 47,
            ['each block halves the grid: T steps become ceil(T / 2).',
             'All levels are the same kind of table.'], color=FAINT, size=15,
            step=19)

    d.arrow(836, top + 76, 934, top + 76, ['neck'])
    d.lines(952, y + 66, ['the same tables,', ], bold=True)
    d.lines(952, y + 86, ['normalised per level'], bold=True)
    d.lines(952, top + 44, ['list of L PackedRows', '(R_l, D)'], code=True, size=15)
    d.lines(952, top + 98, ['Outside of the models', "it is MMAction2's way:",
                            'encoder(x, mask) on', '(B, C, T) answers with',
                            'levels (B, D, T_l).'], color=FAINT, size=15, step=19)


def draw_head(d, y):
    """From the pyramid to candidates."""
    d.band(y, 456, 'models/heads', 'all levels of all videos in one table: every tower runs once')
    top = y + 96
    rows = stacked()
    d.lines(58, y + 66, [f'one table (R, D), R = {len(rows)}'], bold=True)
    d.table(58, top, rows, 88)
    at = GAP
    middles = []
    for level in range(LEVELS):
        size = sum(lengths_of(level)) + GAP
        middle = top + ROW * (at + size / 2)
        middles.append(middle)
        d.line(152, top + ROW * at, 152, top + ROW * (at + size) - 2, FAINT, 2, head=False)
        d.text(160, middle + 5, f'level {level}', 15, FAINT)
        at += size + GAP
    d.text(58, top + ROW * len(rows) + 20, 'stack_rows', 15, FAINT)

    d.arrow(226, top + 110, 298, top + 110, ['fusion'])
    d.lines(330, y + 66, ['fused (R, D)'], bold=True)
    d.table(330, top, rows, 66)
    for one, other in ((1, 0), (2, 1)):  # the higher level to the lower one, and back
        a, b = middles[one] - 8, middles[other] + 8
        d.path(f'M402 {a:.0f}C422 {a:.0f} 422 {b:.0f} 402 {b:.0f}')
        d.path(f'M324 {b:.0f}C304 {b:.0f} 304 {a:.0f} 324 {a:.0f}')
    d.lines(330, top + ROW * len(rows) + 20, ['every level sees', 'its neighbours'],
            color=FAINT, size=15, step=18)

    d.arrow(436, top + 110, 510, top + 110, ['towers'])
    d.lines(526, y + 66, ['classes (R, K)'], bold=True)
    d.table(526, top, rows, 50)
    d.lines(526, top + ROW * len(rows) + 20, ['all rows,', 'always'], color=FAINT, size=15, step=18)

    near = {(level, video, step) for level, video, steps in NEAR_POSITIVES for step in steps}
    d.lines(690, y + 66, ['start, end, centre, offsets'], bold=True)
    d.table(690, top, rows, 50, shown=lambda row: row[1:] in near)
    d.table(790, top, rows, 50)
    d.lines(690, top + ROW * len(rows) + 20, ['training:', 'rows near', 'positives'], color=FAINT,
            size=15, step=18)
    d.lines(790, top + ROW * len(rows) + 20, ['inference:', 'all rows'], color=FAINT, size=15,
            step=18)
    d.text(633, top + 114, 'and', 15, FAINT, 'middle')
    d.text(765, top + 114, 'or', 15, FAINT, 'middle')

    d.arrow(856, top + 110, 930, top + 110, ['decode'])
    d.lines(948, y + 66, ['pairs (row, class)'], bold=True)
    d.lines(948, top + 8, ['Training: the positives of'], size=15)
    d.lines(948, top + 27, ['the assigner; distances', '(N, 2) in strides, compared',
                            'with gt_instances:'], size=15, step=19)
    d.lines(948, top + 90, ['loss_cls, loss_reg'], code=True, size=15)
    d.lines(948, top + 140, ['Inference: the best pairs', 'of each level of each video:'], size=15,
            step=19)
    d.lines(948, top + 184, ['candidates per video:', 'segments (M, 2) in', 'grid steps,',
                             'scores, labels'], code=True, size=15, step=19)


def draw_results(d, y):
    """From candidates to what a user sees."""
    d.band(y, 216, 'models/localizers, postprocessing, evaluation, visualization',
           'seconds from here on')
    top = y + 70
    d.lines(58, top, ['candidates'], bold=True)
    bars = ((0, 66, .35), (8, 60, .6), (14, 70, .45), (96, 40, .5), (100, 46, .9), (6, 64, .9))
    for index, (start, size, score) in enumerate(bars):
        d.rect(58 + start, top + 16 + 11 * index, size, 8, VIDEOS[0], opacity=score)
    d.lines(58, top + 104, ['grid steps, not clipped,', 'not suppressed'], color=FAINT, size=15,
            step=18)

    d.arrow(232, top + 46, 366, top + 46, ['grid.to_seconds', '(float64)'])
    d.lines(384, top, ['TALPostProcessor'], bold=True)
    d.lines(384, top + 26, ['NMS, voting, clipping to', 'the video, video-level',
                            'scores; one video at', 'a time, in seconds'], size=15, step=19)

    d.arrow(584, top + 46, 672, top + 46)
    d.lines(690, top, ['detections'], bold=True)
    for start, size, score in ((6, 64, .9), (100, 46, .9)):
        d.rect(690 + start, top + 16, size, 10, VIDEOS[0], opacity=score)
    d.line(690, top + 32, 846, top + 32, FAINT, 1.5, head=False)
    d.lines(690, top + 56, ['pred_instances:', 'segments (M, 2) in s,', 'scores, labels,',
                            'best first'], code=True, size=15, step=19)

    d.line(880, top + 40, 940, top + 14)
    d.line(880, top + 52, 940, top + 84)
    d.lines(952, top + 4, ['TALMetric'], bold=True)
    d.lines(952, top + 26, ['mAP and a result file;', 'reads the annotation itself'], size=15,
            step=19)
    d.lines(952, top + 86, ['TALVisualizer'], bold=True)
    d.lines(952, top + 108, ['timelines, curves'], size=15)


def picture() -> str:
    """The whole picture."""
    d = TableDrawing(HEIGHT, 'The way of the data through the rooms')
    y = 20
    for draw, height in ((draw_datasets, 216), (draw_pyramid, 312), (draw_head, 456),
                         (draw_results, 216)):
        draw(d, y)
        y += height + 18
        if draw is not draw_results:
            d.line(600, y - 17, 600, y - 3)
    return d.svg()


if __name__ == '__main__':
    write_picture(__doc__, picture, Path(__file__).with_name('data_way.svg'))
