# HAPT, raw accelerometer windows of 1 s every 0.5 s (tools/dataset_converters/hapt.py)
_base_ = ['./common.py']

dataset_type = 'HAPTDataset'
data_root = 'data/hapt/'
ann_file = 'annotations.json'

features = dict(
    type=dataset_type,
    data_root=data_root,
    ann_file=ann_file,
    data_prefix=dict(feats='features'),
    feature_stride=25,
    feature_window=50,
    default_fps=50.0,
    feature_dim=150)

train_dataloader = dict(dataset=dict(subset='train', **features))
test_dataloader = dict(dataset=dict(subset='test', **features))
test_evaluator = dict(protocol='hapt', ann_file=data_root + ann_file, subset='test')

# nothing but a test looks at the test people: the last checkpoint counts. To choose between
# settings, train and test with `--fold 0`, `--fold 1` ...: people of the training side only
val_cfg = val_dataloader = val_evaluator = None
