"""The converters' command lines: they run from any folder, print counts and leave whole files."""
import json
import os
import runpy
import subprocess
import sys

import numpy as np
import pytest


@pytest.fixture
def run(project_root, tmp_path, monkeypatch, capsys):
    """Run a converter in an empty folder, within this process: starting one takes seconds."""

    def call(tool, *args):
        path = str(project_root / 'tools' / 'dataset_converters' / tool)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, 'argv', [path, *map(str, args)])
        runpy.run_path(path, run_name='__main__')
        return capsys.readouterr().out

    return call


def test_synthetic(run, tmp_path):
    text = run('make_synthetic.py', '--num-train', 3, '--num-test', 2,
               '--num-validation', 1, '--channels', 4, '--out', 'made')
    assert 'train: 3 videos' in text and 'test: 2 videos' in text
    assert 'validation: 1 videos' in text
    assert len(os.listdir(tmp_path / 'made' / 'features')) == 6
    assert np.load(tmp_path / 'made' / 'features' / 'test_00001.npy').shape[1] == 4
    # features for an annotation file: here its own
    text = run('make_synthetic.py', '--annotations', 'made/annotations.json', '--max-videos', 1,
               '--channels', 3, '--out', 'mini')
    assert 'train: 1 videos' in text and 'test: 1 videos' in text


def test_thumos14_and_multithumos(run, shared_data, tmp_path):
    folder = shared_data / 'data' / 'annotations'
    text = run('thumos14.py', folder / 'thumos14.json')
    assert 'Test: 212 videos, 3358 annotations' in text
    assert 'Validation: 200 videos, 3007 annotations' in text
    assert (tmp_path / 'data/thumos14/annotations/thumos14.json').exists()
    text = run('multithumos.py', folder / 'multithumos_superevents.json', '--thumos14',
               folder / 'thumos14.json', '--out', 'm.json')
    assert 'left out 7' in text and 'video_test_0000737: actions[30] is empty' in text
    assert len(json.loads((tmp_path / 'm.json').read_text())['database']) == 413


def test_anet13_and_epic100(run, shared_data, tmp_path):
    folder = shared_data / 'data' / 'annotations'
    text = run('anet13.py', folder / 'anet_anno_action.json', folder / 'video_info_new.csv')
    assert 'validation: 4728 videos, 7290 annotations' in text and 'left out 12' in text
    args = ('--video-info', folder / 'EPIC_100_video_info.csv')
    text = run('epic100.py', 'noun', *args, '--validation', folder / 'EPIC_100_validation.csv')
    assert 'validation: 138 videos, 9668 annotations' in text
    assert (tmp_path / 'data/epic100/annotations/epic100_noun.json').exists()
    with pytest.raises(SystemExit):
        run('epic100.py', 'verb', *args)


def test_hacs(run, tmp_path):
    (tmp_path / 'h.json').write_text(json.dumps(dict(database=dict(a=dict(
        subset='training', duration=9.0,
        annotations=[dict(segment=[1, 2], label='Archery')])))))
    assert 'training: 1 videos, 1 annotations' in run('hacs.py', 'h.json')


def test_charades(run, tmp_path):
    (tmp_path / 'c.json').write_text(json.dumps(dict(
        a=dict(subset='training', duration=9.0, actions=[[3, 1, 2], [4, 5, 2]]))))
    text = run('charades.py', '--json', 'c.json', '--skip-inverted')
    assert 'training: 1 videos, 1 annotations' in text and 'left out 1:\n    a: actions[1]' in text
    assert (tmp_path / 'data/charades/annotations/charades.json').exists()
    with pytest.raises(SystemExit, match='--skip-inverted'):
        run('charades.py', '--json', 'c.json')
    for args in ((), ('--json', 'c.json', '--test', 't.csv')):
        with pytest.raises(SystemExit):
            run('charades.py', *args)


