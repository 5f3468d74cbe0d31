# All of a ResNet3d is trained, from the weights of recognizer_resnet.py
_base_ = ['./resnet_full_random.py']

pretrained = 'work_dirs/recognizer_resnet/epoch_10.pth'
model = dict(front=dict(init_cfg=dict(type='Pretrained', checkpoint=pretrained)))
