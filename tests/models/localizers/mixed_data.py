"""One generated data set in two layouts, ours and MMAction2's, and Runners over it."""
import json
from itertools import count
from pathlib import Path

import numpy as np
from mmengine.config import Config
from mmengine.runner import Runner

from cltdr_mm.datasets.converters.synthetic import SyntheticSpec, make_synthetic
from cltdr_mm.datasets.transforms.resize import resample

STEPS, CHANNELS, CLASSES = 48, 16, ('action_00', 'action_01')
#: Videos of 64 to 128 steps, whose actions are easy to see.
SPEC = SyntheticSpec(
    num_train=16, num_test=6, num_classes=2, channels=CHANNELS, min_steps=64, max_steps=128,
    short=16, long=24, overlap=0, distractors=0, ambiguity=0.1, noise=0.2)
RUNS = count()
#: What MMAction2's configs pack.
META_KEYS = ('video_name', 'duration_second', 'duration_frame', 'annotations', 'feature_frame')


def make_mixed(folder: Path) -> Path:
    """Generate videos, and say the same in the files of MMAction2's ActivityNetDataset."""
    database = make_synthetic(str(folder), SPEC)
    (folder / 'csv').mkdir()
    for subset in ('train', 'test'):
        entries = {}
        for name, video in database.items():
            if video['subset'] != subset:
                continue
            rows = resample(np.load(folder / 'features' / f'{name}.npy'), STEPS)
            np.savetxt(folder / 'csv' / f'{name}.csv', rows, delimiter=',', comments='',
                       header=','.join(f'f{i}' for i in range(CHANNELS)))
            frames = round(video['duration'] * SPEC.fps)
            entries[name] = dict(
                duration_second=video['duration'], duration_frame=frames, feature_frame=frames,
                fps=SPEC.fps, annotations=[{k: a[k] for k in ('segment', 'label')}
                                           for a in video['annotations']])
        (folder / f'{subset}.json').write_text(json.dumps(entries))
    return folder


def tal_dataset(folder, subset, pipeline, **kwargs):
    """Config of our data set."""
    return dict(type='TALDataset', ann_file=str(folder / 'annotations.json'), subset=subset,
                data_prefix=dict(feats=str(folder / 'features')), feature_stride=SPEC.stride,
                feature_window=SPEC.window, pipeline=pipeline, test_mode=subset == 'test',
                **kwargs)


def anet_dataset(folder, subset, pipeline):
    """Config of MMAction2's."""
    return dict(type='ActivityNetDataset', ann_file=str(folder / f'{subset}.json'),
                data_prefix=dict(video=str(folder / 'csv')), pipeline=pipeline,
                test_mode=subset == 'test')


def tal_metric(folder, kind='TALMetric', **kwargs):
    """Config of one of our metrics."""
    return dict(type=kind, ann_file=str(folder / 'annotations.json'), protocol='custom',
                subset='test', **kwargs)


def anet_metric(folder):
    """Config of MMAction2's."""
    return dict(type='ANetMetric', metric_type='AR@AN', prefix='anet',
                dump_config=dict(out=str(folder / 'results.json'), output_format='json'))


def runner(folder, model, train, test, metrics, epochs=10, lr=2e-3, batches=(4, 1)):
    """MMEngine's Runner with the checks before a run, and nothing else of ours."""
    train_batch, test_batch = batches
    return Runner.from_cfg(Config(dict(
        model=model, default_scope='mmaction', work_dir=str(folder / 'work'),
        train_dataloader=dict(batch_size=train_batch, num_workers=0, dataset=train,
                              sampler=dict(type='DefaultSampler', shuffle=True)),
        test_dataloader=dict(batch_size=test_batch, num_workers=0, dataset=test,
                             sampler=dict(type='DefaultSampler', shuffle=False)),
        train_cfg=dict(type='EpochBasedTrainLoop', max_epochs=epochs),
        optim_wrapper=dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=lr)),
        test_cfg=dict(type='TestLoop'), test_evaluator=metrics,
        default_hooks=dict(checkpoint=None), custom_hooks=[dict(type='SetupCheckHook')],
        experiment_name=f'mixed-{next(RUNS)}',
        randomness=dict(seed=0), log_level='WARNING')))
