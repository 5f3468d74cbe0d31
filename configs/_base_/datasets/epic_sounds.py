# EPIC-Sounds, Auditory SlowFast features: a step every 0.2 s, in windows of 6144 in tests
_base_ = ['./common.py']

dataset_type = 'EPICSoundsDataset'
data_root = 'data/epic_sounds/'
ann_file = 'annotations/epic_sounds.json'

train_pipeline = [
    dict(type='LoadTALFeature'),
    dict(type='RandomCropFeature', max_len=6144, trunc_thresh=0.3, crop_ratio=(0.9, 1.0)),
    dict(type='PackTALInputs'),
]

# as if of 32 frames every 6 at 30 fps
features = dict(
    type=dataset_type,
    data_root=data_root,
    ann_file=ann_file,
    data_prefix=dict(feats='features'),
    feature_stride=6,
    feature_window=32,
    feature_dim=2304,
    feature_key='feats',
    file_suffix='.npz',
    fps=30)

train_dataloader = dict(dataset=dict(subset='train', pipeline=train_pipeline, **features))
# windows are put together before NMS, which the evaluator does (docs/postprocessing.md)
val_dataloader = dict(
    batch_size=2, dataset=dict(subset='val', window=dict(size=6144, overlap=0.5), **features))
test_dataloader = val_dataloader

val_evaluator = dict(protocol='epic_sounds', ann_file=data_root + ann_file, subset='val')
test_evaluator = val_evaluator
