# TriDet for HACS Segments
_base_ = ['./tridet.py']
model = dict(
    backbone=dict(
        embed_dims=1024, arch=(2, 2, 6), ffn_dims=1024, window_size=15, k=1.2, init_std=0.1,
        use_abs_pe=True, max_len=512),
    head=dict(
        num_classes=200,
        kernel_size=5,
        boundary_kernel_size=1,
        num_bins=12,
        iou_power=1.0,
        label_smoothing=0.1,
        normalizer=dict(init=400)),
    postprocessor=dict(nms=dict(sigma=0.75), max_per_video=250))
