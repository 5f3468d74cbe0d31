# AdaTAD's training: AdamW, adapters at a rate of their own and decayed as a whole; of the cosine
# over param_scheduler.end epochs train_cfg.max_epochs are run
_base_ = ['./adamw_cosine.py']
train_cfg = dict(max_epochs=60, val_interval=5)
param_scheduler = dict(warmup=5, end=100, start_factor=0., end_factor=1e-4)
optim_wrapper = dict(
    optimizer=dict(lr=1e-4, weight_decay=0.05),
    paramwise_cfg=dict(custom_keys=dict(adapter=dict(lr_mult=1., decay_all=True))))
