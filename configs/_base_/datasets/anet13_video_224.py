# ActivityNet-1.3 proposals from videos: 768 frames of each, 4 a step, 224 x 224 pixels
_base_ = ['./anet13_video.py']

# of what is inherited, the sizes change
train_pipeline = [
    _base_.train_pipeline[0],
    dict(type='LoadTALFrames', short_side=256),
    dict(type='RandomResizedCrop'),
    dict(type='Resize', scale=(224, 224), keep_ratio=False),
    *_base_.train_pipeline[4:],
]
test_pipeline = [
    _base_.test_pipeline[0],
    dict(type='LoadTALFrames', short_side=224),
    dict(type='CenterCrop', crop_size=224),
    _base_.test_pipeline[-1],
]

# 16 over all ranks: published on 8 GPUs
train_dataloader = dict(batch_size=2, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
