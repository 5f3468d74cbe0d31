# Charades as videos at 30 fps: every 4th frame, windows of 512, 160 x 160 pixels
_base_ = ['./common_video.py']

dataset_type = 'CharadesVideoDataset'
data_root = 'data/charades/'
ann_file = 'annotations/charades.json'

train_pipeline = [
    _base_.train_pipeline[0],
    dict(type='RandomCropFrames', max_len=512, trunc_thresh=0.5),
    *_base_.train_pipeline[1:],
]

videos = dict(
    type=dataset_type,
    data_root=data_root,
    ann_file=ann_file,
    data_prefix=dict(video='videos'),
    fps=30,
    feature_stride=4)
windows = dict(window=dict(size=512, overlap=0.5))

train_dataloader = dict(
    # 16 over all ranks: published on 2 GPUs
    batch_size=8, dataset=dict(subset='training', pipeline=train_pipeline, **videos))
val_dataloader = dict(dataset=dict(subset='testing', **windows, **videos))
test_dataloader = val_dataloader

val_evaluator = dict(
    protocol='charades', ann_file=data_root + ann_file, subset='testing',
    # windows of a video are put together, then suppressed
    postprocessor=dict(
        type='TALPostProcessor', nms=dict(type='SoftNMS', sigma=0.3), max_per_video=1000))
test_evaluator = val_evaluator
