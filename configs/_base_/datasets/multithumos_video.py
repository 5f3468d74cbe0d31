# MultiTHUMOS, on THUMOS14's videos: every 4th frame, windows of 768, 160 x 160 pixels
_base_ = ['./thumos14_video.py']

dataset_type = 'MultiTHUMOSVideoDataset'
data_root = 'data/multithumos/'
ann_file = 'annotations/multithumos.json'

videos = dict(
    type=dataset_type,
    data_root=data_root,
    ann_file=ann_file,
    data_prefix=dict(video='../thumos14/videos'))

train_dataloader = dict(dataset=videos)
val_dataloader = dict(dataset=videos)
test_dataloader = val_dataloader

val_evaluator = dict(
    protocol='multithumos', ann_file=data_root + ann_file,
    postprocessor=dict(nms=dict(sigma=0.5), max_per_video=8000))
test_evaluator = val_evaluator
