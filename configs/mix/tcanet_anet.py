# MMAction2's own TCANet, unchanged, on ActivityNet-1.3's TSP features by our data set and metric
_base_ = ['../encoded/tcanet_anet.py']
model = dict(
    _delete_=True,
    type='TCANet',
    feat_dim=512,
    se_sample_num=32,
    action_sample_num=64,
    temporal_dim=100,
    window_size=9,
    lgte_num=2,
    soft_nms_alpha=0.4,
    soft_nms_low_threshold=0.0,
    soft_nms_high_threshold=0.0,
    post_process_top_k=100)
pipeline = [
    dict(type='LoadTALFeature'),
    dict(type='ResizeFeature', length=100),
    dict(type='LoadTALProposals', proposal_files={{_base_.proposal_files}}),
    dict(type='TALToActivityNet'),
    dict(type='GenerateLocalizationLabels'),
    dict(
        type='PackLocalizationInputs',
        keys=('gt_bbox', 'proposals'),
        meta_keys=('video_name', 'duration_second', 'duration_frame', 'feature_frame')),
]
train_dataloader = dict(dataset=dict(pipeline=pipeline))
# TCANet names the first video of a batch only
val_dataloader = dict(batch_size=1, dataset=dict(pipeline=pipeline))
test_dataloader = dict(batch_size=1, dataset=dict(pipeline=pipeline))
