# THUMOS14, two-stream I3D features as ActionFormer publishes them: 16 frames every 4
dataset_type = 'THUMOS14Dataset'
data_root = 'data/thumos14/'
ann_file = 'annotations/thumos14.json'

train_pipeline = [
    dict(type='LoadTALFeature'),
    dict(type='RandomCropFeature', max_len=2304, trunc_thresh=0.5, crop_ratio=(0.9, 1.0)),
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
    feature_stride=4,
    feature_window=16,
    feature_dim=2048)

train_dataloader = dict(
    batch_size=2,
    num_workers=2,
    # not persistent: workers are seeded anew each epoch, so that a resumed run is the same
    worker_init_fn=dict(type='tal_seed_worker'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(subset='Validation', pipeline=train_pipeline, **features))
val_dataloader = dict(
    batch_size=4,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(subset='Test', pipeline=test_pipeline, test_mode=True, **features))
test_dataloader = val_dataloader

val_evaluator = dict(
    type='TALMetric', protocol='thumos14', ann_file=data_root + ann_file, subset='Test')
test_evaluator = val_evaluator
