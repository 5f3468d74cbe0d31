# HAPT: the neck leaves its bias in the padding, as the published code does
_base_ = ['../../cltdr_hapt.py']
model = dict(neck=dict(variant='release'))
