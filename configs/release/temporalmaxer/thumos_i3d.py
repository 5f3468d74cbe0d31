# TemporalMaxer as published: THUMOS14, I3D features
_base_ = ['../_base_/temporalmaxer.py', '../../_base_/datasets/thumos14_i3d.py']
work_dir = 'work_dirs/release/temporalmaxer/{{fileBasenameNoExtension}}'
train_cfg = dict(max_epochs=65)
param_scheduler = dict(warmup=5, end_factor=0.0001)
optim_wrapper = dict(optimizer=dict(lr=0.0001, weight_decay=0.05))
# padding leaks into the results: in a batch, a longer video would change them
val_dataloader = test_dataloader = dict(batch_size=1)
