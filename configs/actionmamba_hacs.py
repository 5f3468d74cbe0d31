# ActionMamba on HACS Segments, InternVideo2-6B features
_base_ = [
    '_base_/models/actionmamba_anet.py', '_base_/datasets/hacs_internvideo2.py',
    '_base_/schedules/adamw_cosine.py', '_base_/default_runtime.py'
]
model = dict(
    head=dict(
        reg_weight=1.0,
        normalizer=dict(init=400),
        test_cfg=dict(min_length=0.05)),
    postprocessor=dict(
        voting=dict(iou_threshold=0.7),
        # TCANet's logits of the validation videos, by name; see docs/datasets/hacs.md
        fusion=dict(score_file='data/hacs/validation94.32.json', softmax=True)))
agnostic = dict(dataset=dict(class_agnostic=True))
train_dataloader = agnostic
val_dataloader = agnostic
test_dataloader = agnostic
train_cfg = dict(max_epochs=25)
param_scheduler = dict(warmup=5)
optim_wrapper = dict(optimizer=dict(lr=1e-3, weight_decay=0.05))
auto_scale_lr = dict(base_batch_size=16)
