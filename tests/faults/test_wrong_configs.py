"""Wrong configs, options, data and checkpoints are refused by training and testing in one line."""
import os

import numpy as np
import pytest
import torch
from mistakes import annotations, checkpoint, each, feature, main_of, refuse, with_nan

TRAIN = 'train own.py --work-dir work'
GOOD = 'train config.py --work-dir work'
SET = f'{GOOD} --cfg-options '
RESUME = f'{GOOD} --resume e.pth'
TEST = 'test config.py e.pth --work-dir work'
TESTED = 'test config.py good.pth --work-dir work'


def no_folder(folder):
    (folder / 'work').write_text('')


@each([
    ('no config', '', 'train gone.py', 'there is no config gone.py'),
    ('config is a folder', '', 'train data', 'there is no config data'),
    ('config is no Python', {'own.txt': 'hello'}, 'train own.txt', 'own.txt: is no config (.py)'),
    ('config is empty', {'own.py': ''}, TRAIN, 'own.py: is empty'),
    ('config is data', '', 'train results.json --work-dir work', 'the config has no `model`'),
    ('syntax error', {'own.py': 'a = 1\nb = (\n'}, TRAIN,
     'own.py: cannot be read: line 2: SyntaxError'),
    ('name error', {'own.py': 'a = 1\nb = c\n'}, TRAIN, ('own.py', 'line 2', "name 'c'")),
    ('error in a base', {'own.py': "_base_ = 'b.py'\n", 'b.py': '\n\na = b'}, TRAIN,
     ('b.py: cannot be read: line 3', "name 'b' is not defined")),
    ('no base', {'own.py': "_base_ = 'gone.py'\n"}, TRAIN, ('own.py', 'gone.py: No such file')),
    ('bases in a circle', {'own.py': "_base_ = 'b.py'\n", 'b.py': "_base_ = 'own.py'\n"}, TRAIN,
     ('own.py', '`_base_` leads back to itself')),
    ('no such import', "custom_imports = dict(imports=['gone'])", TRAIN,
     ('custom_imports', "No module named 'gone'")),
    ('dict for a list', "custom_hooks = dict(type='EMAHook')", TRAIN, ('own.py', 'custom_hooks')),
])
def test_config_files(mistake, place, capsys):
    refuse(mistake, place, capsys)


@each([(f'type of the {name}', change, TRAIN, words) for name, change, words in [
    ('model', "model = dict(type='SingleStageLocaliser')",
     ('model.type: `SingleStageLocaliser`', 'mean `SingleStageLocalizer`')),
    ('backbone', "model = dict(backbone=dict(type='GMGG'))",
     ('model.backbone.type: `GMGG`', 'mean `GMG`')),
    ('head', "model = dict(head=dict(type='CLTDRhead'))",
     ('model.head.type: `CLTDRhead`', 'mean `CLTDRHead`')),
    ('post-processor', "model = dict(postprocessor=dict(nms=dict(type='SoftNM')))",
     ('model.postprocessor.nms.type: `SoftNM`', 'mean `SoftNMS`')),
    ('hook', "custom_hooks = [dict(type='EMAHok')]",
     ('custom_hooks.0.type: `EMAHok`', 'mean `EMAHook`')),
    ('average', "default_hooks = dict(ema=dict(ema_type='WarmupEMAA'))",
     ('default_hooks.ema.ema_type: `WarmupEMAA`', 'mean `WarmupEMA`')),
    ('data set', "train_dataloader = dict(dataset=dict(type='TALDatset'))",
     ('train_dataloader.dataset.type: `TALDatset`', 'mean `TALDataset`')),
    ('transform', "train_dataloader = dict(dataset=dict(pipeline=[dict(type='LoadTAL')]))",
     ('train_dataloader.dataset.pipeline.0.type: `LoadTAL`', 'mean `LoadTAL')),
    ('sampler', "train_dataloader = dict(sampler=dict(type='DefaultSampeler'))",
     ('train_dataloader.sampler.type: `DefaultSampeler`', 'mean `DefaultSampler`')),
    ('collate function', "train_dataloader = dict(collate_fn=dict(type='pseudo_colate'))",
     ('train_dataloader.collate_fn.type: `pseudo_colate`', 'mean `pseudo_collate`')),
    ('worker function', "train_dataloader = dict(worker_init_fn=dict(type='tal_seed'))",
     ('train_dataloader.worker_init_fn.type: `tal_seed`', 'mean `tal_seed_worker`')),
    ('metric', "val_evaluator = dict(type='TALMetrics')",
     ('val_evaluator.type: `TALMetrics`', 'mean `TALMetric`')),
    ('optimizer', "optim_wrapper = dict(optimizer=dict(type='AdanW'))",
     ('optim_wrapper.optimizer.type: `AdanW`', 'mean `AdamW`')),
    ('constructor', "optim_wrapper = dict(constructor='TALOptimWrapperConstr')",
     ('optim_wrapper.constructor: ', 'mean `TALOptimWrapperConstructor`')),
    ('scheduler', "param_scheduler = dict(type='WarmupCosinLR')",
     ('param_scheduler.type: `WarmupCosinLR`', 'mean `WarmupCosineLR`')),
    ('loop', "train_cfg = dict(type='EpochTrainLoop')",
     ('train_cfg.type: `EpochTrainLoop`', 'mean `EpochBasedTrainLoop`')),
    ('back-end', "visualizer = dict(vis_backends=[dict(type='LocalBackend')])",
     ('visualizer.vis_backends.0.type: `LocalBackend`', 'mean `LocalVisBackend`')),
    ('scope', "default_scope = 'mmactoin'", ("default_scope='mmactoin'", '`TALVisualizer`')),
]])
def test_misspelt_types(mistake, place, capsys):
    refuse(mistake, place, capsys)


