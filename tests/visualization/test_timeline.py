import numpy as np
import pytest
from matplotlib.colors import to_rgba

from cltdr_mm.visualization import Instances, Track, draw_timeline, save_figure
from cltdr_mm.visualization.layout import NO_CLASS
from cltdr_mm.visualization.style import GROUND_TRUTH, SCORE_CMAP, clock, figure_to_rgb


def bars(figure, gid):
    """Vertices' bounding boxes of all bars with a gid: (x0, y0, x1, y1), and their colours."""
    axes = next(a for a in figure.axes if a.get_label() == 'rows')
    boxes, colors = [], []
    for collection in axes.collections:
        if collection.get_gid() == gid:
            for i, path in enumerate(collection.get_paths()):
                boxes.append(path.get_extents().extents)
                faces = collection.get_facecolor()
                colors.append(tuple(faces[i % len(faces)]))
    return np.array(boxes).reshape(-1, 4), colors


def texts_that_overlap(figure):
    """Pairs of texts of a figure whose drawn boxes meet."""
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    texts = list(figure.texts)
    for axes in figure.axes:
        texts += [*axes.texts, axes.xaxis.label, axes.yaxis.label]
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            texts += [t.label1 for t in axis.get_major_ticks() if low <= t.get_loc() <= high]
    found = [(t.get_text(), t.get_window_extent(renderer)) for t in texts
             if t.get_visible() and t.get_text().strip()]
    assert len(found) > 4
    inside = figure.bbox
    for text, box in found:
        assert box.x0 >= inside.x0 - 1 and box.x1 <= inside.x1 + 1, f'{text} leaves the picture'
        assert box.y0 >= inside.y0 - 1 and box.y1 <= inside.y1 + 1, f'{text} leaves the picture'
    return [(a, b) for i, (a, x) in enumerate(found) for b, y in found[:i]
            if x.x0 < y.x1 and y.x0 < x.x1 and x.y0 < y.y1 and y.y0 < x.y1]


@pytest.fixture
def video():
    truth = Instances([[10, 20], [15, 30], [50, 60]], [0, 0, 1])
    found = Instances([[11, 19], [12, 18], [52, 61], [70, 75]], [0, 0, 1, 2], [.9, .2, .5, .1])
    return truth, found


def test_instances_without_a_class_are_proposals(video):
    truth, found = video
    found.labels[:] = NO_CLASS
    figure = draw_timeline(truth, found, ['jump', 'run', 'sit'], 'v', 100.0)
    assert len(bars(figure, 'prediction:proposal')[0]) == 4
    assert len(bars(figure, 'truth:run')[0]) == 1 and len(bars(figure, 'prediction:run')[0]) == 0
    names = [t.get_text() for t in figure.axes[0].get_yticklabels()]
    assert names == ['jump', 'run', 'proposal', 'background']


def test_one_bar_per_instance_at_its_seconds(video):
    figure = draw_timeline(*video, ['jump', 'run', 'sit'], 'v', 100.0)
    boxes, colors = bars(figure, 'truth:jump')
    assert sorted(map(tuple, boxes[:, [0, 2]])) == [(10, 20), (15, 30)]
    assert boxes[0, 1] != boxes[1, 1], 'overlapping instances share a lane'
    assert set(colors) == {to_rgba(GROUND_TRUTH)}
    assert bars(figure, 'truth:run')[0][:, [0, 2]].tolist() == [[50, 60]]
    for name, number in (('jump', 2), ('run', 1), ('sit', 1)):
        assert len(bars(figure, f'prediction:{name}')[0]) == number
    gaps = bars(figure, 'truth:background')[0][:, [0, 2]]
    assert gaps.tolist() == [[0, 10], [30, 50], [60, 100]]


def test_score_is_colour_and_strong_detections_lie_on_top(video):
    figure = draw_timeline(*video, ['jump', 'run', 'sit'], 'v', 100.0)
    boxes, colors = bars(figure, 'prediction:jump')
    by_start = {box[0]: (box[1], color) for box, color in zip(boxes, colors)}
    assert by_start[11][0] < by_start[12][0], 'the y axis points down: the stronger is above'
    np.testing.assert_allclose(by_start[11][1], SCORE_CMAP(0.9))
    np.testing.assert_allclose(by_start[12][1], SCORE_CMAP(0.2))
    assert sum(by_start[11][1][:3]) < sum(by_start[12][1][:3]), 'stronger must be darker'


