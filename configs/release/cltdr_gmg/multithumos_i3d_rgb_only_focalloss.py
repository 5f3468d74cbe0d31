# CLTDR-GMG as published: MultiTHUMOS, RGB stream of I3D; focal coarse loss
_base_ = ['../_base_/cltdr_gmg.py', '../../_base_/datasets/multithumos_rgb.py']
work_dir = 'work_dirs/release/cltdr_gmg/{{fileBasenameNoExtension}}'
model = dict(
    data_preprocessor=dict(input_noise=0.0005), backbone=dict(in_channels=1024),
    head=dict(num_classes=65, test_cfg=dict(nms_pre=8000)),
    postprocessor=dict(max_per_video=8000))
train_cfg = dict(max_epochs=60)
param_scheduler = dict(warmup=25, end_factor=6.66667e-05)
optim_wrapper = dict(optimizer=dict(lr=0.00015, weight_decay=0.03))
# padding leaks into the results: in a batch, a longer video would change them
val_dataloader = test_dataloader = dict(batch_size=1)
