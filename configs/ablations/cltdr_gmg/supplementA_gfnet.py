# Supplement A, global view by GFNet (the paper reports no figure)
_base_ = ['../../cltdr_thumos_internvideo2.py']
model = dict(backbone=dict(global_mixer='gfnet'))
