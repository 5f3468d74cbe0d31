# EPIC-KITCHENS-100 verbs, SlowFast features at 30 fps: 32 frames every 16
dataset_type = 'EPICKitchens100Dataset'
data_root = 'data/epic100/'
ann_file = 'annotations/epic100_verb.json'

train_pipeline = [
    dict(type='LoadTALFeature'),
    dict(type='RandomCropFeature', max_len=2304, trunc_thresh=0.3, crop_ratio=(0.9, 1.0)),
    dict(type='PackTALInputs'),
]
test_pipeline = [
    dict(type='LoadTALFeature'),
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

train_dataloader = dict(
    batch_size=2,
    num_workers=2,
    # not persistent: workers are seeded anew each epoch, so that a resumed run is the same
    worker_init_fn=dict(type='tal_seed_worker'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(subset='training', pipeline=train_pipeline, **features))
val_dataloader = dict(
    batch_size=2,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(subset='validation', pipeline=test_pipeline, test_mode=True, **features))
test_dataloader = val_dataloader

val_evaluator = dict(
    type='TALMetric', protocol='epic100', ann_file=data_root + ann_file, subset='validation')
test_evaluator = val_evaluator
