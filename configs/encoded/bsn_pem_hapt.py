# BSN on HAPT (UCI), MMAction2's PEM after GMG and TEM
_base_ = ['../mix/bsn_pem_hapt.py']
work_dir = 'work_dirs/encoded_bsn_hapt/pem'
folders = dict(
    pgm_proposals_dir='work_dirs/encoded_bsn_hapt/pgm_proposals',
    pgm_features_dir='work_dirs/encoded_bsn_hapt/pgm_features')
to_mmaction = [
    dict(type='LoadTALFeature'),
    dict(type='ResizeFeature', length=100),
    dict(type='TALToActivityNet'),
]
train_pipeline = [
    *to_mmaction,
    dict(type='LoadProposals', top_k=500, **folders),
    dict(type='PackLocalizationInputs', keys=('reference_temporal_iou', 'bsp_feature')),
]
test_pipeline = [
    *to_mmaction,
    dict(type='LoadProposals', top_k=1000, **folders),
    dict(
        type='PackLocalizationInputs',
        keys=('tmin', 'tmax', 'tmin_score', 'tmax_score', 'bsp_feature'),
        meta_keys=('video_name', 'duration_second', 'duration_frame', 'feature_frame')),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
