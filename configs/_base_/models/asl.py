# ASL (ICCV 2023) around ActionFormer's head and encoder, sized for THUMOS14 with I3D features
_base_ = ['./actionformer.py']
model = dict(
    head=dict(
        _delete_=True,
        type='ASLHead',
        head=dict(
            type='ActionFormerHead',
            num_classes=20)))
