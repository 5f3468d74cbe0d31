# EPIC-KITCHENS-100 verbs as videos at 30 fps: every 2nd frame, 8 a step, windows of 768 steps,
# 160 x 160 pixels
_base_ = ['./common_video.py']

dataset_type = 'EPICKitchens100VideoDataset'
data_root = 'data/epic100/'
ann_file = 'annotations/epic100_verb.json'

train_pipeline = [
    _base_.train_pipeline[0],
    dict(type='RandomCropFrames', max_len=768, trunc_thresh=0.3),
    *_base_.train_pipeline[1:],
]

videos = dict(
    type=dataset_type,
    data_root=data_root,
    ann_file=ann_file,
    data_prefix=dict(video='videos'),
    task='verb',
    fps=30,
    feature_stride=16,
    frames_per_step=8)
windows = dict(window=dict(size=768, overlap=0.5))

train_dataloader = dict(
    batch_size=2, dataset=dict(subset='training', pipeline=train_pipeline, **videos))
val_dataloader = dict(dataset=dict(subset='validation', **windows, **videos))
test_dataloader = val_dataloader

val_evaluator = dict(
    protocol='epic100', ann_file=data_root + ann_file, subset='validation',
    # windows of a video are put together, then suppressed
    postprocessor=dict(
        type='TALPostProcessor', nms=dict(type='SoftNMS', sigma=0.4), max_per_video=2000))
test_evaluator = val_evaluator
