# HAPT: local kernel of GMG 1, the published window on THUMOS14
_base_ = ['../../cltdr_hapt.py']
model = dict(backbone=dict(kernel_size=1))
