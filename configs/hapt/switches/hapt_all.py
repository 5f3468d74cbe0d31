# HAPT: the published code's computation throughout, every video padded to its maximum length
_base_ = ['../../cltdr_hapt.py']
model = dict(
    data_preprocessor=dict(pad_to=2304),
    backbone=dict(variant='release', kernel_size=1, init_std=0.),
    neck=dict(variant='release'),
    head=dict(variant='release'))
test_dataloader = dict(batch_size=1)
