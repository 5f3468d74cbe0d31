# CLTDR-GMG on EPIC-KITCHENS-100 nouns, SlowFast features
_base_ = [
    '_base_/models/cltdr_gmg_epic.py', '_base_/datasets/epic100_noun.py',
    '_base_/schedules/adamw_cosine.py', '_base_/default_runtime.py'
]
model = dict(
    data_preprocessor=dict(input_noise=1e-4),
    backbone=dict(ffn_dims=1024),
    head=dict(num_classes=300))
train_cfg = dict(max_epochs=25)
param_scheduler = dict(warmup=16)
optim_wrapper = dict(optimizer=dict(lr=1e-4, weight_decay=0.04))
