# CLTDR-GMG for MultiTHUMOS: many overlapping actions a video
_base_ = ['./cltdr_gmg.py']
model = dict(
    data_preprocessor=dict(input_noise=5e-4),
    backbone=dict(ffn_dims=1024, kernel_size=1, init_std=0.),
    head=dict(num_classes=65, test_cfg=dict(nms_pre=8000)),
    postprocessor=dict(max_per_video=8000))
