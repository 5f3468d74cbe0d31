# HAPT: the published code's computation throughout, every video padded to its maximum length
_base_ = ['./hapt_head.py']
model = dict(
    data_preprocessor=dict(pad_to=2304),
    backbone=dict(
        kernel_size=1, init_std=0., stem_kernel_size=1, stem_drop_path=0., scale_undropped=False,
        gate_act=None, global_mixer='affine', force_float32=True))
test_dataloader = dict(batch_size=1)
