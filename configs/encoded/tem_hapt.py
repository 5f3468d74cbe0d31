# GMG before BSN's TEM on HAPT (UCI): class-agnostic proposals, judged by AR@AN
_base_ = [
    '../_base_/models/encoded_tem.py', '../_base_/datasets/hapt.py',
    '../_base_/schedules/adamw_cosine.py', '../_base_/default_runtime.py'
]
model = dict(
    backbone=dict(in_channels=150, embed_dims=128, ffn_dims=192),
    localizer=dict(tem_feat_dim=128, tem_hidden_dim=128))
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
