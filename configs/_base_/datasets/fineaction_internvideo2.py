# FineAction, InternVideo2 (1B) features at 30 fps: 16 frames, every second of steps 4 frames apart
_base_ = ['./common.py']

dataset_type = 'FineActionDataset'
data_root = 'data/fineaction/'
ann_file = 'annotations/fineaction.json'

features = dict(
    type=dataset_type,
    data_root=data_root,
    ann_file=ann_file,
    data_prefix=dict(feats='internvideo2_features'),
    feature_stride=8,
    feature_window=16,
    feature_dim=1408,
    fps=30)

train_dataloader = dict(
    batch_size=16, num_workers=4, dataset=dict(subset='training', **features))
val_dataloader = dict(batch_size=16, num_workers=4, dataset=dict(subset='validation', **features))
test_dataloader = val_dataloader

val_evaluator = dict(protocol='fineaction', ann_file=data_root + ann_file, subset='validation')
test_evaluator = val_evaluator
