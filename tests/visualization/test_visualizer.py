import types

import numpy as np
import pytest
import torch
from mmaction.registry import HOOKS, VISUALIZERS
from mmaction.structures import ActionDataSample
from mmengine.structures import InstanceData

import cltdr_mm  # noqa: F401
from cltdr_mm.structures import FeatureGrid
from cltdr_mm.utils import file_name
from cltdr_mm.visualization import timeline as module
from cltdr_mm.visualization.layout import NO_CLASS


def make_sample(name='v1', **meta):
    grid = FeatureGrid(fps=10.0, stride=5.0, window=10.0, num_steps=40)
    sample = ActionDataSample(metainfo=dict(video_name=name, duration=25.0, grid=grid, **meta))
    sample.gt_instances = InstanceData(segments=torch.tensor([[2.0, 9.0]]),
                                       labels=torch.tensor([1]))
    sample.pred_instances = InstanceData(
        segments=torch.tensor([[1.4, 5.2], [8.0, 9.0]], dtype=torch.float64),
        scores=torch.tensor([0.75, 0.25]), labels=torch.tensor([1, 0]))
    return sample


@pytest.fixture
def visualizer(tmp_path, request):
    built = VISUALIZERS.build(dict(
        type='TALVisualizer', name=f'visualizer-{request.node.name}', save_dir=str(tmp_path),
        vis_backends=[dict(type='LocalVisBackend')]))
    built.dataset_meta = dict(classes=('sit', 'stand'))
    return built


@pytest.fixture
def drawn(monkeypatch):
    """What was handed to draw_timeline, by its parameter names."""
    calls, real = [], module.draw_timeline

    def spy(ground_truth, predictions, classes, title, duration, score_thr, top_k, time_range,
            max_classes, signal):
        calls.append(dict(truth=ground_truth, found=predictions, classes=classes, title=title,
                          duration=duration, score_thr=score_thr, top_k=top_k, span=time_range))
        return real(ground_truth, predictions, classes, title, duration, score_thr, top_k,
                    time_range, max_classes, signal=signal)

    monkeypatch.setattr(module, 'draw_timeline', spy)
    return calls


def test_sample_is_drawn_in_seconds_and_stored(visualizer, drawn, tmp_path):
    picture = visualizer.add_datasample('v1', data_sample=make_sample(), step=3)
    assert picture.dtype == np.uint8 and picture.shape[1:] == (1600, 3) and picture.std() > 10
    # second = (step * 5 + 5) / 10
    np.testing.assert_allclose(drawn[0]['truth'].segments, [[1.5, 5.0]])
    np.testing.assert_allclose(drawn[0]['found'].segments, [[1.4, 5.2], [8.0, 9.0]])
    assert drawn[0]['classes'] == ('sit', 'stand') and drawn[0]['duration'] == 25.0
    assert [p.name for p in tmp_path.rglob('*.png')] == ['v1_3.png']
    np.testing.assert_array_equal(visualizer.get_image().shape[2], 3)


def test_out_file_bypasses_the_backends(visualizer, tmp_path, drawn):
    out_file = str(tmp_path / 'a' / 'b.png')
    visualizer.add_datasample('v1', data_sample=make_sample(), out_file=out_file,
                              draw_gt=False, score_thr=0.5, top_k=1)
    assert [p.name for p in tmp_path.rglob('*.png')] == ['b.png']
    assert drawn[0]['truth'] is None and drawn[0]['score_thr'] == 0.5 and drawn[0]['top_k'] == 1


def test_half_precision_and_windows(visualizer, drawn, tmp_path):
    sample = make_sample(window_index=1, num_windows=3)
    sample.set_metainfo(dict(grid=FeatureGrid(10.0, 5.0, 10.0, 20, start=10.0)))
    sample.pred_instances.scores = sample.pred_instances.scores.bfloat16()
    visualizer.add_datasample('v1', data_sample=sample, out_file=str(tmp_path / 'w.png'))
    assert drawn[0]['title'] == 'v1, window 2 of 3'
    np.testing.assert_allclose(drawn[0]['span'], [(9.5 * 5 + 5) / 10, (29.5 * 5 + 5) / 10])
    np.testing.assert_allclose(drawn[0]['found'].scores, [0.75, 0.25])


def test_proposals_have_a_row_of_their_own(visualizer, drawn):
    sample = make_sample()
    del sample.pred_instances.labels
    visualizer.add_datasample('v1', data_sample=sample)
    assert drawn[0]['truth'].labels.tolist() == [1]
    assert drawn[0]['found'].labels.tolist() == [NO_CLASS, NO_CLASS]
    # of a class-agnostic data set the ground truth has no class either
    sample.set_metainfo(dict(class_agnostic=True))
    visualizer.add_datasample('v1', data_sample=sample)
    assert drawn[1]['truth'].labels.tolist() == [NO_CLASS]
    assert sample.gt_instances.labels.tolist() == [1], 'the sample itself stays'


def test_what_cannot_be_drawn_is_said(visualizer):
    with pytest.raises(ValueError, match='v1: add_datasample needs'):
        visualizer.add_datasample('v1')
    sample = ActionDataSample(metainfo=dict(duration=5.0))
    sample.gt_instances = make_sample().gt_instances
    with pytest.raises(ValueError, match='has no grid'):
        visualizer.add_datasample('v1', data_sample=sample)


def make_runner(visualizer, epoch=2):
    return types.SimpleNamespace(visualizer=visualizer, epoch=epoch, iter=50,
                                 _train_loop=dict(by_epoch=True))


def test_hook_draws_every_nth_sample_across_batches(visualizer, tmp_path):
    hook = HOOKS.build(dict(type='TALVisualizationHook', interval=3, out_dir=str(tmp_path / 'o'),
                            max_samples=2))
    runner = make_runner(visualizer)
    for _ in range(2):
        hook.before_test_epoch(runner)
        for batch in range(5):
            hook.after_test_iter(runner, batch, None,
                                 [make_sample(f'a/b{2 * batch + i}') for i in range(2)])
        assert sorted(p.name for p in (tmp_path / 'o').iterdir()) == [
            file_name(f'a/b{i}', '.png') for i in (0, 3)]
    hook.before_val_epoch(runner)
    hook.after_val_iter(runner, 0, None, [make_sample('v')])
    assert (tmp_path / 'o' / 'v_2.png').stat().st_size > 5000
    with pytest.raises(ValueError, match='interval'):
        HOOKS.build(dict(type='TALVisualizationHook', interval=0))


def test_hook_uses_the_backends_without_a_folder(visualizer, tmp_path):
    hook = HOOKS.build(dict(type='TALVisualizationHook', interval=1))
    hook.before_test_epoch(None)
    hook.after_test_iter(make_runner(visualizer), 0, None,
                         [make_sample('v', num_windows=2, window_index=1)])
    assert [p.name for p in tmp_path.rglob('*.png')] == ['v_window1_0.png']


def test_names_of_pictures(visualizer, tmp_path):
    names = ['a/b', 'a:b', 'a_b', '../x', '/abs', 'x' * 300, 'a\0b']
    for out_dir in (str(tmp_path / 'o'), None):
        hook = HOOKS.build(dict(type='TALVisualizationHook', interval=1, out_dir=out_dir))
        hook.before_test_epoch(None)
        hook.after_test_iter(make_runner(visualizer), 0, None, [make_sample(n) for n in names])
    assert len(list((tmp_path / 'o').iterdir())) == len(names)
    assert len(list(tmp_path.rglob('*.png'))) == 2 * len(names), 'the back-end makes as many'
