# A VisionTransformer keeps the weights of recognizer_vit.py; adapters in it are trained (AdaTAD)
_base_ = ['./vit_full_pretrained.py']

model = dict(front=dict(tuning='adapter', adapter=dict(type='TIAdapter')))
