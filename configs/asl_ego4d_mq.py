# ASL on Ego4D Moment Queries, InternVideo features, by OpenTAD's recipe for ActionFormer
_base_ = [
    '_base_/models/asl.py', '_base_/datasets/ego4d_mq_internvideo.py',
    '_base_/schedules/adamw_cosine.py', '_base_/default_runtime.py'
]
model = dict(
    backbone=dict(
        in_channels=1024, arch=(2, 2, 9), window_size=(17, ) * 7 + (-1, ) * 3, use_abs_pe=True,
        max_len=2048, input_dropout=0.2, dropout=0.1, attn_dropout=0.),
    head=dict(head=dict(
        num_classes=110,
        regression_ranges=[(0, 4), (2, 8), (4, 16), (8, 32), (16, 64), (32, 128), (64, 256),
                           (128, 512), (256, 1024), (512, 10000)],
        assigner=dict(type='CenterSamplingAssigner', all_classes=True),
        test_cfg=dict(nms_pre=5000))),
    postprocessor=dict(nms=dict(sigma=2.0), max_per_video=2000))
train_cfg = dict(max_epochs=20)
param_scheduler = dict(warmup=5, end=25)  # stops before the cosine ends
optim_wrapper = dict(optimizer=dict(lr=1e-4, weight_decay=0.05))
