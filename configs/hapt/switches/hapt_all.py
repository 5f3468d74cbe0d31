# HAPT: the published code's computation throughout, every video padded to its maximum length
_base_ = ['./hapt_head.py', './hapt_backbone.py']
model = dict(
    data_preprocessor=dict(pad_to=2304),
    backbone=dict(kernel_size=1, init_std=0.))
test_dataloader = dict(batch_size=1)
