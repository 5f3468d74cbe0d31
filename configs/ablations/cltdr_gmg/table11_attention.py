# Table 11, DCM and DRM fuse by attention (paper: average mAP 74.3)
_base_ = ['../../cltdr_thumos_internvideo2.py']
model = dict(head=dict(fusion='attention'))
