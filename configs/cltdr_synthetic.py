# A small CLTDR-GMG on generated sequences: what `make demo` trains
_base_ = [
    '_base_/models/cltdr_gmg.py', '_base_/datasets/synthetic.py',
    '_base_/schedules/adamw_cosine.py', '_base_/default_runtime.py'
]
model = dict(
    backbone=dict(in_channels=64, embed_dims=64, ffn_dims=96),
    head=dict(num_classes=6))
train_cfg = dict(max_epochs=10, val_interval=5)
param_scheduler = dict(warmup=2)
optim_wrapper = dict(optimizer=dict(lr=1e-3, weight_decay=0.05))
auto_scale_lr = dict(base_batch_size=4)
