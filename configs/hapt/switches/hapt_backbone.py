# HAPT: GMG as the published code computes it
_base_ = ['../../cltdr_hapt.py']
model = dict(backbone=dict(variant='release'))
