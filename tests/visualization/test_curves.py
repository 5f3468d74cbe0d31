import json

import numpy as np
import pytest

from cltdr_mm.utils import TALDataError
from cltdr_mm.visualization import draw_map_curves, draw_training_curves, load_metrics, load_scalars


def test_map_curves_are_in_percent_and_named_with_their_average():
    figure = draw_map_curves({'ours': {0.5: 0.4, 0.3: 0.6}, 'b': {0.3: 0.1, 0.5: 0.2}}, 'T')
    lines = figure.axes[0].get_lines()
    np.testing.assert_allclose(lines[0].get_xdata(), [0.3, 0.5])
    np.testing.assert_allclose(lines[0].get_ydata(), [60, 40])
    assert [line.get_label() for line in lines] == ['ours (average 50.0)', 'b (average 15.0)']
    assert lines[0].get_color() != lines[1].get_color()
    assert lines[0].get_linestyle() != lines[1].get_linestyle()
    assert figure.axes[0].get_ylim() == (0, pytest.approx(63.6))
    for empty in ({}, {'a': {}}):
        with pytest.raises(ValueError, match='no curve'):
            draw_map_curves(empty)


def test_metrics_file(tmp_path):
    path = tmp_path / 'metrics.json'
    path.write_text(json.dumps({'mAP': {'0.3': 0.5, '0.7': 0.1}, 'average_mAP': 0.3}))
    assert load_metrics(path) == {0.3: 0.5, 0.7: 0.1}
    for text in ('{', '{"average_mAP": 1}', '{"mAP": [1]}', '[]'):
        path.write_text(text)
        with pytest.raises(TALDataError, match='metrics.json: (mAP: must be an object|file: )'):
            load_metrics(path)


@pytest.mark.parametrize('curves', [
    {'a': {0.3: 0.955, 0.5: 0.95, 0.7: 0.86}},
    {'a': {0.3: 0.6, 0.5: 0.3, 0.7: 0.01}, 'b': {0.3: 0.4, 0.5: 0.2, 0.7: 0.0}}])
def test_the_legend_lies_where_the_curves_do_not(curves):
    figure = draw_map_curves(curves)
    figure.canvas.draw()
    axes = figure.axes[0]
    box = axes.get_legend().get_window_extent()
    for line in axes.get_lines():
        points = axes.transData.transform(line.get_xydata())
        assert not ((box.x0 < points[:, 0]) & (points[:, 0] < box.x1)
                    & (box.y0 < points[:, 1]) & (points[:, 1] < box.y1)).any()
        assert points[:, 1].max() < axes.get_window_extent().y1 - 4  # half a marker


def test_a_title_takes_room_only_where_there_is_one():
    curves = {'a': {0.3: 0.9, 0.7: 0.8}}
    heights = [draw_map_curves(curves, title).get_size_inches()[1] for title in ('', 'T')]
    assert heights[0] < heights[1]
    figure = draw_map_curves(curves)
    figure.canvas.draw()
    assert figure.bbox.y1 - figure.axes[0].get_window_extent().y1 < 0.4 * figure.dpi


@pytest.fixture
def run_folder(tmp_path):
    lines = [dict(lr=1e-3 / i, loss=10.0 / i, time=0.1, iter=i, step=i) for i in range(1, 201)]
    lines += [dict(average_mAP=0.1 * e, step=e) for e in (1, 2, 3)]
    path = tmp_path / '2026' / 'vis_data' / 'scalars.json'
    path.parent.mkdir(parents=True)
    path.write_text('\n'.join(map(json.dumps, lines)) + '\n')
    return tmp_path


def test_training_curves(run_folder):
    scalars = load_scalars(run_folder)
    assert scalars['loss'][0].tolist() == list(range(1, 201))
    assert scalars['average_mAP'][0].tolist() == [1, 2, 3]
    figure = draw_training_curves({'a': scalars, 'b': scalars}, title='T')
    assert [a.get_label() for a in figure.axes] == ['loss', 'lr', 'average_mAP']
    by_name = {a.get_label(): a for a in figure.axes}
    assert by_name['loss'].get_yscale() == 'log' and by_name['lr'].get_yscale() == 'linear'
    smooth = by_name['loss'].get_lines()[1]
    values = scalars['loss'][1]
    np.testing.assert_allclose(smooth.get_ydata()[0], values[:4].mean())
    assert len(smooth.get_ydata()) == 197
    assert len(by_name['lr'].get_lines()) == 2
    assert by_name['average_mAP'].get_xlabel() == 'epoch'
    np.testing.assert_allclose(by_name['average_mAP'].get_lines()[0].get_ydata(), [10, 20, 30])
    assert [a.get_title(loc='left') for a in figure.axes] == [
        'loss', 'learning rate', 'average mAP (%)']
    with pytest.raises(ValueError, match=r"none of \['x'\] was logged; there are .*'loss'"):
        draw_training_curves({'a': scalars}, ['x'])


