# Supplement A, global view by FNet (the paper reports no figure)
_base_ = ['../../cltdr_thumos_internvideo2.py']
model = dict(backbone=dict(global_mixer='fnet'))
