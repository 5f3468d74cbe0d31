# Table 13, CLTDR after ActionFormer's encoder, all else as there (paper: average mAP 72.6)
_base_ = ['../../actionformer_thumos_internvideo2.py']
model = dict(
    head=dict(
        _delete_=True, type='CLTDRHead', num_classes=20, in_channels=512, num_bins=16))
