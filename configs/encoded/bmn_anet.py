# GMG before BMN on ActivityNet-1.3, TSP features: class-agnostic proposals, judged by AR@AN
_base_ = [
    '../_base_/models/encoded_bmn.py', '../_base_/datasets/anet13_tsp.py',
    '../_base_/schedules/adamw_cosine.py', '../_base_/default_runtime.py'
]
pipeline = [
    dict(type='LoadTALFeature'),
    dict(type='ResizeFeature', length=100),
    dict(type='PackTALInputs'),
]
train_dataloader = dict(batch_size=8, dataset=dict(pipeline=pipeline))
val_dataloader = dict(dataset=dict(pipeline=pipeline))
test_dataloader = dict(dataset=dict(pipeline=pipeline))
val_evaluator = dict(type='ProposalMetric')
test_evaluator = dict(type='ProposalMetric')
# MMAction2's schedule
train_cfg = dict(max_epochs=9)
param_scheduler = dict(
    _delete_=True, type='MultiStepLR', begin=0, end=9, by_epoch=True, milestones=[7], gamma=0.1)
optim_wrapper = dict(
    optimizer=dict(type='Adam', lr=1e-3, weight_decay=1e-4), clip_grad=dict(max_norm=40))
# theirs: two GPUs of 8
auto_scale_lr = dict(base_batch_size=16)
custom_hooks = [dict(type='FastSoftNMSHook')]
