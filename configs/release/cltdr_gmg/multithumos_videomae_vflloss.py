# CLTDR-GMG as published: MultiTHUMOS, VideoMAEv2 features; varifocal coarse loss
_base_ = ['../_base_/cltdr_gmg.py', '../../_base_/datasets/multithumos_videomaev2.py']
work_dir = 'work_dirs/release/cltdr_gmg/{{fileBasenameNoExtension}}'
model = dict(
    backbone=dict(in_channels=1408, ffn_dims=1024),
    head=dict(
        num_classes=65, iou_power=0.25,
        loss_coarse=dict(
            _delete_=True, type='TALVarifocalLoss', alpha=0.25, positives_by_target=True)))
train_cfg = dict(max_epochs=60)
param_scheduler = dict(warmup=25, end_factor=6.66667e-05)
optim_wrapper = dict(optimizer=dict(lr=0.00015, weight_decay=0.03))
# padding leaks into the results: in a batch, a longer video would change them
val_dataloader = test_dataloader = dict(batch_size=1)
