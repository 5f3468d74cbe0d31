# A small VisionTransformer from scratch on clips: its weights are where vit_*_pretrained.py and
# vit_adapters.py begin
_base_ = ['./_base_/recognizer.py', './_base_/vit.py']

model = dict(
    backbone={{_base_.clip_backbone}},
    cls_head=dict(
        type='TimeSformerHead', num_classes=6, in_channels=64, init_std=0.1,
        average_clips='prob'))
# it learns more slowly than the ResNet3d, in shorter epochs
train_cfg = dict(max_epochs=30, val_interval=10)
param_scheduler = dict(warmup=3)
optim_wrapper = dict(optimizer=dict(lr=2e-3))
