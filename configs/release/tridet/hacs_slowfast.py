# TriDet as published: HACS Segments, SlowFast features
_base_ = ['../_base_/tridet.py', '../../_base_/datasets/hacs_slowfast.py']
work_dir = 'work_dirs/release/tridet/{{fileBasenameNoExtension}}'
model = dict(
    data_preprocessor=dict(size_divisor=96, pad_to=960, input_noise=0.2),
    backbone=dict(
        in_channels=2304, embed_dims=1024, use_abs_pe=True, max_len=960, ffn_dims=1024,
        init_std=0.1, window_size=3, k=1.2),
    neck=dict(in_channels=1024),
    head=dict(
        num_classes=200, in_channels=1024, feat_channels=1024, kernel_size=5, label_smoothing=0.1,
        normalizer=dict(init=400), num_bins=14, boundary_kernel_size=1, iou_power=1),
    postprocessor=dict(nms=dict(sigma=0.75), max_per_video=250))
train_cfg = dict(max_epochs=11)
param_scheduler = dict(warmup=7, end_factor=0.5)
optim_wrapper = dict(optimizer=dict(lr=0.001, weight_decay=0.03), clip_grad=dict(max_norm=0.5))
auto_scale_lr = dict(base_batch_size=16)
# padding leaks into the results: in a batch, a longer video would change them
val_dataloader = test_dataloader = dict(batch_size=1)
