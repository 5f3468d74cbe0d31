# Table 13, CLTDR after ActionMamba's encoder, all else as there (paper: average mAP 73.4)
_base_ = ['../../actionmamba_thumos_internvideo2.py']
model = dict(
    head=dict(
        _delete_=True, type='CLTDRHead', num_classes=20, in_channels=512, num_bins=16))
