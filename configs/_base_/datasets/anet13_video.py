# ActivityNet-1.3 proposals from videos: 768 frames of each, 4 a step, 160 x 160 pixels
_base_ = ['./common_video.py']

dataset_type = 'ActivityNet13VideoDataset'
data_root = 'data/anet13/'
ann_file = 'annotations/anet13.json'

videos = dict(
    type=dataset_type,
    data_root=data_root,
    ann_file=ann_file,
    data_prefix=dict(video='videos'),
    num_steps=192,
    frames_per_step=4,
    file_prefix='v_',
    fps=15,
    class_agnostic=True)

train_dataloader = dict(
    # 16 over all ranks: published on 4 GPUs
    batch_size=4, dataset=dict(subset='training', **videos))
val_dataloader = dict(dataset=dict(subset='validation', **videos))
test_dataloader = val_dataloader

val_evaluator = dict(protocol='anet13', ann_file=data_root + ann_file, subset='validation')
test_evaluator = val_evaluator
