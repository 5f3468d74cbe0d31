# TriDet as published: EPIC-KITCHENS-100 nouns
_base_ = ['../_base_/tridet.py', '../../_base_/datasets/epic100_noun.py']
work_dir = 'work_dirs/release/tridet/{{fileBasenameNoExtension}}'
model = dict(
    data_preprocessor=dict(input_noise=0), backbone=dict(in_channels=2304, ffn_dims=1024, k=4),
    head=dict(
        num_classes=300,
        regression_ranges=[(0, 4), (2, 8), (4, 16), (8, 32), (16, 64), (32, 10000)],
        label_smoothing=0.1, normalizer=dict(init=250), test_cfg=dict(nms_pre=5000),
        iou_power=0.25),
    postprocessor=dict(nms=dict(sigma=0.4)))
train_cfg = dict(max_epochs=19)
param_scheduler = dict(warmup=5, end_factor=0.0001)
optim_wrapper = dict(optimizer=dict(lr=0.0001, weight_decay=0.05))
# padding leaks into the results: in a batch, a longer video would change them
val_dataloader = test_dataloader = dict(batch_size=1)
