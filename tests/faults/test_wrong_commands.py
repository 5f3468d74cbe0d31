"""Wrong files and options are refused by all other commands in one line."""
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from mistakes import ROOT, checkpoint, each, refuse

VIDEO = 'data/features/test_00000.npy'
INFER = 'infer config.py good.pth {} --out-dir out'
OWN = f'infer own.py good.pth {VIDEO} --out-dir out'
RECOGNIZER = '''model = dict(
    type='Recognizer2D', backbone=dict(type='ResNet', depth=18),
    cls_head=dict(type='TSNHead', num_classes=3, in_channels=512))'''
CLIP = {'clip.mp4': '', 'r.py': RECOGNIZER}


def features(rows):
    return lambda folder: np.save(folder / 'own.npy', rows)


def a_folder(name):
    return lambda folder: (folder / name).mkdir()


def infer(options, video=VIDEO):
    return INFER.format(f'{video} {options}')


@each([
    ('no config', '', f'infer gone.py good.pth {VIDEO} --out-dir out',
     'there is no config gone.py'),
    ('syntax error', {'own.py': 'a = ('}, OWN, 'own.py: cannot be read: line 1: SyntaxError'),
    ('misspelt key', 'model = dict(backbone=dict(ffn_dim=3))', OWN,
     ('model.backbone.ffn_dim', 'mean `ffn_dims`')),
    ('no model', {'own.py': 'a = 3'}, OWN, '`model` of the config must be dict(type=...)'),
    ('no checkpoint', '', f'infer config.py gone.pth {VIDEO} --out-dir out', 'gone.pth: no such'),
    ('a text as checkpoint', {'e.pth': 'x'}, f'infer config.py e.pth {VIDEO} --out-dir out',
     'e.pth: file: is no checkpoint of torch'),
    ('another model', 'model = dict(backbone=dict(embed_dims=32))', OWN,
     ('good.pth', 'does not fit the model')),
    ('no config in it', checkpoint(lambda content: dict(state_dict=content['state_dict'])),
     f'infer checkpoint e.pth {VIDEO} --out-dir out', ('e.pth: holds no config', 'give the')),
    ('no input', '', infer('', 'gone.npy'), 'gone.npy: no such file'),
    ('an empty folder', a_folder('empty'), infer('', 'empty'), 'empty: no feature or video file'),
    ('a text as input', '', infer('', 'config.py'), ('config.py: neither a feature file', '.npy')),
    ('channels', features(np.zeros((40, 8))), infer('--fps 30', 'own.npy'),
     ('own.npy: features of shape (40, 8)', 'takes 16 channels')),
    ('NaN', features(np.full((40, 16), np.nan)), infer('--fps 30', 'own.npy'),
     ('own.npy', 'NaN or inf at step 0')),
    ('no matrix', features(np.zeros(40)), infer('--fps 30', 'own.npy'), 'own.npy: must hold a mat'),
    ('not annotated', features(np.zeros((40, 16))),
     infer('--annotations data/annotations.json', 'own.npy'),
     ("data/annotations.json: video 'own'", 'there is no such video', 'validation_00004')),
    ('no annotations', '', infer('--annotations gone.json'), ('gone.json', 'from {folder}')),
    ('no rate', features(np.zeros((40, 16))), infer('', 'own.npy'),
     ('own.npy', 'the frame rate is unknown', 'give fps')),
    ('no number', '', infer('--min-score x'), "must be a number or auto, got 'x'"),
    ('no validation', '', infer('--min-score auto'), ('good.pth', 'was never validated')),
    ('no detection', '', infer('--top 0'), 'top must be a whole number from 1 on'),
    ('no videos', '', infer('--formats video'), 'needs --videos'),
    ('other videos', a_folder('empty'), infer('--videos empty'), 'empty: folder: has no video'),
    ('a rate of 0', '', infer('--fps 0'), (VIDEO, 'fps must be positive')),
    ('another stride', '', infer('--annotations data/annotations.json --stride 1'),
     (VIDEO, 'feature length: ', 'of stride 1', 'the duration is')),
    ('twins', '', infer('--fps 30', f'{VIDEO} {VIDEO}'), ('called test_00000', 'rename one')),
    ('a video', CLIP, infer('', 'clip.mp4'), ('clip.mp4: a video needs', '--recognizer')),
    ('no stride', CLIP, infer('--recognizer r.py', 'clip.mp4'), '--recognizer needs --stride'),
    ('no recognizer', CLIP, infer('--recognizer gone.py --stride 4', 'clip.mp4'), 'gone.py'),
    ('a localizer', CLIP, infer('--recognizer config.py --stride 4', 'clip.mp4'),
     'config.py: the model is a SingleStageLocalizer, and no recognizer'),
    ('weights of another', CLIP, infer(
        '--recognizer r.py --recognizer-weights good.pth --stride 4', 'clip.mp4'),
     ('good.pth', 'does not fit the backbone')),
    ('no weights', CLIP, infer('--recognizer r.py --stride 4', 'clip.mp4'),
     ('r.py: a recognizer without weights', '--recognizer-weights')),
    ('a damaged video', CLIP, infer('--recognizer motion', 'clip.mp4'),
     ('clip.mp4: video', 'the video cannot be decoded: Invalid data found')),
    ('out is a file', {'out': ''}, infer('--fps 30'), ('--out-dir', 'out is a file, not a folder')),
    ('batch size', '', infer('--fps 30 --batch-size 0'), 'batch_size must be at least 1'),
    ('device', '', infer('--fps 30 --device gpu'), ('--device', "'gpu' cannot be used here")),
])
def test_infer(mistake, place, capsys):
    refuse(mistake, place, capsys)


