# EPIC-KITCHENS-100 verbs, SlowFast features at 30 fps: 32 frames every 16
_base_ = ['./common.py']

dataset_type = 'EPICKitchens100Dataset'
data_root = 'data/epic100/'
ann_file = 'annotations/epic100_verb.json'

train_pipeline = [
    dict(type='LoadTALFeature'),
    dict(type='RandomCropFeature', max_len=2304, trunc_thresh=0.3, crop_ratio=(0.9, 1.0)),
    dict(type='PackTALInputs'),
]

features = dict(
    type=dataset_type,
    data_root=data_root,
    ann_file=ann_file,
    data_prefix=dict(feats='features'),
    feature_stride=16,
    feature_window=32,
    feature_dim=2304,
    feature_key='feats',
    file_suffix='.npz',
    fps=30,
    task='verb')

train_dataloader = dict(dataset=dict(subset='training', pipeline=train_pipeline, **features))
val_dataloader = dict(batch_size=2, dataset=dict(subset='validation', **features))
test_dataloader = val_dataloader

val_evaluator = dict(protocol='epic100', ann_file=data_root + ann_file, subset='validation')
test_evaluator = val_evaluator
