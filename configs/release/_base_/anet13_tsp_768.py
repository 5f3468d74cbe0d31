# ActivityNet-1.3, TSP features as they are, up to 768 steps in training
_base_ = ['../../_base_/datasets/anet13_tsp.py']
train_pipeline = [
    dict(type='LoadTALFeature'),
    dict(type='RandomCropFeature', max_len=768, trunc_thresh=0.5, crop_ratio=(0.9, 1.0)),
    dict(type='PackTALInputs'),
]
test_pipeline = [
    dict(type='LoadTALFeature'),
    dict(type='PackTALInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
