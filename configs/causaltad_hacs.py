# CausalTAD on HACS Segments, SlowFast features; limits of detections ours: TriDet's there
_base_ = [
    '_base_/models/causaltad.py', '_base_/datasets/hacs_slowfast.py',
    '_base_/schedules/adamw_cosine.py', '_base_/default_runtime.py'
]
model = dict(
    backbone=dict(
        in_channels=2304, embed_dims=256, input_dropout=0.1, use_abs_pe=True, max_len=960),
    head=dict(num_classes=200, label_smoothing=0.1, normalizer=dict(init=400)),
    postprocessor=dict(nms=dict(sigma=0.75), max_per_video=250))
train_cfg = dict(max_epochs=15)
param_scheduler = dict(warmup=5)
optim_wrapper = dict(optimizer=dict(lr=1e-3, weight_decay=0.05))
auto_scale_lr = dict(base_batch_size=16)
