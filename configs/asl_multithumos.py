# ASL on MultiTHUMOS, two-stream I3D features; recipe ours: ActionFormer's for THUMOS14
_base_ = [
    '_base_/models/asl.py', '_base_/datasets/multithumos_i3d.py',
    '_base_/schedules/adamw_cosine.py', '_base_/default_runtime.py'
]
model = dict(
    # the limits of actionformer_multithumos_rgb.py
    head=dict(head=dict(num_classes=65, test_cfg=dict(nms_pre=3000))),
    postprocessor=dict(max_per_video=300))
train_cfg = dict(max_epochs=35)
param_scheduler = dict(warmup=5)
optim_wrapper = dict(optimizer=dict(lr=1e-4, weight_decay=0.05))
