# BSN on HAPT (UCI), MMAction2's PEM after GMG and TEM
_base_ = ['../mix/bsn_pem_hapt.py']
work_dir = 'work_dirs/encoded_bsn_hapt/pem'
folders = dict(
    pgm_proposals_dir='work_dirs/encoded_bsn_hapt/pgm_proposals',
    pgm_features_dir='work_dirs/encoded_bsn_hapt/pgm_features')
# LoadProposals of both pipelines reads these folders; all else is as there
train_pipeline = _base_.train_pipeline
test_pipeline = _base_.test_pipeline
train_pipeline[3].update(folders)
test_pipeline[3].update(folders)
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
