# What data sets of videos have in common: 160 x 160 pixels, and how frames vary in training. A data
# set that crops long videos puts that second, between which frames are taken and their reading
_base_ = ['./common.py']

train_pipeline = [
    dict(type='SampleTALFrames'),
    dict(type='LoadTALFrames', short_side=182),
    dict(type='RandomResizedCrop'),
    dict(type='Resize', scale=(160, 160), keep_ratio=False),
    dict(type='Flip', flip_ratio=0.5),
    dict(type='ColorJitterFrames'),
    dict(type='PackTALInputs'),
]
test_pipeline = [
    dict(type='SampleTALFrames'),
    dict(type='LoadTALFrames', short_side=160),
    dict(type='CenterCrop', crop_size=160),
    dict(type='PackTALInputs'),
]

train_dataloader = dict(num_workers=4, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(batch_size=1, num_workers=4, dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
