# Trimmed clips of generated videos (cltdr convert pixels), read by MMAction2's own data set
_base_ = ['../../_base_/schedules/adamw_cosine.py', '../../_base_/default_runtime.py']

model = dict(
    type='Recognizer3D',
    data_preprocessor=dict(
        type='ActionDataPreprocessor', mean=[90, 90, 90], std=[60, 60, 60], format_shape='NCTHW'))

data_root = 'data/pixels/clips/'
clips = dict(type='VideoDataset', data_prefix=dict(video=data_root))
train_pipeline = [
    dict(type='PyAVInit'),
    dict(type='SampleFrames', clip_len=16),
    dict(type='PyAVDecode'),
    dict(type='Flip', flip_ratio=0.5),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs'),
]
test_pipeline = [
    dict(type='PyAVInit'),
    dict(type='SampleFrames', clip_len=16, test_mode=True),
    dict(type='PyAVDecode'),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs'),
]
# frames this small are decoded faster than handed over by another process
train_dataloader = dict(
    batch_size=16,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(ann_file=data_root + 'train.txt', pipeline=train_pipeline, **clips))
val_dataloader = dict(
    batch_size=16,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        ann_file=data_root + 'val.txt', pipeline=test_pipeline, test_mode=True, **clips))
test_dataloader = val_dataloader
val_cfg = dict(type='ValLoop')
val_evaluator = dict(type='AccMetric')
test_evaluator = val_evaluator

train_cfg = dict(max_epochs=10, val_interval=5)
param_scheduler = dict(warmup=2)
optim_wrapper = dict(optimizer=dict(lr=3e-3, weight_decay=0.05))
