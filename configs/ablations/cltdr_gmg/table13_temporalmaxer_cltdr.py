# Table 13, CLTDR after TemporalMaxer's encoder, all else as there (paper: average mAP 73.1)
_base_ = ['../../temporalmaxer_thumos_internvideo2.py']
model = dict(
    head=dict(
        _delete_=True, type='CLTDRHead', num_classes=20, in_channels=512, num_bins=16))