@each([(f'key of the {name}', change, TRAIN, words) for name, change, words in [
    ('top', 'train_dataloaders = dict()', ('own.py', 'mean `train_dataloader`')),
    ('model', 'model = dict(necks=3)', ('model.necks: SingleStageLocalizer', 'mean `neck`')),
    ('backbone', 'model = dict(backbone=dict(ffn_dim=3))',
     ('model.backbone.ffn_dim: GMG has no such argument', 'mean `ffn_dims`')),
    ('head', 'model = dict(head=dict(num_class=3))', ('model.head.num_class', '`num_classes`')),
    ('post-processor', 'model = dict(postprocessor=dict(nms_thr=3))',
     'model.postprocessor.nms_thr: TALPostProcessor has no such argument'),
    ('loader', 'train_dataloader = dict(batchsize=3)',
     ('train_dataloader.batchsize: DataLoader has no such argument', 'mean `batch_size`')),
    ('data set', "train_dataloader = dict(dataset=dict(annfile='x'))",
     ('train_dataloader.dataset.annfile: TALDataset', 'mean `ann_file`')),
    ('data prefix', "train_dataloader = dict(dataset=dict(data_prefix=dict(feat='x')))",
     ('train_dataloader.dataset: data_prefix takes feats', "['feat']")),
    ('metric', "val_evaluator = dict(protocoll='x')", ('val_evaluator.protocoll', '`protocol`')),
    ('optimizer', 'optim_wrapper = dict(optimizer=dict(weightdecay=1))',
     ('optim_wrapper.optimizer.weightdecay: AdamW', 'mean `weight_decay`')),
    ('clipping', 'optim_wrapper = dict(clip_grad=dict(max_norms=1))',
     ('optim_wrapper.clip_grad.max_norms', 'mean `max_norm`')),
    ('loop', 'train_cfg = dict(max_epoch=3)', ('train_cfg.max_epoch: ', 'mean `max_epochs`')),
    ('checkpoints', 'default_hooks = dict(checkpoint=dict(save_lasts=True))',
     ('default_hooks.checkpoint.save_lasts: TALCheckpointHook', 'mean `save_last`')),
    ('seed', 'randomness = dict(sed=3)', ('randomness.sed', 'mean `seed`')),
]])
def test_misspelt_keys(mistake, place, capsys):
    refuse(mistake, place, capsys)


