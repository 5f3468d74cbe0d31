# ActivityNet-1.3 proposals, TSP features at 15 fps (16 frames every 16) resized to 192 steps
_base_ = ['./common.py']

dataset_type = 'ActivityNet13Dataset'
data_root = 'data/anet13/'
ann_file = 'annotations/anet13.json'

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

features = dict(
    type=dataset_type,
    data_root=data_root,
    ann_file=ann_file,
    data_prefix=dict(feats='tsp_features'),
    feature_stride=16,
    feature_window=16,
    feature_dim=512,
    file_prefix='v_',
    fps=15,
    class_agnostic=True)

train_dataloader = dict(
    batch_size=16, num_workers=4,
    dataset=dict(subset='training', pipeline=train_pipeline, **features))
val_dataloader = dict(
    batch_size=16, num_workers=4,
    dataset=dict(subset='validation', pipeline=test_pipeline, **features))
test_dataloader = val_dataloader

val_evaluator = dict(protocol='anet13', ann_file=data_root + ann_file, subset='validation')
test_evaluator = val_evaluator
