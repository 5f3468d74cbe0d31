# HACS Segments, InternVideo2 (6B) features at 30 fps: 16 frames every 8
_base_ = ['./hacs_slowfast.py']

train_pipeline = [
    dict(type='LoadTALFeature'),
    dict(type='RandomCropFeature', max_len=2304, trunc_thresh=0.5, crop_ratio=(0.9, 1.0)),
    dict(type='PackTALInputs'),
]

features = dict(
    data_prefix=dict(feats='internvideo2_features'),
    file_suffix='.npy',
    feature_window=16,
    feature_dim=3200,
    fps=30)

train_dataloader = dict(dataset=dict(pipeline=train_pipeline, **features))
val_dataloader = dict(dataset=features)
test_dataloader = val_dataloader
