# THUMOS14, two-stream I3D features as ActionFormer publishes them: 16 frames every 4
_base_ = ['./common.py']

dataset_type = 'THUMOS14Dataset'
data_root = 'data/thumos14/'
ann_file = 'annotations/thumos14.json'

features = dict(
    type=dataset_type,
    data_root=data_root,
    ann_file=ann_file,
    data_prefix=dict(feats='i3d_features'),
    feature_stride=4,
    feature_window=16,
    feature_dim=2048)

train_dataloader = dict(dataset=dict(subset='Validation', **features))
val_dataloader = dict(dataset=dict(subset='Test', **features))
test_dataloader = val_dataloader

val_evaluator = dict(protocol='thumos14', ann_file=data_root + ann_file, subset='Test')
test_evaluator = val_evaluator
