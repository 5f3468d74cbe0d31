# A small recognizer from scratch, on trimmed clips of generated videos (cltdr convert pixels).
# All of it is MMAction2's; the configs *_pretrained.py begin with its weights.
_base_ = ['../_base_/schedules/adamw_cosine.py', '../_base_/default_runtime.py', './backbone.py']

model = dict(
    type='Recognizer3D',
    backbone={{_base_.clip_backbone}},
    cls_head=dict(type='I3DHead', num_classes=6, in_channels=32, dropout_ratio=0.),
    data_preprocessor=dict(
        type='ActionDataPreprocessor', mean=[90, 90, 90], std=[60, 60, 60], format_shape='NCTHW'))

clips = dict(type='VideoDataset', data_prefix=dict(video='data/pixels/clips/'))
decode = [
    dict(type='PyAVInit'),
    dict(type='SampleFrames', clip_len=16, frame_interval=1, num_clips=1),
    dict(type='PyAVDecode'),
]
test_decode = [
    dict(type='PyAVInit'),
    dict(type='SampleFrames', clip_len=16, frame_interval=1, num_clips=1, test_mode=True),
    dict(type='PyAVDecode'),
]
pack = [dict(type='FormatShape', input_format='NCTHW'), dict(type='PackActionInputs')]
train_dataloader = dict(
    batch_size=16,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        ann_file='data/pixels/clips/train.txt',
        pipeline=[*decode, dict(type='Flip', flip_ratio=0.5), *pack],
        **clips))
val_dataloader = dict(
    batch_size=16,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        ann_file='data/pixels/clips/val.txt', pipeline=[*test_decode, *pack], test_mode=True,
        **clips))
test_dataloader = val_dataloader
val_cfg = dict(type='ValLoop')
val_evaluator = dict(type='AccMetric')
test_evaluator = val_evaluator

train_cfg = dict(max_epochs=15, val_interval=5)
param_scheduler = dict(warmup=2)
optim_wrapper = dict(optimizer=dict(lr=3e-3, weight_decay=0.05))
