default_scope = 'mmaction'
custom_imports = dict(imports=['cltdr_mm'], allow_failed_imports=False)

default_hooks = dict(
    epoch_seed=dict(type='EpochSeedHook'),
    runtime_info=dict(type='RuntimeInfoHook'),
    timer=dict(type='IterTimerHook'),
    logger=dict(type='TALLoggerHook', interval=20, ignore_last=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    # looks back on the last tenth of the training, from 9,000 steps on on 1,000 steps
    ema=dict(type='EMAHook', ema_type='WarmupEMA', momentum=0.001),
    checkpoint=dict(
        type='TALCheckpointHook', interval=1, save_best='average_mAP', rule='greater',
        max_keep_ckpts=3),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    # do model, data sets, metrics and video-level scores fit each other? asked before the run
    setup_check=dict(type='SetupCheckHook'),
    finite_loss=dict(type='FiniteLossHook'),
    sync_buffers=dict(type='SyncBuffersHook'))

env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'))

log_processor = dict(type='LogProcessor', window_size=20, by_epoch=True)
log_level = 'INFO'

# `--tensorboard` adds TensorBoard, dict(type='TALTensorboardVisBackend')
visualizer = dict(type='TALVisualizer', vis_backends=[dict(type='LocalVisBackend')])

randomness = dict(seed=0)
load_from = None
resume = False
