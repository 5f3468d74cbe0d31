# Charades, I3D features (RGB, fine-tuned there) at 24 fps: step t is frame 8 t
_base_ = ['./common.py']

dataset_type = 'CharadesDataset'
data_root = 'data/charades/'
ann_file = 'annotations/charades.json'

train_pipeline = [
    dict(type='LoadTALFeature'),
    dict(type='RandomCropFeature', max_len=768, trunc_thresh=0.5, crop_ratio=(0.9, 1.0)),
    dict(type='PackTALInputs'),
]

features = dict(
    type=dataset_type,
    data_root=data_root,
    ann_file=ann_file,
    data_prefix=dict(feats='i3d_features'),
    feature_stride=8,
    feature_window=0,
    feature_dim=1024,
    fps=24)

train_dataloader = dict(
    batch_size=16, num_workers=4,
    dataset=dict(subset='training', pipeline=train_pipeline, **features))
val_dataloader = dict(batch_size=16, num_workers=4, dataset=dict(subset='testing', **features))
test_dataloader = val_dataloader

val_evaluator = dict(protocol='charades', ann_file=data_root + ann_file, subset='testing')
test_evaluator = val_evaluator