JUDGE = '{} data/annotations.json --protocol custom'
STRANGE = {'own.json': json.dumps(dict(results=dict(test_00000=[
    dict(label='jump', segment=[0, 1], score=1)])))}


@each([(f'{tool}: {name}', make, f'{tool} {command} {more}', words)
       for tool, more in [('evaluate_results', '--out out.json'),
                          ('analysis_tools/diagnose_results', '--out out.json'),
                          ('analysis_tools/diagnose_results', '--out-dir out')]
       for name, make, command, words in [
    ('no results', '', JUDGE.format('gone.json'), ('gone.json', 'looked for from {folder}')),
    ('no annotations', '', 'results.json gone.json --protocol custom', 'gone.json: file'),
    ('no JSON', '', JUDGE.format('config.py'), 'config.py: file: is not valid JSON'),
    ('annotations as results', '', JUDGE.format('data/annotations.json'),
     ('data/annotations.json: results: is missing', 'an annotation file?')),
    ('results as annotations', '', 'results.json results.json --protocol custom',
     ('results.json: database: is missing', 'a result file?')),
    ('protocol', '', 'results.json data/annotations.json --protocol thumos',
     ("'thumos'", "'thumos14'")),
    ('tIoU', '', f'{JUDGE.format("results.json")} --tiou 2', ('must be in (0', 'got ')),
    ('subset', '', f'{JUDGE.format("results.json")} --subset valid',
     ("no video of subset 'valid'", "['test', 'train', 'validation']")),
    ('label', STRANGE, JUDGE.format('own.json'),
     ("own.json: video 'test_00000': results[0].label: unknown label 'jump'", 'action_00')),
    ('out', lambda folder: ((folder / 'out.json').mkdir(), (folder / 'out').write_text('')),
     JUDGE.format('results.json'), ('--out', ', not a f')),
]])
def test_judging(mistake, place, capsys):
    refuse(mistake, place, capsys)


DRAW = 'analysis_tools/draw_timelines results.json data/annotations.json --out-dir out'
MAP = 'analysis_tools/plot_curves map {} --out out.png'
SCORES = 'analysis_tools/draw_score_tiou {} data/annotations.json --protocol custom --out out.png'


@each([
    ('groups of k', '', f'analysis_tools/diagnose_results {JUDGE.format("results.json")} --top-k 0',
     'max_k must be positive'),
    ('video', '', f'{DRAW} --videos test', 'video test is in neither data/annotations.json nor'),
    ('format', '', f'{DRAW} --format gif', ("'gif'", "'png'")),
    ('number', '', f'{DRAW} --num 0', 'must be positive, got 0'),
    ('strongest', '', f'{DRAW} --top-k -1', 'top_k must not be negative'),
    ('classes', '', f'{DRAW} --max-classes -1', 'max_classes must not be negative'),
    ('stretch', '', f'{DRAW} --time-range 100 200', ('from 100 s on', 'the video ends at')),
    ('signals', '', f'{DRAW} --signals config.py', ('config.py', 'neither a folder nor a zip')),
    ('rate', '', f'{DRAW} --signals data --signal-rate 0', 'rate of a signal must be positive'),
    ('pictures in a file', {'out': ''}, DRAW, ('--out-dir', 'out is a file')),
    ('no metrics', '', MAP.format('gone.json'), ('gone.json', 'No such file')),
    ('results as metrics', '', MAP.format('results.json'), ('results.json', 'mAP')),
    ('names', '', f'{MAP.format("metrics.json metrics.json")} --names a a', 'must differ'),
    ('number of names', '', f'{MAP.format("metrics.json")} --names a b', '1 inputs, but 2 names'),
    ('picture format', '', 'analysis_tools/plot_curves map metrics.json --out a.xyz',
     ("a.xyz: no picture format is called '.xyz'", '.png')),
    ('picture is a folder', a_folder('out.png'), MAP.format('metrics.json'), 'out.png is a folder'),
    ('no log', '', 'analysis_tools/plot_curves train data --out a.png', 'no vis_data/scalars.json'),
    ('keys', {'own.json': '{"loss": 1, "step": 1}'},
     'analysis_tools/plot_curves train own.json --keys lost --out a.png', "there are ['loss']"),
    ('no candidates', '', SCORES.format('gone.json'), 'gone.json'),
    ('metrics as candidates', '', SCORES.format('results.json metrics.json'),
     'metrics.json: results: is missing'),
    ('label of a candidate', STRANGE, SCORES.format('own.json'), "unknown label 'jump'"),
    ('score of a candidate', {'own.json': json.dumps(dict(results=dict(test_00000=[
        dict(label='action_00', segment=[0, 1], score=7)])))}, SCORES.format('own.json'),
     'own: scores must be from 0 to 1, got 7 to 7'),
    ('video of candidates', '', f'{SCORES.format("results.json")} --videos test test_00000',
     ("data/annotations.json: no video test in subset 'test'", )),
    ('names of models', '', f'{SCORES.format("results.json")} --names a b',
     '1 inputs, but 2 names'),
])
def test_drawing(mistake, place, capsys):
    refuse(mistake, place, capsys)


