# ASL around ActionFormer for EPIC-KITCHENS-100
_base_ = ['./actionformer_epic.py']
model = dict(
    head=dict(
        _delete_=True,
        type='ASLHead',
        head=dict(
            type='ActionFormerHead',
            num_classes=97,
            regression_ranges=[(0, 4), (2, 8), (4, 16), (8, 32), (16, 64), (32, 10000)],
            normalizer=dict(init=250),
            test_cfg=dict(nms_pre=5000))))
