# CausalTAD on EPIC-KITCHENS-100 nouns, SlowFast features
_base_ = [
    '_base_/models/causaltad_epic.py', '_base_/datasets/epic100_noun.py',
    '_base_/schedules/adamw_cosine.py', '_base_/default_runtime.py'
]
model = dict(head=dict(num_classes=300, label_smoothing=0.1))
train_cfg = dict(max_epochs=35)
param_scheduler = dict(warmup=5)
optim_wrapper = dict(optimizer=dict(lr=1e-4, weight_decay=0.05))
