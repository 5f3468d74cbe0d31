# Table 11, DCM and DRM fuse by concatenation (paper: average mAP 73.4)
_base_ = ['../../cltdr_thumos_internvideo2.py']
model = dict(head=dict(fusion='concat'))
