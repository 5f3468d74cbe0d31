# AdaTAD on THUMOS14, VideoMAE-S, adapters beside the last 6 blocks (AdaTAD's dagger)
_base_ = ['./thumos_s.py']
model = dict(
    front=dict(adapter=dict(side_tuning=True, blocks=[6, 7, 8, 9, 10, 11])),
    backbone=dict(input_dropout=0.1))