@each([
    *((f'no type: {path}', change, TRAIN, f'{path}: `type` is missing') for path, change in [
        ('model', 'model = dict(_delete_=True, a=3)'),
        ('model.backbone', 'model = dict(backbone=dict(_delete_=True, in_channels=16))'),
        ('train_dataloader.dataset', 'train_dataloader = dict(dataset=dict(_delete_=True, a=1))'),
        ('custom_hooks.0', 'custom_hooks = [dict(interval=3)]'),
        ('val_evaluator', "val_evaluator = dict(_delete_=True, protocol='custom')"),
        ('optim_wrapper', 'optim_wrapper = dict(_delete_=True, optimizer=dict(lr=1))'),
    ]),
    ('no type: train_cfg', 'train_cfg = dict(_delete_=True, max_epochs=3)', TRAIN,
     ('train_cfg.max_epochs', 'train_cfg has no `type`')),
    ('no optimizer', "optim_wrapper = dict(_delete_=True, type='OptimWrapper')", TRAIN,
     'optim_wrapper: `optimizer` is missing'),
    ('optimizer is a name', "optim_wrapper = dict(optimizer='AdamW')", TRAIN,
     ('optim_wrapper.optimizer must be dict(type=', "'AdamW'")),
    ('model is a number', 'model = 3', TRAIN, ('model should be', 'got 3')),
    ('backbone is a name', "model = dict(backbone='GMG')", TRAIN, 'model.backbone: '),
    ('data set is a name', "train_dataloader = dict(dataset='TALDataset')", TRAIN,
     ('dataset', 'must be dict(type=...)', "'TALDataset'")),
    ('metric is a name', "val_evaluator = ['TALMetric']", TRAIN,
     ('val_evaluator must be', "'TALMetric'")),
    ('hook is a name', "custom_hooks = ['EMAHook']", TRAIN, ('custom_hooks: ', 'EMAHook')),
    ('no optimizer wrapper', 'optim_wrapper = None', TRAIN,
     ('optim_wrapper of', 'is None or missing')),
    ('pipeline without an end', 'train_dataloader = dict(dataset=dict(pipeline=[]))', TRAIN,
     ('pipeline', 'PackTALInputs')),
    ('no numbers of channels', "model = dict(backbone=dict(in_channels='16'))", TRAIN,
     'model.backbone: '),
])
def test_parts_that_are_missing_or_something_else(mistake, place, capsys):
    refuse(mistake, place, capsys)


@each([
    ('blanks', '', f'{SET}a = 3', ("'a' is no change of a config", 'key=value without blanks')),
    ('no value', '', f'{SET}a', "'a' is no change"),
    ('no key', '', f'{SET}=3', "'=3' is no change"),
    ('brackets', '', f'{SET}model.a=[1,(2]', 'brackets'),
    ('no such key', '', f'{SET}train_dataloaders.batch_size=3',
     ('train_dataloaders.batch_size', 'mean `train_dataloader`')),
    ('no number', '', f'{SET}optim_wrapper.optimizer.lr=1e-4x',
     ('optim_wrapper.optimizer.lr: was 0.001', "'1e-4x' is no number")),
    ('neither True nor False', '', f'{SET}train_dataloader.sampler.shuffle=maybe', 'neither True'),
    ('a list for a number', '', f'{SET}optim_wrapper.optimizer.lr=[1,2]',
     'optim_wrapper.optimizer.lr must be a number, got list'),
    ('an index too large', '', f'{SET}train_dataloader.dataset.pipeline.9.max_len=3',
     ('train_dataloader.dataset.pipeline is a list of 3', 'no 9')),
    ('no index', '', f'{SET}train_dataloader.dataset.pipeline.x.max_len=3', 'which has no x'),
    ('a key in a number', '', f'{SET}train_dataloader.batch_size.x=3',
     'train_dataloader.batch_size is 2'),
    ('workers', '', f'{SET}train_dataloader.num_workers=-1',
     ('train_dataloader.num_workers must be', 'got -1')),
    ('batch size', '', f'{SET}train_dataloader.batch_size=0',
     ('train_dataloader: ', 'batch_size=0')),
    ('learning rate', '', f'{SET}optim_wrapper.optimizer.lr=-1',
     'optim_wrapper.optimizer: Invalid learning rate: -1'),
    ('clipping to nothing', '', f'{SET}optim_wrapper.clip_grad.max_norm=0',
     ('optim_wrapper.clip_grad.max_norm must be positive', 'clip_grad=None')),
    ('no epoch', '', f'{SET}train_cfg.max_epochs=0', ('does not fit into 0', 'max_epochs')),
    ('warm-up', '', f'{SET}param_scheduler.warmup=9', ('warm-up of 9 epochs', 'max_epochs')),
    ('interval of validations', '', f'{SET}train_cfg.val_interval=0',
     'train_cfg.val_interval must be at least 1, got 0'),
    ('what is best', '', f'{SET}default_hooks.checkpoint.save_best=mAP',
     ('save_best', 'measures no `mAP`', 'average_mAP, average_mAP@0.5:0.95, mAP@0.3')),
    ('protocol', '', f'{SET}val_evaluator.protocol=thumos',
     ('val_evaluator: ', "unknown protocol 'thumos'", 'thumos14')),
    ('work dir is a file', no_folder, GOOD, ('--work-dir', 'work is a file, not a folder')),
    ('work dir in a file', no_folder, f'{GOOD}/deep', 'work is a file, not a folder'),
    ('work dir of the config', no_folder, 'train config.py --cfg-options work_dir=work',
     'work: is a file, not a folder'),
    ('launcher', '', f'{GOOD} --launcher pytorch', ('has no RANK', 'tools/dist_train.sh')),
    ('Slurm', '', f'{GOOD} --launcher slurm', ('has no SLURM_PROCID', 'tools/slurm_train.sh')),
    ('seed', '', f'{GOOD} --seed -1', 'Seed must be between 0'),
    ('mixed precision', 'optim_wrapper = None', f'{TRAIN} --amp', '--amp changes optim_wrapper'),
    ('scaling', 'auto_scale_lr = None', f'{TRAIN} --auto-scale-lr', 'auto_scale_lr.base_batch'),
    ('unknown option', '', f'{GOOD} --resme', '--resme'),
])
def test_options(mistake, place, capsys):
    refuse(mistake, place, capsys)


