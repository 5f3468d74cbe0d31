# What all published trainings and tests share
_base_ = ['../../_base_/schedules/adamw_cosine.py', '../../_base_/default_runtime.py']
# from 0, by iteration; the end is the recipe's
param_scheduler = dict(start_factor=0., end_factor=1e-4)
# 0.999 of the average is kept at every step
default_hooks = dict(ema=dict(ema_type='ExponentialMovingAverage'))
randomness = dict(seed=1234567891)
