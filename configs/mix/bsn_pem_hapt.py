# BSN on HAPT (UCI), MMAction2's PEM on what `cltdr proposals` makes of the curves of TEM
_base_ = [
    'mmaction::_base_/models/bsn_pem.py', '../_base_/datasets/hapt.py',
    '../_base_/schedules/adamw_cosine.py', '../_base_/default_runtime.py'
]
work_dir = 'work_dirs/bsn_hapt/pem'
folders = dict(
    pgm_proposals_dir='work_dirs/bsn_hapt/pgm_proposals',
    pgm_features_dir='work_dirs/bsn_hapt/pgm_features')
to_mmaction = [
    dict(type='LoadTALFeature'),
    dict(type='ResizeFeature', length=100),
    dict(type='TALToActivityNet'),
]
train_pipeline = [
    *to_mmaction,
    dict(type='LoadProposals', top_k=500, **folders),
    dict(type='PackLocalizationInputs', keys=('reference_temporal_iou', 'bsp_feature')),
]
test_pipeline = [
    *to_mmaction,
    dict(type='LoadProposals', top_k=1000, **folders),
    dict(
        type='PackLocalizationInputs',
        keys=('tmin', 'tmax', 'tmin_score', 'tmax_score', 'bsp_feature'),
        meta_keys=('video_name', 'duration_second', 'duration_frame', 'feature_frame')),
]
train_dataloader = dict(batch_size=8, dataset=dict(pipeline=train_pipeline))
# PEM gives the proposals of a batch to its first video
test_dataloader = dict(batch_size=1, dataset=dict(pipeline=test_pipeline))
test_evaluator = dict(type='ProposalMetric')
train_cfg = dict(max_epochs=20)
param_scheduler = dict(warmup=1)
optim_wrapper = dict(optimizer=dict(lr=1e-2, weight_decay=1e-5))
auto_scale_lr = dict(base_batch_size=8)
custom_hooks = [dict(type='FastSoftNMSHook')]