@pytest.mark.skipif(os.geteuid() == 0, reason='root may write everywhere')
def test_a_work_dir_that_cannot_be_written(place, capsys):
    place.chmod(0o555)
    with pytest.raises(SystemExit):
        main_of('train')(['config.py', '--work-dir', 'work'])
    assert 'cannot be written' in capsys.readouterr().err


DATA = 'train_dataloader.dataset.'


@each([
    ('data root', '', f'{SET}{DATA}data_root=gone/',
     ('gone/annotations.json', 'No such file', 'looked for from {folder}')),
    ('annotation file', '', f'{SET}{DATA}ann_file=gone.json',
     ('data/gone.json', 'looked for from {folder}')),
    ('feature folder', '', f'{SET}{DATA}data_prefix.feats=gone',
     ('data/gone: data_prefix: there is no such folder', 'looked for from {folder}')),
    ('endings', '', f'{SET}{DATA}file_suffix=.npz',
     ('7 problems', 'train_00000.npz', 'missing feature', 'looked for from {folder}')),
    ('subset', '', f'{SET}{DATA}subset=training',
     ("no video of subset ['training']", "['test', 'train', 'validation']")),
    ('classes of the head', '', f'{SET}model.head.num_classes=4',
     ('classes: there are 3', 'model.head.num_classes is 4')),
    ('labels of the head', '', f'{SET}model.head.num_classes=2',
     ('classes: there are 3', 'model.head.num_classes is 2')),
    ('channels of the backbone', '', f'{SET}model.backbone.in_channels=8',
     ('features have 16 channels', 'model.backbone.in_channels is 8')),
    ('channels of a file', feature(lambda rows: rows[:, :8]), GOOD,
     ('train_00000.npy', '8 channels, feature_dim is 16')),
    ('layout', feature(np.transpose), GOOD, ('train_00000.npy', 'is the layout not time_major?')),
    ('NaN', feature(with_nan), GOOD, ('train_00000.npy', 'NaN or inf at step 3, channel 5')),
    ('no steps', feature(lambda rows: rows[:0]), GOOD, ('train_00000.npy', 'zero-length feature')),
    ('stride', '', f'{SET}{DATA}feature_stride=4',
     ('7 problems', 'feature length: ', 'stride 4', 'the duration is')),
    ('length', annotations(lambda _, video: video['annotations'][0].update(segment=[1, 1])), GOOD,
     ("video 'train_00000': annotations[0].segment: end 1 s is not after start 1 s")),
    ('label', annotations(lambda _, video: video['annotations'][0].update(label='action_0')), GOOD,
     ("'train_00000': annotations[0].label: unknown label 'action_0'", 'action_00')),
    ('rate', annotations(lambda _, video: video.pop('fps')), GOOD, 'fps: is missing'),
    ('no classes', annotations(lambda content, _: content.pop('classes')), GOOD,
     ('data/annotations.json: classes: no class names', 'metainfo=dict(classes=[...])')),
    ('results for annotations', lambda folder: (folder / 'results.json').replace(
        folder / 'data/annotations.json'), GOOD, ('database: is missing', 'a result file?')),
    ('nothing to validate', annotations(lambda content, _: [
        content['database'].pop(name) for name in list(content['database']) if 'valid' in name]),
     GOOD, ("no video of subset ['validation']", "['test', 'train']")),
    ('nothing to learn', annotations(lambda content, _: [
        entry.update(annotations=[]) for entry in content['database'].values()]), GOOD,
     ('train_dataloader.dataset: data/annotations.json', 'no sample is left to train on')),
])
def test_data(mistake, place, capsys):
    refuse(mistake, place, capsys)


