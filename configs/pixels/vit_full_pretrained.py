# All of a VisionTransformer is trained, from the weights of recognizer_vit.py
_base_ = ['./vit_full_random.py']

pretrained = 'work_dirs/recognizer_vit/epoch_30.pth'
model = dict(
    front=dict(
        backbone=dict(
            init_cfg=dict(_delete_=True, type='PretrainedViT', checkpoint=pretrained))))
