# All of a ResNet3d is trained, from scratch
_base_ = ['./_base_/localizer.py', './_base_/resnet.py']

model = dict(front=dict(backbone={{_base_.clip_backbone}}))