def published(folder):
    torch.save(dict(state_dict={'module.backbone.embd.0.conv.weight': torch.zeros(3)}),
               folder / 'e.pth')


CONVERT = 'model_converters/convert_checkpoint {} out.pth --from tridet'


@each([
    ('unknown family', '', 'model_converters/convert_checkpoint good.pth out.pth --from bmn',
     ("'bmn'", "'tridet'")),
    ('another family', '', CONVERT.format('good.pth'), ('good.pth', 'keys are unknown')),
    ('no file', '', CONVERT.format('gone.pth'), 'there is no file gone.pth'),
    ('no checkpoint', '', CONVERT.format('results.json'), 'results.json: file: is no checkpoint'),
    ('no config', published, CONVERT.format('e.pth') + ' --config gone.py', 'no config gone.py'),
    ('config of another', published, CONVERT.format('e.pth') + ' --config config.py',
     ('e.pth: the checkpoint does not fit the config', 'backbone.embd.1')),
    ('config without a model', lambda folder: (
        published(folder), (folder / 'own.py').write_text('a = 3')),
     CONVERT.format('e.pth') + ' --config own.py', 'the config has no `model`'),
    ('target in a file', published, 'model_converters/convert_checkpoint e.pth '
     'results.json/a.pth --from tridet', 'results.json is a file, not a folder'),
])
def test_converting_checkpoints(mistake, place, capsys):
    refuse(mistake, place, capsys)


ANET = {'a.json': json.dumps(dict(v_0=dict(duration_second=20.0, annotations=[
    dict(segment=[1, 4], label='Archery')]))), 'i.csv': 'video,subset,rfps\nv_0,training,30\n'}
EPIC = {'i.csv': 'video_id,duration,fps\nP01,100,50\n',
        't.csv': 'video_id,start_timestamp,stop_timestamp,verb_class\n'}
MULTI = {'m.json': json.dumps(dict(v0=dict(subset='training', duration=20.0,
                                           actions=[[8, 1.0, 4]])))}


