# Ego4D Moment Queries, SlowFast features at 30 fps: 32 frames every 16
_base_ = ['./common.py']

dataset_type = 'Ego4DMQDataset'
data_root = 'data/ego4d/'
ann_file = 'annotations/ego4d_mq.json'

train_pipeline = [
    dict(type='LoadTALFeature'),
    dict(type='RandomCropFeature', max_len=1024, trunc_thresh=0.3, crop_ratio=(0.9, 1.0)),
    dict(type='PackTALInputs'),
]

features = dict(
    type=dataset_type,
    data_root=data_root,
    ann_file=ann_file,
    data_prefix=dict(feats='slowfast_features'),
    feature_stride=16,
    feature_window=32,
    feature_dim=2304,
    fps=30)

train_dataloader = dict(dataset=dict(subset='train', pipeline=train_pipeline, **features))
val_dataloader = dict(batch_size=2, dataset=dict(subset='val', **features))
test_dataloader = val_dataloader

val_evaluator = dict(protocol='ego4d_mq', ann_file=data_root + ann_file, subset='val')
test_evaluator = val_evaluator
