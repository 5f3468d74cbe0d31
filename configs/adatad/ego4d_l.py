# AdaTAD on Ego4D Moment Queries, VideoMAE-L of InternVideo's solution, 7200 frames of 192 x 192
# pixels; adapters in the second half
_base_ = [
    '../_base_/models/adatad_ego4d.py', '../_base_/models/videomae.py',
    '../_base_/datasets/ego4d_mq_video.py', '../_base_/schedules/adatad.py',
    '../_base_/default_runtime.py'
]
model = dict(front=dict(
    adapter=dict(blocks=list(range(12, 24))),
    backbone=dict(
        embed_dims=1024, depth=24, num_heads=16,
        init_cfg=dict(type='PretrainedViT', checkpoint=(
            'checkpoints/videomae/vit-large-p16_internvideo1-mq.pth')))))
train_cfg = dict(max_epochs=20)
param_scheduler = dict(end=25)
optim_wrapper = dict(paramwise_cfg=dict(custom_keys=dict(adapter=dict(lr_mult=4.0))))
