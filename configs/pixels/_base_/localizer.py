# A small ActionFormer behind a front, on generated videos (cltdr convert pixels)
_base_ = [
    '../../_base_/models/actionformer.py', './videos.py',
    '../../_base_/schedules/adamw_cosine.py', '../../_base_/default_runtime.py'
]
model = dict(
    type='EndToEndLocalizer',
    data_preprocessor=dict(type='TALVideoPreprocessor'),
    front=dict(
        type='ClipFront',
        clip_len=16,
        frames_per_step=2,
        mean=(90, 90, 90),
        std=(60, 60, 60),
        norm_eval=False),
    backbone=dict(
        _delete_=True, type='ActionFormer', embed_dims=64, arch=(1, 1, 3), window_size=9),
    head=dict(num_classes=6))
train_cfg = dict(max_epochs=20, val_interval=10)
param_scheduler = dict(warmup=2)
optim_wrapper = dict(optimizer=dict(lr=2e-3, weight_decay=0.05))
auto_scale_lr = dict(base_batch_size=4)
