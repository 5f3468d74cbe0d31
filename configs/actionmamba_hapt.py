# ActionMamba on HAPT (UCI), under the recipe of cltdr_hapt.py
_base_ = [
    '_base_/models/actionmamba.py', '_base_/datasets/hapt.py',
    '_base_/schedules/adamw_cosine.py', '_base_/default_runtime.py'
]
model = dict(
    backbone=dict(in_channels=150, embed_dims=128),
    head=dict(num_classes=12),
    # as many as all methods keep here
    postprocessor=dict(max_per_video=2000))
train_cfg = dict(max_epochs=35)
optim_wrapper = dict(optimizer=dict(lr=5e-4, weight_decay=0.05))
