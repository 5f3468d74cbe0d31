# MMAction2's own BMN, unchanged, on ActivityNet-1.3's TSP features by our data set and metric
_base_ = ['../encoded/bmn_anet.py']
model = dict(
    _delete_=True,
    type='BMN',
    temporal_dim=100,
    boundary_ratio=0.5,
    num_samples=32,
    num_samples_per_bin=3,
    feat_dim=512,
    soft_nms_alpha=0.4,
    soft_nms_low_threshold=0.5,
    soft_nms_high_threshold=0.9,
    post_process_top_k=100)
pipeline = [
    dict(type='LoadTALFeature'),
    dict(type='ResizeFeature', length=100),
    dict(type='TALToActivityNet'),
    dict(type='GenerateLocalizationLabels'),
    dict(
        type='PackLocalizationInputs',
        keys=('gt_bbox', ),
        meta_keys=('video_name', 'duration_second', 'duration_frame', 'feature_frame')),
]
train_dataloader = dict(dataset=dict(pipeline=pipeline))
# BMN predicts the first video of a batch
val_dataloader = dict(batch_size=1, dataset=dict(pipeline=pipeline))
test_dataloader = dict(batch_size=1, dataset=dict(pipeline=pipeline))
