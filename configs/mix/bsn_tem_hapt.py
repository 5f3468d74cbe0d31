# BSN on HAPT (UCI), MMAction2's TEM: a test writes its curves of all videos for `cltdr proposals`
_base_ = ['./tem_hapt.py']
work_dir = 'work_dirs/bsn_hapt/tem'
test_dataloader = dict(dataset=dict(subset=('train', 'test')))
test_evaluator = dict(
    _delete_=True,
    type='ANetMetric',
    metric_type='TEM',
    dump_config=dict(out='work_dirs/bsn_hapt/tem_results', output_format='csv'))
