# TemporalMaxer as published: MultiTHUMOS, RGB stream of I3D
_base_ = ['../_base_/temporalmaxer.py', '../../_base_/datasets/multithumos_rgb.py']
work_dir = 'work_dirs/release/temporalmaxer/{{fileBasenameNoExtension}}'
model = dict(
    backbone=dict(in_channels=1024, arch=(3, 0, 5)), neck=dict(norm='layer'),
    head=dict(num_classes=65, test_cfg=dict(nms_pre=3000)), postprocessor=dict(max_per_video=300))
train_cfg = dict(max_epochs=65)
param_scheduler = dict(warmup=5, end_factor=0.0001)
optim_wrapper = dict(optimizer=dict(lr=0.0001, weight_decay=0.05))
# padding leaks into the results: in a batch, a longer video would change them
val_dataloader = test_dataloader = dict(batch_size=1)
