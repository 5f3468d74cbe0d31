# ActionFormer on Ego4D Moment Queries, SlowFast, Omnivore and EgoVLP features each embedded apart,
# by OpenTAD's recipe for SlowFast features alone; the widths of the three are ours
_base_ = [
    '_base_/models/actionformer.py', '_base_/datasets/ego4d_mq_streams.py',
    '_base_/schedules/adamw_cosine.py', '_base_/default_runtime.py'
]
model = dict(
    backbone=dict(
        in_channels=2304 + 1536 + 256, streams=[(2304, 256), (1536, 192), (256, 64)],
        arch=(2, 2, 8), window_size=(9, ) * 6 + (-1, ) * 3, use_abs_pe=True, max_len=1024,
        input_dropout=0.2, dropout=0.1, attn_dropout=0.),
    head=dict(
        num_classes=110,
        regression_ranges=[(0, 4), (2, 8), (4, 16), (8, 32), (16, 64), (32, 128), (64, 256),
                           (128, 512), (256, 10000)],
        assigner=dict(type='CenterSamplingAssigner', all_classes=True),
        test_cfg=dict(nms_pre=5000)),
    postprocessor=dict(nms=dict(sigma=2.0), max_per_video=2000))
train_cfg = dict(max_epochs=20)
param_scheduler = dict(warmup=5, end=25)  # stops before the cosine ends, as published
optim_wrapper = dict(optimizer=dict(lr=1e-4, weight_decay=0.05))
