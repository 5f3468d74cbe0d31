# Ego4D Moment Queries, InternVideo (VideoMAE-L) features: a step every 8 frames
_base_ = ['./ego4d_mq_slowfast.py']

train_pipeline = [
    dict(type='LoadTALFeature'),
    dict(type='RandomCropFeature', max_len=2048, trunc_thresh=0.3, crop_ratio=(0.9, 1.0)),
    dict(type='PackTALInputs'),
]

# published clips have 16 frames, and steps the place that a window of 8 has
features = dict(
    data_prefix=dict(feats='internvideo_features'), feature_stride=8, feature_window=8,
    feature_dim=1024)

train_dataloader = dict(dataset=dict(pipeline=train_pipeline, **features))
val_dataloader = dict(dataset=features)
test_dataloader = val_dataloader
