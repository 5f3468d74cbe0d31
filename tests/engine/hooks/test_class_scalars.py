"""Numbers of each class in the log of scalars, and nowhere else."""
import json
from pathlib import Path

import pytest
from mmaction.registry import METRICS


@pytest.fixture
def metric(toy_runner):
    """Name of a metric that knows something of two classes."""
    from toy import ToyMetric

    @METRICS.register_module(force=True)
    class MetricOfClasses(ToyMetric):
        of_classes = {'AP/run': 0.25, 'AP/sit': 0.5}

    return MetricOfClasses.__name__


@pytest.mark.parametrize('by_epoch, steps', [(True, [1, 2]), (False, [5, 10])])
def test_each_class_is_logged(toy_runner, metric, by_epoch, steps):
    runner = toy_runner(epochs=2, val_evaluator=dict(type=metric), default_hooks=dict(
        logger=dict(log_metric_by_epoch=by_epoch)))
    runner.train()
    path, = Path(runner.work_dir).glob('*/vis_data/scalars.json')
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    found = [line for line in lines if 'AP/run' in line]
    assert found == [{'AP/run': 0.25, 'AP/sit': 0.5, 'step': step} for step in steps]
    assert [line['step'] for line in lines if 'average_mAP' in line] == steps
    assert 'average_mAP' in lines[-1]  # the numbers of all come last
    assert not any('AP/run' in name for name in runner.message_hub.log_scalars)
