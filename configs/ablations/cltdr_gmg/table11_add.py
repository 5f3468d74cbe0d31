# Table 11, DCM and DRM fuse by addition (paper: average mAP 73.5)
_base_ = ['../../cltdr_thumos_internvideo2.py']
model = dict(head=dict(fusion='add'))
