# Generated videos of shapes, 48 x 48 pixels, 10 frames a second (cltdr convert pixels)
_base_ = ['../../_base_/datasets/common.py']

dataset_type = 'TALVideoDataset'
data_root = 'data/pixels/'
ann_file = 'annotations.json'

videos = dict(
    type=dataset_type,
    data_root=data_root,
    ann_file=ann_file,
    data_prefix=dict(video='videos'),
    # a step is two frames, 0.2 s, and lies between them
    feature_stride=2,
    frames_per_step=2,
    feature_window=1)

train_pipeline = [
    dict(type='SampleTALFrames'),
    # 12.8 s: eight clips of 16 frames
    dict(type='RandomCropFrames', max_len=64, trunc_thresh=0.5),
    dict(type='LoadTALFrames'),
    dict(type='Flip', flip_ratio=0.5),
    dict(type='PackTALInputs'),
]
test_pipeline = [
    dict(type='SampleTALFrames'),
    dict(type='LoadTALFrames'),
    dict(type='PackTALInputs'),
]

# frames this small are decoded faster than handed over by another process
workers = dict(num_workers=0, persistent_workers=False)
train_dataloader = dict(
    batch_size=4, **workers, dataset=dict(subset='train', pipeline=train_pipeline, **videos))
val_dataloader = dict(
    batch_size=4, **workers, dataset=dict(subset='validation', pipeline=test_pipeline, **videos))
test_dataloader = dict(
    batch_size=4, **workers, dataset=dict(subset='test', pipeline=test_pipeline, **videos))

val_evaluator = dict(protocol='custom', ann_file=data_root + ann_file, subset='validation')
test_evaluator = dict(protocol='custom', ann_file=data_root + ann_file, subset='test')
