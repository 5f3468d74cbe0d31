# GMG before TCANet on HAPT (UCI): refined proposals, judged by AR@AN
_base_ = [
    '../_base_/models/encoded_tcanet.py', '../_base_/datasets/hapt.py',
    '../_base_/schedules/adamw_cosine.py', '../_base_/default_runtime.py'
]
# proposals of both subsets, as tools/test.py with bmn_hapt.py writes them
proposal_files = ['work_dirs/bmn_hapt/train/detections.json',
                  'work_dirs/bmn_hapt/test/detections.json']
model = dict(
    backbone=dict(in_channels=150, embed_dims=128, ffn_dims=192),
    localizer=dict(feat_dim=128))
pipeline = [
    dict(type='LoadTALFeature'),
    dict(type='ResizeFeature', length=100),
    dict(type='LoadTALProposals', proposal_files=proposal_files),
    dict(type='PackTALInputs'),
]
train_dataloader = dict(batch_size=8, dataset=dict(pipeline=pipeline))
test_dataloader = dict(dataset=dict(pipeline=pipeline))
test_evaluator = dict(type='ProposalMetric')
train_cfg = dict(max_epochs=35)
optim_wrapper = dict(optimizer=dict(lr=5e-4, weight_decay=0.05))
auto_scale_lr = dict(base_batch_size=8)
