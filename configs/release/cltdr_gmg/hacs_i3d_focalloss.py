# CLTDR-GMG as published: HACS Segments, I3D features; focal coarse loss
_base_ = ['../_base_/cltdr_gmg.py', '../../_base_/datasets/hacs_i3d.py']
work_dir = 'work_dirs/release/cltdr_gmg/{{fileBasenameNoExtension}}'
model = dict(
    data_preprocessor=dict(size_divisor=960, pad_to=512, input_noise=0.0),
    backbone=dict(
        embed_dims=1024, use_abs_pe=True, max_len=512, arch=(2, 2, 6), ffn_dims=1024,
        init_std=0.1, kernel_size=15),
    neck=dict(in_channels=1024, num_levels=7),
    head=dict(
        num_classes=200, in_channels=1024, feat_channels=1024,
        regression_ranges=[(0, 4), (4, 8), (8, 16), (16, 32), (32, 64), (64, 128), (128, 10000)],
        kernel_size=5, label_smoothing=0.1, normalizer=dict(init=400), num_bins=12,
        boundary_kernel_size=1, refine_kernel_sizes=dict(trunk=5, cls=5), iou_power=1),
    postprocessor=dict(nms=dict(sigma=0.75), max_per_video=250))
train_cfg = dict(max_epochs=17)
param_scheduler = dict(warmup=12, end_factor=0.1)
optim_wrapper = dict(optimizer=dict(lr=0.001, weight_decay=0.03))
auto_scale_lr = dict(base_batch_size=16)
# padding leaks into the results: in a batch, a longer video would change them
val_dataloader = test_dataloader = dict(batch_size=1)
