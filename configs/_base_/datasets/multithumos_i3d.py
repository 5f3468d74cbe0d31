# MultiTHUMOS, on THUMOS14's I3D features: 16 frames every 4
_base_ = ['./common.py']

dataset_type = 'MultiTHUMOSDataset'
data_root = 'data/multithumos/'
ann_file = 'annotations/multithumos.json'

features = dict(
    type=dataset_type,
    data_root=data_root,
    ann_file=ann_file,
    data_prefix=dict(feats='../thumos14/i3d_features'),
    feature_stride=4,
    feature_window=16,
    feature_dim=2048)

train_dataloader = dict(dataset=dict(subset='Validation', **features))
val_dataloader = dict(dataset=dict(subset='Test', **features))
test_dataloader = val_dataloader

val_evaluator = dict(protocol='multithumos', ann_file=data_root + ann_file, subset='Test')
test_evaluator = val_evaluator
