# CausalTAD on HAPT (UCI), under the recipe of cltdr_hapt.py
_base_ = [
    '_base_/models/causaltad.py', '_base_/datasets/hapt.py',
    '_base_/schedules/adamw_cosine.py', '_base_/default_runtime.py'
]
model = dict(
    backbone=dict(in_channels=150, embed_dims=128, input_dropout=0.),
    head=dict(num_classes=12, normalizer=dict(init=100)))
train_cfg = dict(max_epochs=35)
optim_wrapper = dict(optimizer=dict(lr=5e-4, weight_decay=0.05))
