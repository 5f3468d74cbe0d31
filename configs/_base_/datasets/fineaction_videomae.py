# FineAction proposals, VideoMAE-H features at 30 fps (16 frames every 16) resized to 192 steps
_base_ = ['./common.py']

dataset_type = 'FineActionDataset'
data_root = 'data/fineaction/'
ann_file = 'annotations/fineaction.json'

train_pipeline = [
    dict(type='LoadTALFeature'),
    dict(type='ResizeFeature', length=192, average=True),
    dict(type='RandomCropFeature', max_len=192, trunc_thresh=0.5, crop_ratio=(0.9, 1.0)),
    dict(type='PackTALInputs'),
]
test_pipeline = [
    dict(type='LoadTALFeature'),
    dict(type='ResizeFeature', length=192, average=True),
    dict(type='PackTALInputs'),
]

features = dict(
    type=dataset_type,
    data_root=data_root,
    ann_file=ann_file,
    data_prefix=dict(feats='videomae_features'),
    feature_stride=16,
    feature_window=16,
    feature_dim=1280,
    fps=30,
    class_agnostic=True)

train_dataloader = dict(
    batch_size=16, num_workers=4,
    dataset=dict(
        subset='training', pipeline=train_pipeline, filter_cfg=dict(min_part=0.01), **features))
val_dataloader = dict(
    batch_size=16, num_workers=4,
    dataset=dict(subset='validation', pipeline=test_pipeline, **features))
test_dataloader = val_dataloader

val_evaluator = dict(protocol='fineaction', ann_file=data_root + ann_file, subset='validation')
test_evaluator = val_evaluator
