# AdamW without decay on norms, biases and scales; linear warm-up, then cosine, both by iteration.
# A recipe overrides train_cfg.max_epochs (warm-up included), param_scheduler.warmup (epochs),
# optim_wrapper.optimizer.lr / weight_decay and optim_wrapper.clip_grad.max_norm.
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=40, val_begin=1, val_interval=1)
test_cfg = dict(type='TestLoop')

optim_wrapper = dict(
    type='OptimWrapper',
    constructor='TALOptimWrapperConstructor',
    optimizer=dict(type='AdamW', lr=1e-4, weight_decay=0.05),
    clip_grad=dict(max_norm=1.0, norm_type=2))

# ends with max_epochs
param_scheduler = dict(type='WarmupCosineLR', warmup=5, convert_to_iter_based=True)

# lr above is for this many videos per step over all ranks; used with --auto-scale-lr
auto_scale_lr = dict(enable=False, base_batch_size=2)
