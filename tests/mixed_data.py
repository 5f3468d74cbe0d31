"""One generated data set in two layouts, ours and MMAction2's; small models and Runners for it."""
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
SOFT_NMS = dict(soft_nms_alpha=0.4, soft_nms_low_threshold=0.5, soft_nms_high_threshold=0.9,
                post_process_top_k=50)
STOCK = dict(
    BMN=dict(type='BMN', temporal_dim=STEPS, boundary_ratio=0.5, num_samples=8,
             num_samples_per_bin=2, feat_dim=CHANNELS, hidden_dim_1d=32, hidden_dim_2d=8,
             hidden_dim_3d=16, **SOFT_NMS),
    TEM=dict(type='TEM', temporal_dim=STEPS, boundary_ratio=0.1, tem_feat_dim=CHANNELS,
             tem_hidden_dim=32, tem_match_threshold=0.5, conv3_ratio=1),
    TCANet=dict(type='TCANet', feat_dim=CHANNELS, se_sample_num=4, action_sample_num=8,
                temporal_dim=STEPS, window_size=5, lgte_num=1, **SOFT_NMS))
BACKBONE = dict(type='GMG', in_channels=CHANNELS, embed_dims=32, arch=(1, 1, 2), ffn_dims=48)
NMS = dict(type='TALPostProcessor', nms=dict(type='SoftNMS', sigma=0.4), max_per_video=100)
LOAD_THEIRS = dict(type='LoadLocalizationFeature')
LOAD = dict(type='LoadTALFeature')
PACK = dict(type='PackTALInputs')


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


def single_stage(num_classes=2):
    """One of our localizers."""
    return dict(
        type='SingleStageLocalizer', backbone=BACKBONE, neck=dict(type='IdentityNeck'),
        head=dict(type='CLTDRHead', num_classes=num_classes, num_bins=8), postprocessor=NMS)


def encoded(kind='TEM'):
    """The other, around one of MMAction2's."""
    width = {'tem_feat_dim' if kind == 'TEM' else 'feat_dim': 32}
    own = dict(type='TALPostProcessor', max_per_video=100)
    return dict(type='EncodedLocalizer', backbone=BACKBONE, neck=dict(type='IdentityNeck'),
                localizer=dict(STOCK[kind], **width), postprocessor=own if kind == 'BMN' else NMS)


def stock_pipeline(*proposals, length=STEPS, keys=('gt_bbox', 'proposals'), meta_keys=META_KEYS,
                   interval=16):
    """From our files to what MMAction2's localizers take."""
    resize = [dict(type='ResizeFeature', length=length)] if length else []
    return [LOAD, *resize, *proposals,
            dict(type='TALToActivityNet', interval=interval),
            dict(type='GenerateLocalizationLabels'),
            dict(type='PackLocalizationInputs', keys=keys, meta_keys=meta_keys)]