def test_scalars_in_groups():
    """Names of back-ends that show scalars in groups."""
    scalars = {'val/mAP@0.50': (np.array([1, 2]), np.array([0.1, 0.2])),
               'train/loss_cls': (np.arange(3), np.array([20.0, 2.0, 1.0]))}
    figure = draw_training_curves({'a': scalars}, list(scalars))
    np.testing.assert_allclose(figure.axes[0].get_lines()[0].get_ydata(), [10, 20])
    assert figure.axes[0].get_title(loc='left') == 'val/mAP@0.50 (%)'
    assert figure.axes[1].get_yscale() == 'log'


@pytest.mark.parametrize('name, percent', [
    ('AP/run', True), ('recall@1x@0.5', True), ('f1', True), ('val/F1/precision', True),
    ('f1_threshold', False), ('num_pos', False)])
def test_what_is_in_percent(name, percent):
    scalars = {name: (np.arange(3), np.array([0.25, 0.5, 0.75]))}
    axes, = draw_training_curves({'a': scalars}, [name]).axes
    assert axes.get_lines()[0].get_ydata().tolist() == (
        [25, 50, 75] if percent else [0.25, 0.5, 0.75])
    assert axes.get_title(loc='left').endswith(' (%)') == percent
    assert axes.get_xlabel() == ('epoch' if percent else 'iteration')


def test_bad_scalar_files(run_folder, tmp_path):
    file = next(run_folder.rglob('scalars.json'))
    file.write_text('{"loss": 1, "step": 1}\n{"loss"')
    with pytest.raises(ValueError, match='line 2: is no JSON'):
        load_scalars(file)
    (tmp_path / 'empty').mkdir()
    with pytest.raises(FileNotFoundError, match='no vis_data/scalars.json'):
        load_scalars(tmp_path / 'empty')


@pytest.mark.parametrize('text, words', [
    (b'{"mAP": {"0.5": NaN}}', 'mAP: at tIoU .0.5.: must be finite'),
    (b'{"mAP": {"x": 0.5}}', 'mAP: at tIoU .x.: the threshold is no number'),
    (b'{"mAP": {"nan": 0.5}}', 'mAP: at tIoU .nan.: must be finite'),
    (b'{"mAP": {"0.5": 1%s}}' % (b'0' * 400), 'mAP: .*: must be finite'),
    (b'{"mAP": {"0.5": true}}', 'mAP: .*: must be a number, got bool'),
    (b'[' * 100_000, 'file: is not valid JSON'),
    (b'\xff\xff', 'file: cannot be read'),
])
def test_metrics_that_are_no_numbers(tmp_path, text, words):
    (tmp_path / 'metrics.json').write_bytes(text)
    with pytest.raises(TALDataError, match=rf'metrics\.json: {words}'):
        load_metrics(tmp_path / 'metrics.json')


@pytest.mark.parametrize('line, words', [
    (b'[1]', 'is no JSON object'), (b'[' * 100_000, 'is no JSON object'),
    (b'\xff', 'is no JSON object'), (b'{"loss": 1, "step": "x"}', 'step must be a number'),
    (b'{"loss": 1, "step": NaN}', 'step must be finite'),
    (b'{"loss": 1, "step": 1%s}' % (b'0' * 30), 'step is too large'),
    (b'{"loss": 1%s, "step": 1}' % (b'0' * 400), 'loss must be finite'),
])
def test_scalars_that_are_no_numbers(tmp_path, line, words):
    (tmp_path / 'scalars.json').write_bytes(b'{"loss": 1, "step": 1}\n' + line)
    with pytest.raises(TALDataError, match=rf'scalars\.json: line 2: {words}'):
        load_scalars(tmp_path / 'scalars.json')


def test_a_logged_nan_stays(tmp_path):
    (tmp_path / 'scalars.json').write_text('{"loss": NaN, "step": 7, "name": "x", "ok": true}\n')
    scalars = load_scalars(tmp_path / 'scalars.json')
    assert list(scalars) == ['loss'] and scalars['loss'][0].tolist() == [7]
    assert np.isnan(scalars['loss'][1]).all()
