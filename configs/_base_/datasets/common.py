# What all data sets have in common; a data set says what its features are, and what differs
train_pipeline = [
    dict(type='LoadTALFeature'),
    dict(type='RandomCropFeature', max_len=2304, trunc_thresh=0.5, crop_ratio=(0.9, 1.0)),
    dict(type='PackTALInputs'),
]
test_pipeline = [
    dict(type='LoadTALFeature'),
    dict(type='PackTALInputs'),
]

train_dataloader = dict(
    batch_size=2,
    num_workers=2,
    # not persistent: workers are seeded anew each epoch, so that a resumed run is the same
    worker_init_fn=dict(type='tal_seed_worker'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=4,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(pipeline=test_pipeline, test_mode=True))
test_dataloader = val_dataloader

val_cfg = dict(type='ValLoop')
val_evaluator = dict(type='TALMetric')
test_evaluator = val_evaluator
