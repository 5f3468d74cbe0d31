# THUMOS14 as videos: every 2nd frame, two a step, windows of 768 steps, 224 x 224 pixels
_base_ = ['./thumos14_video.py']

train_pipeline = [
    dict(type='SampleTALFrames'),
    dict(type='RandomCropFrames', max_len=768, trunc_thresh=0.75),
    dict(type='LoadTALFrames', short_side=256),
    dict(type='RandomResizedCrop'),
    dict(type='Resize', scale=(224, 224), keep_ratio=False),
    dict(type='Flip', flip_ratio=0.5),
    dict(type='ColorJitterFrames'),
    dict(type='PackTALInputs'),
]
test_pipeline = [
    dict(type='SampleTALFrames'),
    dict(type='LoadTALFrames', short_side=224),
    dict(type='CenterCrop', crop_size=224),
    dict(type='PackTALInputs'),
]

videos = dict(frames_per_step=2)

train_dataloader = dict(dataset=dict(pipeline=train_pipeline, **videos))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline, **videos))
test_dataloader = val_dataloader
