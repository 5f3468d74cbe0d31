# ActionFormer on Charades, VideoMAE-L features, by OpenTAD's recipe
_base_ = [
    '_base_/models/actionformer.py', '_base_/datasets/charades_videomae.py',
    '_base_/schedules/adamw_cosine.py', '_base_/default_runtime.py'
]
model = dict(
    backbone=dict(
        in_channels=1024, arch=(2, 2, 7), window_size=-1, use_abs_pe=True, max_len=512,
        input_dropout=0.3),
    head=dict(num_classes=157),
    postprocessor=dict(nms=None, max_per_video=-1))
val_evaluator = dict(postprocessor=dict(
    type='TALPostProcessor', nms=dict(type='SoftNMS', sigma=0.3), max_per_video=1000))
test_evaluator = val_evaluator
train_cfg = dict(max_epochs=20)
param_scheduler = dict(warmup=5)
optim_wrapper = dict(optimizer=dict(lr=1e-4, weight_decay=0.05))
auto_scale_lr = dict(base_batch_size=16)
