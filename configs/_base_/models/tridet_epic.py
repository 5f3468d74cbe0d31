# TriDet for EPIC-KITCHENS-100
_base_ = ['./tridet.py']
model = dict(
    backbone=dict(in_channels=2304, ffn_dims=1024, window_size=5, k=2),
    head=dict(
        num_classes=97,
        iou_power=0.25,
        # neighbouring ranges overlap: most actions of this data set are short
        regression_ranges=[(0, 4), (2, 8), (4, 16), (8, 32), (16, 64), (32, 10000)],
        normalizer=dict(init=250),
        test_cfg=dict(nms_pre=5000)),
    postprocessor=dict(nms=dict(sigma=0.4)))
