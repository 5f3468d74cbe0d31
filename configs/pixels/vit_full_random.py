# All of a VisionTransformer is trained, from scratch
_base_ = ['./_base_/localizer.py', './_base_/vit.py']

model = dict(front=dict(backbone={{_base_.front_backbone}}))
