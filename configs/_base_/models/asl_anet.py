# ASL around ActionFormer for ActivityNet-1.3: class-agnostic proposals, video-level scores. So
# there is one class: one curve for all actions, and the contrastive loss sets actions against
# background.
_base_ = ['./actionformer_anet.py']
model = dict(
    head=dict(
        _delete_=True,
        type='ASLHead',
        head=dict(
            type='ActionFormerHead',
            num_classes=1,
            label_smoothing=0.1,
            reg_weight=2.0,
            normalizer=dict(init=200),
            test_cfg=dict(min_length=0.001))))
