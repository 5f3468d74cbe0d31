# ActionFormer on EPIC-Sounds; none is published: CausalTAD's recipe there, EPIC's attention window
_base_ = [
    '_base_/models/actionformer_epic.py', '_base_/datasets/epic_sounds.py',
    '_base_/schedules/adamw_cosine.py', '_base_/default_runtime.py'
]
model = dict(
    backbone=dict(arch=(2, 2, 6), use_abs_pe=True, max_len=6144, input_dropout=0.2),
    head=dict(
        num_classes=44,
        regression_ranges=[(0, 4), (2, 8), (4, 16), (8, 32), (16, 64), (32, 128), (64, 10000)],
        label_smoothing=0.1,
        reg_weight=0.5),
    postprocessor=dict(nms=None, max_per_video=-1))
val_evaluator = dict(postprocessor=dict(
    type='TALPostProcessor', nms=dict(type='SoftNMS', sigma=0.4), max_per_video=2000))
test_evaluator = val_evaluator
train_cfg = dict(max_epochs=25)
param_scheduler = dict(warmup=5, end=30)  # stops before the cosine ends, as published
optim_wrapper = dict(optimizer=dict(lr=1e-4, weight_decay=0.05))
