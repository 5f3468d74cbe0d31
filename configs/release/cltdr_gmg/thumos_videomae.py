# CLTDR-GMG as published: THUMOS14, VideoMAEv2 features; varifocal coarse loss
_base_ = ['../_base_/cltdr_gmg.py', '../../_base_/datasets/thumos14_videomaev2.py']
work_dir = 'work_dirs/release/cltdr_gmg/{{fileBasenameNoExtension}}'
model = dict(
    data_preprocessor=dict(input_noise=0.0005), backbone=dict(in_channels=1408),
    head=dict(loss_coarse=dict(
            _delete_=True, type='TALVarifocalLoss', alpha=0.25, positives_by_target=True)))
train_cfg = dict(max_epochs=62)
param_scheduler = dict(warmup=30, end_factor=0.0001)
optim_wrapper = dict(optimizer=dict(lr=0.0001, weight_decay=0.055))
# padding leaks into the results: in a batch, a longer video would change them
val_dataloader = test_dataloader = dict(batch_size=1)