@each([
    ('resumed: no file', '', RESUME, 'there is no checkpoint e.pth'),
    ('resumed: a folder without', '', f'{GOOD} --resume data', 'data holds no checkpoint'),
    ('resumed: an empty file', {'e.pth': ''}, RESUME, 'e.pth: file: is empty'),
    ('resumed: a part', lambda folder: (folder / 'e.pth').write_bytes(
        (folder / 'good.pth').read_bytes()[:3000]), RESUME, 'e.pth: file: is cut off'),
    ('resumed: a text', {'e.pth': 'hello'}, RESUME, 'e.pth: file: is no checkpoint of torch'),
    ('resumed: weights', checkpoint(lambda content: dict(state_dict=content['state_dict'])), RESUME,
     ('e.pth: optimizer: is missing', 'load_from')),
    ('resumed: another model', '', f'{GOOD} --resume good.pth --cfg-options '
     'model.backbone.embed_dims=32', ('good.pth', 'does not fit the model', 'backbone.embd.0')),
    ('resumed: another optimizer', '', f'{GOOD} --resume good.pth --cfg-options '
     'optim_wrapper.optimizer.type=SGD', ('good.pth: optimizer: is not of SGD', "'betas'")),
    ('started from another model', checkpoint(lambda _: dict(state_dict=dict(a=torch.zeros(1)))),
     f'{SET}load_from=e.pth', ('e.pth', 'has nothing for the model', 'left over: a')),
    ('tested: no file', '', TEST, 'there is no checkpoint e.pth'),
    ('tested: another model', '', f'{TESTED} --cfg-options model.backbone.embed_dims=32',
     ('good.pth: state_dict: does not fit the model', 'not (32, 16, 3)')),
    ('tested: other classes', checkpoint(lambda content: content['meta']['dataset_meta'].update(
        classes=('a', 'b', 'c')) or content), TEST, ('e.pth: classes: are others', "'a', 'b'")),
    ('tested: another order', checkpoint(lambda content: content['meta']['dataset_meta'].update(
        classes=['action_01', 'action_00', 'action_02']) or content), TEST,
     ('e.pth: classes: stand in another order', "class 0 is 'action_01'")),
    ('tested: bare weights', checkpoint(lambda content: content['state_dict']), TEST,
     ('e.pth', 'bare weights', 'dict(state_dict=weights)')),
    ('tested: published', checkpoint(lambda content: dict(state_dict_ema={}, state_dict={
        f'module.{key}': value for key, value in content['state_dict'].items()})), TEST,
     ('published, it seems', 'tools/model_converters/convert_checkpoint.py')),
    ('dump', '', f'{TESTED} --dump out.json', ('--dump writes a pickle', '.pkl or .pickle')),
    ('dump is a folder', lambda folder: (folder / 'a.pkl').mkdir(), f'{TESTED} --dump a.pkl',
     'a.pkl is a folder, not a file'),
    ('out is a file', '', f'{TESTED} --out results.json', ('--out', 'is a file, not a folder')),
    ('pictures in a file', '', f'{TESTED} --show-dir results.json', '--show-dir'),
    ('no metric', 'test_evaluator = None', 'test own.py good.pth --work-dir work --out out',
     'test_evaluator must be the config of a metric'),
])
def test_checkpoints_and_tests(mistake, place, capsys):
    refuse(mistake, place, capsys)


@pytest.mark.parametrize('argv', [['train', 'config.py'], ['test', 'config.py', 'good.pth']])
def test_faults_of_the_code_keep_their_traceback(place, monkeypatch, argv):
    def run(*args):
        raise TypeError('a fault')

    main = main_of(argv[0])
    monkeypatch.setitem(main.__globals__, 'run', run)
    with pytest.raises(TypeError, match='a fault'):
        main([*argv[1:], '--work-dir', 'work'])
