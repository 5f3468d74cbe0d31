# HACS Segments, I3D features: two steps a second
dataset_type = 'HACSDataset'
data_root = 'data/hacs/'
ann_file = 'annotations/hacs.json'

train_pipeline = [
    dict(type='LoadTALFeature'),
    dict(type='RandomCropFeature', max_len=512, trunc_thresh=0.5, crop_ratio=(0.9, 1.0)),
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
    data_prefix=dict(feats='i3d_features'),
    feature_stride=1,
    feature_window=1,
    feature_dim=2048,
    fps=2)

train_dataloader = dict(
    batch_size=16,
    num_workers=4,
    # not persistent: workers are seeded anew each epoch, so that a resumed run is the same
    worker_init_fn=dict(type='tal_seed_worker'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(subset='training', pipeline=train_pipeline, **features))
val_dataloader = dict(
    batch_size=16,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(subset='validation', pipeline=test_pipeline, test_mode=True, **features))
test_dataloader = val_dataloader

val_evaluator = dict(
    type='TALMetric', protocol='hacs', ann_file=data_root + ann_file, subset='validation')
test_evaluator = val_evaluator
