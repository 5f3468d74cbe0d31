# ASL on Charades, I3D features, by OpenTAD's recipe for ActionFormer
_base_ = [
    '_base_/models/asl.py', '_base_/datasets/charades_i3d.py',
    '_base_/schedules/adamw_cosine.py', '_base_/default_runtime.py'
]
model = dict(
    backbone=dict(
        in_channels=1024, arch=(2, 2, 6), window_size=-1, use_abs_pe=True, max_len=768,
        input_dropout=0.3),
    head=dict(head=dict(num_classes=157)),
    postprocessor=dict(nms=dict(sigma=0.3), max_per_video=1000))
train_cfg = dict(max_epochs=15)
param_scheduler = dict(warmup=5, end=20)  # stops before the cosine ends
optim_wrapper = dict(optimizer=dict(lr=1e-4, weight_decay=0.05))
auto_scale_lr = dict(base_batch_size=16)
