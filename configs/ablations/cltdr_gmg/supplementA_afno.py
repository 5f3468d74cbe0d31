# Supplement A, global view by AFNO (the paper reports no figure)
_base_ = ['../../cltdr_thumos_internvideo2.py']
# 8 blocks, as published
model = dict(backbone=dict(global_mixer='afno', num_heads=8))
