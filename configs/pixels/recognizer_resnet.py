# A small ResNet3d from scratch on clips: its weights are where resnet_*_pretrained.py begin
_base_ = ['./_base_/recognizer.py', './_base_/resnet.py']

model = dict(
    backbone={{_base_.clip_backbone}},
    cls_head=dict(
        type='I3DHead', num_classes=6, in_channels=64, dropout_ratio=0., init_std=0.1,
        average_clips='prob'))
