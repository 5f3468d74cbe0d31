# AdaTAD on THUMOS14, VideoMAE V2-g, 1536 frames of 224 x 224 pixels, adapters beside the blocks
_base_ = ['./thumos_g_224.py']
model = dict(front=dict(adapter=dict(side_tuning=True, ratio=0.125)))
