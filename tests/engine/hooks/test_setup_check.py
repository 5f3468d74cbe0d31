from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmaction.registry import HOOKS

from cltdr_mm.datasets import TALDataError
from cltdr_mm.structures import TimeMajor


class Videos:
    """As much of a data set as the hook looks at."""

    ann_file = 'ann.json'

    def __init__(self, labels=(0, 1), channels=4, classes=('run', 'jump'), time_major=False):
        self.labels, self.channels, self.time_major = labels, channels, time_major
        self.metainfo = dict(classes=classes)

    def __len__(self):
        return len(self.labels)

    def get_data_info(self, i):
        return dict(video_name=f'v{i}', gt_labels=np.array([self.labels[i]]))

    def __getitem__(self, i):
        inputs = torch.zeros(self.channels, 7)
        return dict(inputs=TimeMajor(inputs.t()) if self.time_major else inputs)


class Metric:
    def __init__(self):
        self.asked = []

    def check_videos(self, names):
        self.asked.append(names)


def runner(dataset, num_classes=2, fusion=None):
    loop = SimpleNamespace(dataloader=SimpleNamespace(dataset=dataset),
                           evaluator=SimpleNamespace(metrics=[Metric(), object()]))
    model = SimpleNamespace(
        head=SimpleNamespace(num_classes=num_classes), backbone=SimpleNamespace(in_channels=4),
        postprocessor=SimpleNamespace(fusion=fusion))
    return SimpleNamespace(model=model, train_loop=loop, val_loop=loop, test_loop=loop)


@pytest.mark.parametrize('stage', ['before_train', 'before_val', 'before_test'])
@pytest.mark.parametrize('wrong, message', [
    (dict(dataset=Videos(channels=6)),
     'ann.json: channels: features have 6 channels, but model.backbone.in_channels is 4'),
    (dict(dataset=Videos(channels=6, time_major=True)), 'channels: features have 6 channels, but'),
    (dict(dataset=Videos(labels=(0, 2))),
     'ann.json: label: there are labels up to 2, but model.head.num_classes is 2'),
    (dict(dataset=Videos(), num_classes=20),
     'ann.json: classes: there are 2, but model.head.num_classes is 20'),
])
def test_what_does_not_fit_stops_the_run(stage, wrong, message):
    with pytest.raises(TALDataError, match=message):
        getattr(HOOKS.build(dict(type='SetupCheckHook')), stage)(runner(**wrong))


@pytest.mark.parametrize('fits', [
    dict(dataset=Videos()), dict(dataset=Videos(time_major=True)),
    dict(dataset=Videos(), num_classes=20, fusion=object()),
    dict(dataset=Videos(labels=(0, 0)), num_classes=1), dict(dataset=Videos(labels=())),
    dict(dataset=Videos(classes=None), num_classes=20),
])
def test_what_fits_passes_and_metrics_are_asked_once(fits):
    run = runner(**fits)
    hook = HOOKS.build(dict(type='SetupCheckHook'))
    for _ in range(3):
        hook.before_train(run)
        hook.before_val(run)
    metric = run.val_loop.evaluator.metrics[0]
    assert metric.asked == [[f'v{i}' for i in range(len(fits['dataset']))]]


def test_strangers_are_not_asked():
    run = runner(Videos())
    run.model = SimpleNamespace()
    run.train_loop = SimpleNamespace(dataloader=SimpleNamespace(dataset=[1, 2]))
    run.val_loop = None
    HOOKS.build(dict(type='SetupCheckHook')).before_train(run)