@each([(name, make, f'dataset_converters/{command}', words) for name, make, command, words in [
    *((f'{tool}: {name}', '', f'{tool} {source} --out o.json', words)
      for tool in ('hacs', 'thumos14', 'multithumos') for name, source, words in [
          ('no source', 'gone.json', ('gone.json', 'looked for from {folder}')),
          ('another type', 'config.py', 'config.py: file: is not valid JSON')]),
    *((f'{tool}: out is a folder', a_folder('o'), f'{tool} data/annotations.json --out o',
       'o is a folder, not a file') for tool in ('hacs', 'thumos14', 'multithumos')),
    ('anet13: no source', ANET, 'anet13 gone.json i.csv --out o', ('gone.json', 'from {folder}')),
    ('anet13: no row', dict(ANET, **{'i.csv': 'video,subset,rfps\n'}),
     'anet13 a.json i.csv --out o', 'i.csv: file: has a header and no row'),
    ('anet13: bad row', dict(ANET, **{'i.csv': 'video,subset,rfps\nv_0,training,x\n'}),
     'anet13 a.json i.csv --out o', 'i.csv: line 2, rfps: must be a number'),
    ('anet13: other way round', ANET, 'anet13 i.csv a.json --out o', 'a.json: header: lacks'),
    ('anet13: out is a folder', lambda folder: (folder / 'o').mkdir(),
     'anet13 a.json i.csv --out o', 'o is a folder, not a file'),
    ('epic100: no source', EPIC, 'epic100 verb --video-info i.csv --out o', 'give --train'),
    ('epic100: task', EPIC, 'epic100 verbs --video-info i.csv --train t.csv', "'verbs'"),
    ('epic100: no file', EPIC, 'epic100 verb --video-info i.csv --train gone.csv --out o',
     ('gone.csv', 'looked for from {folder}')),
    ('epic100: no row', EPIC, 'epic100 verb --video-info i.csv --train t.csv --out o',
     't.csv: file: has a header and no row'),
    ('epic100: bad row', dict(EPIC, **{'t.csv': EPIC['t.csv'] + 'P01,00:00:01,x,3\n'}),
     'epic100 verb --video-info i.csv --train t.csv --out o', 'line 2, stop_timestamp: must be hh'),
    ('epic100: no text', EPIC, 'epic100 verb --video-info i.csv --train good.pth --out o',
     'good.pth: file: cannot be read'),
    ('hapt: no source', '', 'hapt gone.zip --out o', 'gone.zip: file: is neither a folder nor'),
    ('hapt: no archive', '', 'hapt config.py --out o', 'config.py: file: is neither a folder'),
    ('hapt: another folder', '', 'hapt data --out o', 'data: labels.txt: is missing'),
    ('hapt: out is a file', '', 'hapt data --out config.py', 'config.py is a file, not a folder'),
    ('hacs: subset', {'h.json': json.dumps(dict(database=dict(a=dict(
        subset='training', duration=9.0, annotations=[]))))},
     'hacs h.json --subset x --out o', ("subset 'x'", "['training']")),
    ('multithumos: rate', MULTI, 'multithumos m.json --out o --default-fps 0', 'must be positive'),
    ('multithumos: left out', MULTI, 'multithumos m.json --out o --exclude v1',
     ("m.json: video 'v1'", 'is to be left out and not there')),
    ('synthetic: sizes', '', 'make_synthetic --out o --channels 0', 'needs channels >= 1'),
    ('synthetic: data set', '', 'make_synthetic --out o --annotations data/annotations.json '
     '--dataset Own', 'no dataset Own is registered'),
    ('synthetic: out is a file', '', 'make_synthetic --out config.py', 'config.py is a file'),
]])
def test_converting_data(mistake, place, capsys):
    refuse(mistake, place, capsys)


BENCHMARK = 'benchmark_methods {} --work-dir runs'


@each([
    ('no config', '', BENCHMARK.format('gone.py'), 'there is no config gone.py'),
    ('two of one name', '', BENCHMARK.format('config.py config.py'), ('config: more', 'NAME=FILE')),
    ('syntax error', {'own.py': 'a = ('}, BENCHMARK.format('own.py'), 'own.py: cannot be read'),
    ('no metric', 'test_evaluator = None', BENCHMARK.format('own.py'), 'test_evaluator must be'),
    ('options', '', BENCHMARK.format('config.py --cfg-options train_dataloaders.x=3'),
     'mean `train_dataloader`'),
    ('seeds', '', BENCHMARK.format('config.py --seeds 0 0'), '--seeds must be different'),
    ('jobs', '', BENCHMARK.format('config.py --jobs 0'), '--jobs must be at least 1'),
    ('out', a_folder('o'), BENCHMARK.format('config.py --out o'), 'o is a folder, not a file'),
])
def test_benchmark(mistake, place, capsys):
    refuse(mistake, place, capsys)


@pytest.mark.parametrize('status, command, line', [
    (1, ['train.py', 'own.py'], 'error: model.backbone.type: `GMGG` is not registered'),
    (2, ['test.py', 'config.py', 'gone.pth'], 'test.py: error: there is no checkpoint gone.pth'),
    (1, ['infer.py', 'config.py', 'good.pth', 'gone.npy', '--out-dir', 'out'],
     'error: gone.npy: no such file'),
    (1, ['evaluate_results.py', 'gone.json', 'a.json', '--protocol', 'custom'],
     'error: annotation file: a.json: file: cannot be read')])
def test_as_programs(place, status, command, line):
    (place / 'own.py').write_text("_base_ = './config.py'\n"
                                  "model = dict(backbone=dict(type='GMGG'))\n")
    done = run(*command)
    assert done.returncode == status
    assert done.stderr.splitlines()[-1].startswith(line)
    assert 'Traceback' not in done.stdout + done.stderr


def test_the_debug_switch_shows_where(place):
    done = run('evaluate_results.py', 'gone.json', 'a.json', '--protocol', 'custom',
               CLTDR_DEBUG='1')
    assert done.returncode == 1
    assert 'Traceback' in done.stderr and 'in read_json' in done.stderr


def run(tool, *args, **env):
    env = dict(os.environ, PYTHONPATH=f'{ROOT}:{ROOT / "tests" / "faults"}', **env)
    return subprocess.run([sys.executable, str(ROOT / 'tools' / tool), *args], text=True,
                          capture_output=True, check=False, env=env)
