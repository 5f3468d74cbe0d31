# TriDet as published: THUMOS14, I3D features
_base_ = ['../_base_/tridet.py', '../../_base_/datasets/thumos14_i3d.py']
work_dir = 'work_dirs/release/tridet/{{fileBasenameNoExtension}}'
train_cfg = dict(max_epochs=40)
param_scheduler = dict(warmup=20, end_factor=0.0001)
optim_wrapper = dict(optimizer=dict(lr=0.0001, weight_decay=0.025))
# padding leaks into the results: in a batch, a longer video would change them
val_dataloader = test_dataloader = dict(batch_size=1)
