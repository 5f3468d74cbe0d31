# TriDet for MultiTHUMOS: many overlapping actions a video
_base_ = ['./tridet.py']
model = dict(
    data_preprocessor=dict(input_noise=5e-4),
    # CLTDR-GMG's limits there: on THUMOS14 both have the same
    head=dict(num_classes=65, test_cfg=dict(nms_pre=8000)),
    postprocessor=dict(max_per_video=8000))