def test_scores_a_fifth_apart_can_be_told_apart():
    """By the distance in CIELAB: 2.3 is just noticeable side by side, small bars need more."""
    import cv2
    colors = SCORE_CMAP(np.linspace(0, 1, 51))[None, :, :3].astype(np.float32)
    lab = cv2.cvtColor(colors, cv2.COLOR_RGB2LAB)[0]
    apart = np.linalg.norm(lab[10:] - lab[:-10], axis=1)  # from 0 and 0.2 to 0.8 and 1
    assert apart.min() > 16 and apart[10:31].min() > 24
    assert (np.diff(lab[:, 0]) < 0).all(), 'darker with every step, in grey too'
    assert lab[0, 0] < 92, 'the weakest is seen on white'


def test_labels_and_counts(video):
    figure = draw_timeline(*video, ['jump', 'run'], 'clip_7', 100.0, score_thr=0.15)
    axes = next(a for a in figure.axes if a.get_label() == 'rows')
    assert [t.get_text() for t in axes.get_yticklabels()] == ['jump', 'run', 'background']
    words = [t.get_text() for t in figure.texts]
    assert 'clip_7' in words
    assert '3 annotated instances, 3 of 4 detections shown (score ≥ 0.15)' in words
    unnamed = draw_timeline(*video, ['jump', 'run'], 'clip_7', 100.0)
    axes = next(a for a in unnamed.axes if a.get_label() == 'rows')
    assert 'class 2' in [t.get_text() for t in axes.get_yticklabels()]


def test_top_k_and_time_range(video):
    figure = draw_timeline(*video, ['a', 'b', 'c'], '', 100.0, top_k=1)
    assert sum(len(bars(figure, f'prediction:{c}')[0]) for c in 'abc') == 1
    figure = draw_timeline(*video, ['a', 'b', 'c'], '', 100.0, time_range=(18, 55))
    assert bars(figure, 'truth:a')[0][:, [0, 2]].tolist() == [[18, 20], [18, 30]]
    axes = next(a for a in figure.axes if a.get_label() == 'rows')
    assert axes.get_xlim() == (18, 55)


def test_rare_classes_share_a_row_and_nothing_is_lost():
    rng = np.random.default_rng(0)
    starts = rng.uniform(0, 3000, 500)
    labels = rng.zipf(1.5, 500) % 300
    truth = Instances(np.c_[starts, starts + rng.exponential(4, 500)], labels)
    names = [f'noun {i}' for i in range(300)]
    figure = draw_timeline(truth, None, names, 'P01_01', 3010.0, max_classes=10)
    axes = next(a for a in figure.axes if a.get_label() == 'rows')
    rows = [t.get_text() for t in axes.get_yticklabels()]
    others = len(set(labels)) - 10
    assert len(rows) == 12 and rows[-2] == f'{others} other classes'
    assert sum(len(bars(figure, f'truth:{row}')[0]) for row in rows[:-1]) == 500
    assert not texts_that_overlap(figure)


def test_short_segments_of_a_long_video_can_be_seen():
    figure = draw_timeline(Instances([[3600, 3600.2]], [0]), None, ['blink'], 'v', 7200.0)
    box = bars(figure, 'truth:blink')[0][0]
    axes = next(a for a in figure.axes if a.get_label() == 'rows')
    pixels = axes.transData.transform([[box[0], 0], [box[2], 0]])[:, 0]
    assert 1.5 < pixels[1] - pixels[0] < 4


@pytest.mark.parametrize('duration', [3.0, 30.0, 119.0, 600.0, 7200.0, 40000.0, 400000.0])
@pytest.mark.parametrize('label', [
    'a', 'a $5 label of many long words that never seems to end ' * 2,
    'OneVeryLongLabelWithoutAnySpaceInItThatCannotBeWrappedAtAll'])
