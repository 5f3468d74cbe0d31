# MMAction2's own TCANet, unchanged, on ActivityNet-1.3's TSP features by our data set and metric
_base_ = ['../encoded/tcanet_anet.py']
# as in the config of the localizer behind our encoder, which is as wide as the features
model = dict(_delete_=True, **_base_.model.localizer)
pipeline = [
    dict(type='LoadTALFeature'),
    dict(type='ResizeFeature', length=100),
    dict(type='LoadTALProposals', proposal_files={{_base_.proposal_files}}),
    dict(type='TALToActivityNet'),
    dict(type='GenerateLocalizationLabels'),
    dict(
        type='PackLocalizationInputs',
        keys=('gt_bbox', 'proposals'),
        meta_keys=('video_name', 'duration_second', 'duration_frame', 'feature_frame')),
]
train_dataloader = dict(dataset=dict(pipeline=pipeline))
# TCANet names the first video of a batch only
val_dataloader = dict(batch_size=1, dataset=dict(pipeline=pipeline))
test_dataloader = dict(batch_size=1, dataset=dict(pipeline=pipeline))
custom_hooks = [dict(type='FastSoftNMSHook')]
