# Generated sequences with planted actions (tools/dataset_converters/make_synthetic.py)
dataset_type = 'TALDataset'
data_root = 'data/synthetic/'
ann_file = 'annotations.json'

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
    data_prefix=dict(feats='features'),
    feature_stride=8,
    feature_window=16,
    feature_dim=64)

train_dataloader = dict(
    batch_size=4,
    num_workers=2,
    # not persistent: workers are seeded anew each epoch, so that a resumed run is the same
    worker_init_fn=dict(type='tal_seed_worker'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(subset='train', pipeline=train_pipeline, **features))
val_dataloader = dict(
    batch_size=8,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(subset='test', pipeline=test_pipeline, test_mode=True, **features))
test_dataloader = val_dataloader

val_evaluator = dict(
    type='TALMetric', protocol='custom', ann_file=data_root + ann_file, subset='test')
test_evaluator = val_evaluator
