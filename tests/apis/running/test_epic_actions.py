"""``cltdr epic_action`` from two trained models to the challenge's file."""
import json
import re

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope

from cltdr_mm.apis.running.epic_actions import action_config
from cltdr_mm.cli.epic_action import main
from cltdr_mm.cli.submission import main as submission
from cltdr_mm.datasets.classes import class_names
from cltdr_mm.evaluation import read_submission

NUMBERS = dict(verb=97, noun=300)
CONFIG = '''
_base_ = ['{base}']
model = dict(
    type='SingleStageLocalizer',
    backbone=dict(type='ConvPyramid', in_channels=6, embed_dims=8, arch=(1, 1, 2), ffn_dims=8),
    head=dict(type='ActionFormerHead', num_classes={number}, prior_prob=0.2),
    postprocessor=dict(type='TALPostProcessor', nms=dict(type='SoftNMS', sigma=0.4),
                       max_per_video={most}))
data = dict(
    type='EPICKitchens100Dataset', task='{task}', data_root='{folder}/', subset='validation',
    ann_file='{task}.json', data_prefix=dict(feats='feats'), feature_stride={stride},
    feature_window=16, fps=16, test_mode=True, {window}
    pipeline=[dict(type='LoadTALFeature'), dict(type='PackTALInputs')])
test_dataloader = dict(batch_size=2, num_workers=0, dataset=data,
                       sampler=dict(type='DefaultSampler', shuffle=False))
test_cfg = dict(type='TestLoop')
test_evaluator = dict(type='TALMetric', protocol='epic100', ann_file='{folder}/{task}.json',
                      {merge})
'''


@pytest.fixture
def data(tmp_path):
    """Two videos whose verbs and nouns lie on the same segments, in two annotation files."""
    rng = np.random.default_rng(0)
    (tmp_path / 'feats').mkdir()
    files = {task: {} for task in NUMBERS}
    for index, name in enumerate(('P01_11', 'P02_12')):
        np.save(tmp_path / 'feats' / f'{name}.npy', rng.normal(size=(40, 6)).astype(np.float32))
        segments = [[3. + k, 9. + 2 * k] for k in range(4)]
        for task, number in NUMBERS.items():
            labels = [(7 * k + index) % number for k in range(4)]
            files[task][name] = dict(
                subset='validation', duration=40., fps=16., annotations=[
                    dict(segment=segment, label=class_names(f'epic100_{task}')[label],
                         label_id=label) for segment, label in zip(segments, labels)])
    for task, database in files.items():
        (tmp_path / f'{task}.json').write_text(json.dumps(dict(database=database)))
    return tmp_path


@pytest.fixture
def train(data, project_root):
    """Function that writes config and checkpoint of a task."""
    def make(task, number=None, most=200, stride=16, window='', merge=''):
        path = data / f'{task}_config.py'
        base = project_root / 'configs' / '_base_' / 'default_runtime.py'
        path.write_text(CONFIG.format(base=base, task=task, folder=data, most=most, stride=stride,
                                      number=number or NUMBERS[task], window=window, merge=merge))
        init_default_scope('mmaction')
        torch.manual_seed(len(task))
        model = MODELS.build(Config.fromfile(path).model)
        for parameter in model.parameters():
            parameter.data += 0.1 * torch.randn_like(parameter)
        checkpoint = data / f'{task}.pth'
        torch.save(dict(meta=dict(dataset_meta=dict(classes=list(class_names(f'epic100_{task}')))),
                        state_dict=model.state_dict()), checkpoint)
        return [str(path), str(checkpoint)]
    return make


def failure(*words) -> str:
    with pytest.raises(SystemExit) as end:
        main(list(words))
    return str(end.value.code)


