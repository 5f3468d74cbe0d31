# ActivityNet-1.3, I3D features resized to 192 steps
_base_ = ['../../_base_/datasets/anet13_i3d.py']
train_pipeline = [
    dict(type='LoadTALFeature'),
    dict(type='ResizeFeature', length=192),
    dict(type='RandomCropFeature', max_len=192, trunc_thresh=0.5, crop_ratio=(0.9, 1.0)),
    dict(type='PackTALInputs'),
]
test_pipeline = [
    dict(type='LoadTALFeature'),
    dict(type='ResizeFeature', length=192),
    dict(type='PackTALInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
