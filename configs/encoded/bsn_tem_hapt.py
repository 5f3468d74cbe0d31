# BSN on HAPT (UCI), GMG before TEM: a test writes its curves of all videos for `cltdr proposals`
_base_ = ['./tem_hapt.py']
work_dir = 'work_dirs/encoded_bsn_hapt/tem'
test_dataloader = dict(dataset=dict(subset=('train', 'test')))
test_evaluator = dict(
    _delete_=True, type='TEMCurves', out_dir='work_dirs/encoded_bsn_hapt/tem_results')
