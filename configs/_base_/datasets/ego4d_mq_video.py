# Ego4D Moment Queries as videos: every 2nd frame, 4 a step, windows of 1800 steps, 192 x 192 pixels
_base_ = ['./common_video.py']

dataset_type = 'Ego4DMQVideoDataset'
data_root = 'data/ego4d/'
ann_file = 'annotations/ego4d_mq.json'

# of what is inherited, the sizes change
train_pipeline = [
    _base_.train_pipeline[0],
    dict(type='RandomCropFrames', max_len=1800, trunc_thresh=0.3),
    dict(type='LoadTALFrames', short_side=220),
    dict(type='RandomResizedCrop'),
    dict(type='Resize', scale=(192, 192), keep_ratio=False),
    *_base_.train_pipeline[4:],
]
test_pipeline = [
    _base_.test_pipeline[0],
    dict(type='LoadTALFrames', short_side=192),
    dict(type='CenterCrop', crop_size=192),
    _base_.test_pipeline[-1],
]

videos = dict(
    type=dataset_type,
    data_root=data_root,
    ann_file=ann_file,
    data_prefix=dict(video='videos'),
    feature_stride=8,
    frames_per_step=4)
# a clip is about as long as a window
windows = dict(window=dict(size=1800, overlap=0))

train_dataloader = dict(
    batch_size=2, dataset=dict(subset='train', pipeline=train_pipeline, **videos))
val_dataloader = dict(dataset=dict(
    subset='val', pipeline=test_pipeline, **windows, **videos))
test_dataloader = val_dataloader

val_evaluator = dict(
    protocol='ego4d_mq', ann_file=data_root + ann_file, subset='val',
    # windows of a video are put together, then suppressed
    postprocessor=dict(
        type='TALPostProcessor', nms=dict(type='SoftNMS', sigma=2.0), max_per_video=2000))
test_evaluator = val_evaluator
