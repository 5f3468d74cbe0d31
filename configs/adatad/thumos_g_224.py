# AdaTAD on THUMOS14, VideoMAE V2-g, 1536 frames of 224 x 224 pixels; adapters in half the blocks
_base_ = [
    '../_base_/models/adatad.py', '../_base_/models/videomae.py',
    '../_base_/datasets/thumos14_video_224.py', '../_base_/schedules/adatad.py',
    '../_base_/default_runtime.py'
]
model = dict(
    front=dict(
        frames_per_step=2, backbone={{_base_.videomaev2_g}},
        adapter=dict(blocks=list(range(20, 40)))))
train_cfg = dict(max_epochs=50)
optim_wrapper = dict(paramwise_cfg=dict(custom_keys=dict(adapter=dict(lr_mult=2.0))))
