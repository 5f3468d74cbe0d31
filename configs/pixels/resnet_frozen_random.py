# The front stays as it was drawn at random; only what follows is trained
_base_ = ['./resnet_full_random.py']

model = dict(front=dict(tuning='frozen'))
