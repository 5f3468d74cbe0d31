# Table 4, row 2: TriDet's regression head (paper: average mAP 68.8)
_base_ = ['../../logo_thumos.py']
model = dict(head=dict(type='TridentHead', boundary_init_std=0.1))
