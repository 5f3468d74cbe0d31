# The front keeps the weights of recognizer_resnet.py; only what follows is trained
_base_ = ['./resnet_full_pretrained.py']

model = dict(front=dict(tuning='frozen'))
