# MultiTHUMOS, on THUMOS14's videos: every 4th frame, windows of 768, 160 x 160 pixels
_base_ = ['./common.py']

dataset_type = 'MultiTHUMOSVideoDataset'
data_root = 'data/multithumos/'
ann_file = 'annotations/multithumos.json'

train_pipeline = [
    dict(type='SampleTALFrames'),
    dict(type='RandomCropFrames', max_len=768, trunc_thresh=0.75),
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

videos = dict(
    type=dataset_type,
    data_root=data_root,
    ann_file=ann_file,
    data_prefix=dict(video='../thumos14/videos'),
    feature_stride=4)
windows = dict(window=dict(size=768, overlap=0.5))

train_dataloader = dict(
    batch_size=2, num_workers=4,
    dataset=dict(subset='Validation', pipeline=train_pipeline, **videos))
val_dataloader = dict(
    batch_size=1, num_workers=4,
    dataset=dict(subset='Test', pipeline=test_pipeline, **windows, **videos))
test_dataloader = val_dataloader

val_evaluator = dict(
    protocol='multithumos', ann_file=data_root + ann_file, subset='Test',
    # windows of a video are put together, then suppressed
    postprocessor=dict(
        type='TALPostProcessor', nms=dict(type='SoftNMS', sigma=0.5), max_per_video=8000))
test_evaluator = val_evaluator
