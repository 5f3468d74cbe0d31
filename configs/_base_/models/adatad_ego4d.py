# AdaTAD for Ego4D Moment Queries
_base_ = ['./adatad.py']
model = dict(
    front=dict(frames_per_step=4),
    backbone=dict(
        arch=(2, 2, 9), window_size=(17, ) * 7 + (-1, ) * 3, use_abs_pe=True, max_len=2048,
        input_dropout=0.2, dropout=0.1, attn_dropout=0.),
    head=dict(
        num_classes=110,
        # neighbouring ranges overlap, and so do activities: a point has the classes of all
        regression_ranges=[(0, 4), (2, 8), (4, 16), (8, 32), (16, 64), (32, 128), (64, 256),
                           (128, 512), (256, 1024), (512, 10000)],
        assigner=dict(type='CenterSamplingAssigner', all_classes=True),
        test_cfg=dict(nms_pre=5000)))
