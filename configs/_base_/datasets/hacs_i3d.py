# HACS Segments, I3D features: two steps a second
_base_ = ['./common.py']

dataset_type = 'HACSDataset'
data_root = 'data/hacs/'
ann_file = 'annotations/hacs.json'

train_pipeline = [
    dict(type='LoadTALFeature'),
    dict(type='RandomCropFeature', max_len=512, trunc_thresh=0.5, crop_ratio=(0.9, 1.0)),
    dict(type='PackTALInputs'),
]

features = dict(
    type=dataset_type,
    data_root=data_root,
    ann_file=ann_file,
    data_prefix=dict(feats='i3d_features'),
    feature_stride=1,
    feature_window=1,
    feature_dim=2048,
    fps=2)

train_dataloader = dict(
    batch_size=16, num_workers=4,
    dataset=dict(subset='training', pipeline=train_pipeline, **features))
val_dataloader = dict(batch_size=16, num_workers=4, dataset=dict(subset='validation', **features))
test_dataloader = val_dataloader

val_evaluator = dict(protocol='hacs', ann_file=data_root + ann_file, subset='validation')
test_evaluator = val_evaluator