def test_no_text_overlaps_or_leaves_the_picture(duration, label):
    truth = Instances([[0.1 * duration, 0.3 * duration]] * 2, [0, 1])
    found = Instances([[0, duration]], [1], [0.003])
    figure = draw_timeline(truth, found, [label, 'b'], 'a_video_name_' * 12, duration,
                           signal=Track([0, duration], [0, 1], 'acceleration (m/s²)'))
    assert not texts_that_overlap(figure)
    axes = next(a for a in figure.axes if a.get_label() == 'signal')
    labels = [t.get_text() for t in axes.get_xticklabels()]
    assert 3 <= len(labels) <= 15


def test_signal_and_step_scores_are_drawn(video):
    times = np.linspace(0, 100, 5000)
    steps = np.tile(np.linspace(0, 1, 5000)[:, None], (1, 3))
    plain = draw_timeline(*video, ['a', 'b', 'c'], 'v', 100.0)
    figure = draw_timeline(*video, ['a', 'b', 'c'], 'v', 100.0,
                           signal=Track(times, np.sin(times), 'g'), step_scores=(times, steps))
    axes = {a.get_label(): a for a in figure.axes}
    assert axes['signal'].get_xlim() == axes['rows'].get_xlim() == (0, 100)
    assert {'steps:a', 'steps:b', 'steps:c'} <= {c.get_gid() for c in axes['rows'].collections}
    assert figure.get_size_inches()[1] > plain.get_size_inches()[1]


def test_empty_videos_and_bad_input(video):
    nothing = draw_timeline(Instances(np.empty((0, 2)), []), None, ['a'], 'v', 10.0)
    assert bars(nothing, 'truth:background')[0][:, [0, 2]].tolist() == [[0, 10]]
    with pytest.raises(ValueError, match='v: no time to show'):
        draw_timeline(None, None, ['a'], 'v')
    with pytest.raises(ValueError, match='have no scores'):
        draw_timeline(None, video[0], ['a'], 'v', 10.0)
    with pytest.raises(ValueError, match='2 times, 1 values'):
        Track([0, 1], [0])


@pytest.mark.parametrize('seconds, step, span, text', [
    (5, 5, 30, '5'), (0.5, 0.5, 3, '0.5'), (75, 15, 300, '1:15'), (3600, 900, 7200, '60:00'),
    (5400, 900, 9000, '1:30'), (59.999999, 15, 300, '1:00'), (7230, 30, 7300, '2:00:30')])
def test_clock(seconds, step, span, text):
    assert clock(seconds, step, span) == text


def test_file_has_the_right_size_and_is_whole_or_absent(video, tmp_path, monkeypatch):
    figure = draw_timeline(*video, ['a', 'b', 'c'], 'v', 100.0)
    path = save_figure(figure, tmp_path / 'new' / 'v.png')
    import cv2
    picture = cv2.imread(str(path))
    width, height = figure.get_size_inches()
    assert picture.shape[1] == 1600 and abs(picture.shape[0] - height * 160) <= 1
    assert picture.std() > 10
    np.testing.assert_array_equal(picture[..., ::-1].shape, figure_to_rgb(figure).shape)
    assert [p.name for p in path.parent.iterdir()] == ['v.png']

    before = path.read_bytes()

    def broken(part, **kwargs):
        with open(part, 'wb') as file:
            file.write(b'half')
        raise OSError('disk full')

    monkeypatch.setattr(figure, 'savefig', broken)
    with pytest.raises(OSError, match='disk full'):
        save_figure(figure, path)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ['v.png']
    with pytest.raises(ValueError, match='no picture format'):
        save_figure(figure, tmp_path / 'v.gifx')


def test_no_display_and_no_global_state(video, monkeypatch):
    monkeypatch.delenv('DISPLAY', raising=False)
    import sys
    pyplot = sys.modules.get('matplotlib.pyplot')
    before = list(pyplot.get_fignums()) if pyplot else []
    figure_to_rgb(draw_timeline(*video, ['a', 'b', 'c'], 'v', 100.0))
    assert (list(pyplot.get_fignums()) if pyplot else []) == before


def test_a_stretch_behind_the_end(video):
    truth, found = video
    with pytest.raises(ValueError, match='no time to show from 100 s on: the video ends at 60 s'):
        draw_timeline(truth, found, duration=60., time_range=(100, 200))
