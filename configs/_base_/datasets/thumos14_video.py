# THUMOS14 as videos: every 4th frame, windows of 768, 160 x 160 pixels
_base_ = ['./common_video.py']

dataset_type = 'THUMOS14VideoDataset'
data_root = 'data/thumos14/'
ann_file = 'annotations/thumos14.json'

train_pipeline = [
    _base_.train_pipeline[0],
    dict(type='RandomCropFrames', max_len=768, trunc_thresh=0.75),
    *_base_.train_pipeline[1:],
]

videos = dict(
    type=dataset_type,
    data_root=data_root,
    ann_file=ann_file,
    data_prefix=dict(video='videos'),
    feature_stride=4)
windows = dict(window=dict(size=768, overlap=0.5))

train_dataloader = dict(
    batch_size=2, dataset=dict(subset='Validation', pipeline=train_pipeline, **videos))
val_dataloader = dict(dataset=dict(subset='Test', **windows, **videos))
test_dataloader = val_dataloader

val_evaluator = dict(
    protocol='thumos14', ann_file=data_root + ann_file, subset='Test',
    # windows of a video are put together, then suppressed
    postprocessor=dict(
        type='TALPostProcessor', nms=dict(type='SoftNMS', sigma=0.7), max_per_video=2000))
test_evaluator = val_evaluator
