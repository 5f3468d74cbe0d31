# Generated sequences with planted actions (tools/dataset_converters/make_synthetic.py)
_base_ = ['./common.py']

dataset_type = 'TALDataset'
data_root = 'data/synthetic/'
ann_file = 'annotations.json'

features = dict(
    type=dataset_type,
    data_root=data_root,
    ann_file=ann_file,
    data_prefix=dict(feats='features'),
    feature_stride=8,
    feature_window=16,
    feature_dim=64)

train_dataloader = dict(batch_size=4, dataset=dict(subset='train', **features))
val_dataloader = dict(batch_size=8, dataset=dict(subset='validation', **features))
test_dataloader = dict(batch_size=8, dataset=dict(subset='test', **features))

val_evaluator = dict(protocol='custom', ann_file=data_root + ann_file, subset='validation')
test_evaluator = dict(protocol='custom', ann_file=data_root + ann_file, subset='test')
