# ActionFormer on the frames of a video: SlowOnly-R50 clip by clip, trained along. Another backbone
# of MMAction2, what is trained and what is kept for the backward pass are settings of `front`.
_base_ = ['./actionformer.py']
model = dict(
    type='EndToEndLocalizer',
    data_preprocessor=dict(type='TALVideoPreprocessor'),
    front=dict(
        type='ClipFront',
        backbone=dict(type='ResNet3dSlowOnly', depth=50, pretrained=None, norm_eval=False),
        clip_len=16,
        frames_per_step=4,
        with_cp=True,
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://download.openmmlab.com/mmaction/v1.0/recognition/slowonly/'
                       'slowonly_r50_8xb16-8x8x1-256e_kinetics400-rgb/'
                       'slowonly_r50_8xb16-8x8x1-256e_kinetics400-rgb_20220901-2132fc87.pth')),
    backbone=dict(in_channels=None))  # the front's width
