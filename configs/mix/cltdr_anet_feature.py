# CLTDR-GMG on MMAction2's own ActivityNet-1.3: its data set, its 400 x 100 features, its metric
_base_ = [
    '../_base_/models/cltdr_gmg_anet.py', '../_base_/schedules/adamw_cosine.py',
    '../_base_/default_runtime.py'
]
# ANetMetric judges proposals: no classes of whole videos
model = dict(
    backbone=dict(in_channels=400), postprocessor=dict(fusion=None, max_per_video=100))

data_root = 'data/ActivityNet/'
pipeline = [
    dict(type='LoadLocalizationFeature'),
    dict(type='ActivityNetToTAL'),
    dict(type='PackTALInputs'),
]
features = dict(
    type='ActivityNetDataset',
    data_prefix=dict(video=data_root + 'activitynet_feature_cuhk/csv_mean_100'),
    pipeline=pipeline)
train_dataloader = dict(
    batch_size=16,
    num_workers=4,
    worker_init_fn=dict(type='tal_seed_worker'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(ann_file=data_root + 'anet_anno_train.json', **features))
val_dataloader = dict(
    batch_size=16,
    num_workers=4,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(ann_file=data_root + 'anet_anno_val.json', test_mode=True, **features))
test_dataloader = val_dataloader
val_evaluator = dict(
    type='ANetMetric',
    metric_type='AR@AN',
    dump_config=dict(out='work_dirs/cltdr_anet_feature/results.json', output_format='json'))
test_evaluator = val_evaluator
val_cfg = dict(type='ValLoop')

train_cfg = dict(max_epochs=15)
param_scheduler = dict(warmup=10)
optim_wrapper = dict(optimizer=dict(lr=1e-3, weight_decay=0.045), clip_grad=dict(max_norm=0.4))
auto_scale_lr = dict(base_batch_size=16)
