# THUMOS14 as videos: every 2nd frame, two a step, windows of 768 steps, 224 x 224 pixels
_base_ = ['./thumos14_video.py']

# of what is inherited, the sizes change
train_pipeline = [
    *_base_.train_pipeline[:2],
    dict(type='LoadTALFrames', short_side=256),
    dict(type='RandomResizedCrop'),
    dict(type='Resize', scale=(224, 224), keep_ratio=False),
    *_base_.train_pipeline[5:],
]
test_pipeline = [
    _base_.test_pipeline[0],
    dict(type='LoadTALFrames', short_side=224),
    dict(type='CenterCrop', crop_size=224),
    _base_.test_pipeline[-1],
]

videos = dict(frames_per_step=2)

train_dataloader = dict(dataset=dict(pipeline=train_pipeline, **videos))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline, **videos))
test_dataloader = val_dataloader