def test_from_two_trainings_to_the_challenge(data, train, capsys):
    words = [*train('verb'), *train('noun')]
    out = data / 'out'
    main([*words, '--out', str(out), '--work-dir', str(data / 'work'), '--cfg-options',
          'model.score_thr=0.01', 'model.postprocessor.max_per_video=50'])
    text = capsys.readouterr().out
    assert 'mAP of one list' in text and 'test.json' in text
    assert 'verb_alone: epic100: ' in text and 'noun_alone: epic100: ' in text
    report = json.loads((out / 'metrics.json').read_text())
    assert report['fingerprint']['instances'] == 8
    for task in ('verb', 'noun', 'action'):
        assert list(report[task]['mAP']) == ['0.1', '0.2', '0.3', '0.4', '0.5']
    content = read_submission(out / 'test.json')
    assert sorted(content['results']) == ['P01_11', 'P02_12']
    assert all(0 < len(found) <= 50 for found in content['results'].values())
    assert [content[key] for key in ('sls_pt', 'sls_tl', 'sls_td')] == [2, 3, 4]
    # what each model finds alone is what its own test would have written
    for task in NUMBERS:
        alone = json.loads((out / task / 'detections.json').read_text())['results']
        assert {entry['label'] for found in alone.values() for entry in found} <= set(
            class_names(f'epic100_{task}'))
    # the same file from the detections, and found right again
    submission(['epic_action', str(out / 'detections.json'), '--out', str(data / 'again.zip')])
    submission(['epic_action', str(out / 'detections.json'), '--out', str(data / 'again.json')])
    assert json.loads((data / 'again.json').read_text()) == content
    submission(['check', str(data / 'again.json')])
    assert 'results: 2 videos' in capsys.readouterr().out


def test_windows_are_fused_one_by_one_and_merged_before_nms(data, train):
    changes = dict(window='window=dict(size=24, overlap=0.5),', merge='postprocessor=dict('
                   'type="TALPostProcessor", nms=dict(type="SoftNMS"), max_per_video=30)')
    main([*train('verb', **changes), *train('noun', **changes), '--out', str(data / 'out'),
          '--work-dir', str(data / 'work')])
    found = read_submission(data / 'out' / 'test.json')['results']
    assert all(len(entries) == 30 for entries in found.values())
    assert max(entry['segment'][1] for entry in found['P01_11']) > 24


def test_a_hidden_test_set_is_written_and_not_judged(data, train):
    for task in NUMBERS:
        path = data / f'{task}.json'
        content = json.loads(path.read_text())
        content['database']['P02_12'].update(subset='test', annotations=[])
        path.write_text(json.dumps(content))
    main([*train('verb'), *train('noun'), '--out', str(data / 'out'), '--subset', 'test',
          '--work-dir', str(data / 'work'), '--supervision', '1', '0', '5'])
    content = read_submission(data / 'out' / 'test.json')
    assert list(content['results']) == ['P02_12'] and content['sls_td'] == 5
    assert not (data / 'out' / 'metrics.json').exists()


def test_what_does_not_fit_is_one_line(data, train):
    verb, noun = train('verb'), train('noun')
    line = failure(*noun, *verb)
    assert re.search("noun_config.py: test_dataloader.dataset.task is 'noun', where 'verb'", line)
    line = failure(*verb, *train('noun', stride=8), '--work-dir', str(data / 'work'))
    assert re.search('noun_config.py: test_dataloader.dataset.feature_stride is 8, but 16 in '
                     '.*verb_config.py: both models have to see', line)
    line = failure(*verb, *train('noun', number=293), '--work-dir', str(data / 'work'))
    assert re.search('noun_config.py: the model has 293 classes, EPIC-KITCHENS-100 has 300', line)
    noun = train('noun')
    line = failure(*verb, noun[0], verb[1], '--work-dir', str(data / 'work'))
    assert re.search(r'verb.pth: state_dict: does not fit the model of the config', line)
    path = data / 'noun.json'
    content = json.loads(path.read_text())
    content['database']['P02_12']['annotations'][0]['segment'] = [3., 9.5]
    path.write_text(json.dumps(content))
    line = failure(*verb, *noun, '--work-dir', str(data / 'work'))
    assert re.search("noun.json: video 'P02_12': annotations: has other segments than in "
                     '.*verb.json', line)


@pytest.mark.parametrize('verb, noun', [
    *((f'{name}_epic_verb', f'{name}_epic_noun') for name in ('cltdr', 'temporalmaxer', 'asl')),
    tuple(f'release/cltdr_gmg/epic_slowfast_{name}' for name in ('verb_vflloss', 'noun_focalloss')),
    ('cltdr_epic_verb', 'actionformer_epic_noun')])
def test_configs_of_this_library_go_together(project_root, verb, noun):
    files = [str(project_root / 'configs' / f'{name}.py') for name in (verb, noun)]
    cfg = action_config([Config.fromfile(file) for file in files], files)
    init_default_scope('mmaction')
    with torch.device('meta'):
        model = MODELS.build(cfg.model)
    assert model.num_classes == (97, 300)
    assert model.postprocessor.nms.sigma == 0.4 and model.postprocessor.nms.class_wise
