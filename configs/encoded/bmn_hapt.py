# GMG before BMN on HAPT (UCI): class-agnostic proposals, judged by AR@AN
_base_ = [
    '../_base_/models/encoded_bmn.py', '../_base_/datasets/hapt.py',
    '../_base_/schedules/adamw_cosine.py', '../_base_/default_runtime.py'
]
model = dict(
    backbone=dict(in_channels=150, embed_dims=128, ffn_dims=192),
    # narrow, as the encoder: the map has 100 x 100 cells
    localizer=dict(
        feat_dim=128, num_samples=16, hidden_dim_1d=64, hidden_dim_2d=64, hidden_dim_3d=128))
pipeline = [
    dict(type='LoadTALFeature'),
    dict(type='ResizeFeature', length=100),
    dict(type='PackTALInputs'),
]
train_dataloader = dict(batch_size=8, dataset=dict(pipeline=pipeline))
test_dataloader = dict(dataset=dict(pipeline=pipeline))
test_evaluator = dict(type='ProposalMetric')
train_cfg = dict(max_epochs=35)
optim_wrapper = dict(optimizer=dict(lr=5e-4, weight_decay=0.05))
auto_scale_lr = dict(base_batch_size=8)
custom_hooks = [dict(type='FastSoftNMSHook')]
