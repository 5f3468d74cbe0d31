# CLTDR-GMG as published: EPIC-KITCHENS-100 verbs; varifocal coarse loss
_base_ = ['../_base_/cltdr_gmg.py', '../../_base_/datasets/epic100_verb.py']
work_dir = 'work_dirs/release/cltdr_gmg/{{fileBasenameNoExtension}}'
model = dict(
    data_preprocessor=dict(size_divisor=160, input_noise=0.0003),
    backbone=dict(in_channels=2304, kernel_size=5),
    head=dict(
        num_classes=97,
        regression_ranges=[(0, 4), (2, 8), (4, 16), (8, 32), (16, 64), (32, 10000)],
        normalizer=dict(init=250), test_cfg=dict(nms_pre=5000), iou_power=0.25,
        loss_coarse=dict(
            _delete_=True, type='TALVarifocalLoss', alpha=0.25, positives_by_target=True)),
    postprocessor=dict(nms=dict(sigma=0.4)))
train_cfg = dict(max_epochs=28)
param_scheduler = dict(warmup=16, end_factor=0.5)
optim_wrapper = dict(optimizer=dict(lr=0.0001, weight_decay=0.04))
# padding leaks into the results: in a batch, a longer video would change them
val_dataloader = test_dataloader = dict(batch_size=1)
