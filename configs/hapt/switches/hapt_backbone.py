# HAPT: GMG as the published code computes it
_base_ = ['../../cltdr_hapt.py']
model = dict(
    backbone=dict(
        stem_kernel_size=1, stem_drop_path=0., scale_undropped=False, gate_act=None,
        global_mixer='affine', force_float32=True))