def test_ego4d_mq(run, tmp_path):
    (tmp_path / 'e.json').write_text(json.dumps(dict(database=dict(
        a=dict(subset='train', duration=9.0, frame=270, annotations=[
            dict(segment=[1, 2], label='use_phone')]),
        b=dict(subset='val', duration=9.0, frame=27, annotations=[
            dict(segment=[1, 2], label='use_phone')])))))
    text = run('ego4d_mq.py', 'e.json', '--skip-bad-rates')
    assert 'train: 1 videos, 1 annotations' in text and 'make 3 frames a second' in text
    assert (tmp_path / 'data/ego4d/annotations/ego4d_mq.json').exists()


def test_fineaction(run, tmp_path):
    (tmp_path / 'f.json').write_text(json.dumps(dict(database={name: dict(
        subset='validation', duration=9.0, annotations=[dict(segment=[1, 2], label='wash')])
        for name in ('v_1', 'v_2')})))
    text = run('fineaction.py', 'f.json', '--exclude', 'v_2')
    assert 'validation: 1 videos, 1 annotations' in text and 'v_2: excluded' in text
    assert text.endswith('  1 classes\n')
    assert (tmp_path / 'data/fineaction/annotations/fineaction.json').exists()


def test_epic_sounds(run, shared_data, tmp_path):
    (tmp_path / 't.csv').write_text('video_id\nP01_12\n')
    text = run('epic_sounds.py', '--video-info', shared_data / 'data' / 'annotations'
               / 'EPIC_100_video_info.csv', '--test', 't.csv')
    assert 'test: 1 videos, 0 annotations' in text
    assert (tmp_path / 'data/epic_sounds/annotations/epic_sounds.json').exists()
    for args in ((), ('--test', 't.csv'), ('--json', 'a.json', '--video-info', 'i.csv')):
        with pytest.raises(SystemExit):
            run('epic_sounds.py', *args)


def test_hapt(run, shared_data, tmp_path):
    text = run('hapt.py', shared_data / 'data' / 'hapt' / 'HAPT_raw_acc.zip', '--folds', 3,
               '--seed', 1)
    assert 'train: 42 videos, 849 annotations' in text
    assert 'test: 19 videos, 365 annotations' in text
    fold = text.split('annotations_fold2.json')[1]
    assert 'validation: 14 videos' in fold and 'test:' not in fold
    feats = np.load(tmp_path / 'data' / 'hapt' / 'features' / 'exp01_user01.npy')
    assert feats.ndim == 2 and feats.shape[1] == 150


@pytest.mark.parametrize('tool, args', [
    ('anet13.py', ['no.json', 'no.csv']), ('hacs.py', ['no.json']), ('hapt.py', ['no.zip']),
    ('epic100.py', ['verb', '--video-info', 'no.csv', '--train', 'no.csv']),
    ('multithumos.py', ['no.json']), ('thumos14.py', ['no.json']),
    ('charades.py', ['--json', 'no.json']), ('charades.py', ['--test', 'no.csv']),
    ('ego4d_mq.py', ['no.json']), ('fineaction.py', ['no.json']),
    ('epic_sounds.py', ['--json', 'no.json']),
    ('make_synthetic.py', ['--annotations', 'no.json'])])
def test_bad_sources_end_the_program_with_what_to_mend(run, tmp_path, tool, args):
    with pytest.raises(SystemExit, match=r'error: (.|\n)*no\.[a-z]+: file: ') as stopped:
        run(tool, *args)
    assert isinstance(stopped.value.code, str)  # printed, with exit status 1
    assert os.listdir(tmp_path) == []


def test_as_a_command(project_root, tmp_path):
    """From a folder of its own, and a source that is not there: the last line tells why."""
    path = project_root / 'tools' / 'dataset_converters' / 'thumos14.py'
    done = subprocess.run([sys.executable, str(path), 'nothing.json'], cwd=tmp_path, text=True,
                          capture_output=True, check=False)
    assert done.returncode == 1
    assert 'nothing.json: file: cannot be read' in done.stderr.splitlines()[-1]
    assert 'Traceback' not in done.stderr
    assert os.listdir(tmp_path) == []
