# The front keeps the weights of recognizer_vit.py; only what follows is trained
_base_ = ['./vit_full_pretrained.py']

model = dict(front=dict(tuning='frozen'))
