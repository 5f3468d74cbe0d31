# MMAction2's own TEM (BSN), unchanged, on HAPT (UCI) by our data set and metric
_base_ = ['../encoded/tem_hapt.py']
model = dict(
    _delete_=True,
    type='TEM',
    temporal_dim=100,
    boundary_ratio=0.1,
    tem_feat_dim=150,
    tem_hidden_dim=512,
    tem_match_threshold=0.5)
pipeline = [
    dict(type='LoadTALFeature'),
    dict(type='ResizeFeature', length=100),
    dict(type='TALToActivityNet'),
    dict(type='GenerateLocalizationLabels'),
    dict(
        type='PackLocalizationInputs',
        keys=('gt_bbox', ),
        meta_keys=('video_name', 'duration_second', 'duration_frame', 'feature_frame')),
]
train_dataloader = dict(dataset=dict(pipeline=pipeline))
test_dataloader = dict(dataset=dict(pipeline=pipeline))
# its curves become proposals in the metric, by BSN's rule
postprocessor = dict(
    type='TALPostProcessor', nms=dict(type='SoftNMS', sigma=0.4), max_per_video=100, min_score=0.)
test_evaluator = dict(postprocessor=postprocessor)
