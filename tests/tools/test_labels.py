"""tools/labels.py: from labels to an annotation file that a data set takes, and back."""
import json
import runpy
import subprocess
import sys

import numpy as np
import pytest

from cltdr_mm.datasets import TALDataset

HEADER = 'video,start,end,label,person\n'


@pytest.fixture
def run(project_root, tmp_path, monkeypatch, capsys):
    """Run the tool within this process, in an empty folder; gives what it prints."""
    main = runpy.run_path(str(project_root / 'tools' / 'labels.py'))['main']

    def call(*args):
        monkeypatch.chdir(tmp_path)
        main([str(arg) for arg in args])
        return capsys.readouterr().out

    return call


@pytest.fixture
def table(tmp_path):
    """Labels of twelve videos of six people, and a table of the videos."""
    rows = [f'v{i:02d}.mp4,{k + 0.5},{k + 1.25},{label},p{i // 2}' for i in range(12)
            for k, label in enumerate(('pour', 'stir'))]
    (tmp_path / 'labels.csv').write_text(HEADER + '\n'.join(rows) + '\n')
    videos = [f'v{i:02d}.mp4,12.4,10' for i in range(12)]
    (tmp_path / 'videos.csv').write_text('video,duration,fps\n' + '\n'.join(videos) + '\n')


def rows_of(output):
    return [[cell.strip() for cell in line.strip('|').split('|')]
            for line in output.splitlines() if line.startswith('|')]


def test_labels_to_a_data_set_and_back(run, table, tmp_path):
    output = run('labels.csv', '--videos', 'videos.csv', '--out', 'data/mine/annotations.json',
                 '--split', 0.7, 0.15, 0.15, '--group', 'person', '--seed', 3)
    assert output.splitlines()[-1] == 'wrote data/mine/annotations.json'
    head, *classes, _, videos = rows_of(output)
    assert sorted(head) == ['segments in videos', 'test', 'training', 'validation']
    assert [row[0] for row in classes] == ['pour', 'stir']
    assert sorted(videos[1:]) == ['2', '2', '8']  # six people, each with two videos
    content = json.loads((tmp_path / 'data/mine/annotations.json').read_text())
    subsets = {name: entry['subset'] for name, entry in content['database'].items()}
    assert all(subsets[f'v{i:02d}'] == subsets[f'v{i + 1:02d}'] for i in range(0, 12, 2))
    (tmp_path / 'features').mkdir()
    for name in subsets:
        np.save(tmp_path / 'features' / f'{name}.npy', np.zeros((30, 4), np.float32))
    dataset = TALDataset('data/mine/annotations.json', data_prefix=dict(feats='features'),
                         feature_stride=4, feature_window=8, feature_dim=4, subset='training')
    assert len(dataset) == 8 and dataset.metainfo['classes'] == ('pour', 'stir')

    output = run('data/mine/annotations.json', '--to-csv', 'back.csv')
    assert output.splitlines()[-1] == 'wrote back.csv: 24 segments'
    run('back.csv', '--videos', 'data/mine/annotations.json', '--out', 'again.json')
    assert json.loads((tmp_path / 'again.json').read_text()) == content


def test_options(run, table, tmp_path):
    (tmp_path / 'classes.txt').write_text('stir\npour\nwash\n')
    (tmp_path / 'a.csv').write_text('clip;from;to;verb\na;10;30;pour\nb;5;6;stir\n')
    output = run('a.csv', '--columns', 'video=clip', 'start_frame=from', 'end_frame=to',
                 'label=verb', '--format', 'csv', '--fps', 10, '--duration', 5, '--split', 1, 0, 0,
                 '--classes', 'classes.txt', '--out', 'a.json')
    assert rows_of(output)[1:4] == [['stir', '1 in 1'], ['pour', '1 in 1'], ['wash', '0 in 0']]
    content = json.loads((tmp_path / 'a.json').read_text())
    assert content['classes'] == ['stir', 'pour', 'wash']
    assert content['database']['a'] == dict(
        subset='training', duration=5, fps=10,
        annotations=[dict(segment=[1, 3], label='pour', label_id=1)])


def test_remarks_are_printed(run, tmp_path):
    (tmp_path / 'a.csv').write_text('video,start,end,label,subset\na,1,3,run,x\na,2,4,run,x\n'
                                    'b,,,,x\n')
    lines = run('a.csv', '--fps', 10, '--duration', 5, '--out', 'a.json').splitlines()
    assert lines[0].startswith('1 segments overlap another one of their class: a: ')
    assert lines[1] == '1 videos without labels are kept as background: b'


def test_errors(run, table, tmp_path):
    (tmp_path / 'bad.csv').write_text(HEADER + 'v00,1,x,pour,\nv01,3,2,pour,\nv99,1,2,pour,\n')
    before = sorted(tmp_path.iterdir())
    for args, lines in [
            (['bad.csv', '--videos', 'videos.csv'], [
                'error: labels: 3 problems',
                "  bad.csv: video 'v00': line 2, end: must be seconds or hh:mm:ss, got 'x'",
                "  bad.csv: video 'v99': line 4: the video is not among the 12 videos ('v09',",
                "  bad.csv: video 'v01': line 3: end 2 s is not after start 3 s"]),
            (['labels.csv', '--videos', 'videos.csv'], ['error: labels: 12 problems']),
            (['labels.csv', '--videos', 'videos.csv', '--split', 1, 1, 1], [
                'error: shares of training, validation and test must be three numbers from 0']),
            (['none.eaf'], ['error: labels: none.eaf: file: cannot be read'])]:
        with pytest.raises(SystemExit) as stopped:
            run(*args, '--out', 'out.json')
        found = stopped.value.code.splitlines()
        assert all(line.startswith(start) for line, start in zip(found, lines)), found
        assert len(found) >= len(lines) and sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize('args', [
    ['a.csv'], ['a.csv', '--out', 'a.json', '--to-csv', 'b.csv'], ['a', 'b', '--to-csv', 'b.csv'],
    ['a.csv', '--out', 'a.json', '--columns', 'label'], ['a.csv', '--out', 'b', '--format', 'xls']])
def test_wrong_command_lines(run, args):
    with pytest.raises(SystemExit) as stopped:
        run(*args)
    assert stopped.value.code == 2


def test_a_folder_of_videos(run, tmp_path):
    av = pytest.importorskip('av', reason='PyAV is not installed: pip install av')
    (tmp_path / 'videos').mkdir()
    for name in 'ab':
        with av.open(str(tmp_path / 'videos' / f'{name}.mp4'), 'w') as container:
            stream = container.add_stream('mpeg4', rate=10)
            stream.width, stream.height, stream.pix_fmt = 64, 48, 'yuv420p'
            for _ in range(40):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(
                    np.zeros((48, 64, 3), np.uint8), format='rgb24')))
            container.mux(stream.encode())
    (tmp_path / 'a.csv').write_text('video,start_frame,end_frame,label\na.mp4,5,20,run\n')
    output = run('a.csv', '--videos', 'videos', '--out', 'a.json', '--split', 1, 0, 0)
    assert output.startswith('1 videos without labels are kept as background: b\n')
    database = json.loads((tmp_path / 'a.json').read_text())['database']
    assert database['a']['annotations'] == [dict(segment=[0.5, 2], label='run', label_id=0)]
    assert database['b']['duration'] == pytest.approx(4, abs=0.01) and database['b']['fps'] == 10


def test_as_a_command(project_root, tmp_path):
    done = subprocess.run(
        [sys.executable, str(project_root / 'tools' / 'labels.py'), 'no.csv', '--out', 'o.json'],
        cwd=tmp_path, text=True, capture_output=True, check=False)
    assert done.returncode == 1 and 'Traceback' not in done.stderr
    assert done.stderr.splitlines()[-1].startswith('error: labels: no.csv: file: cannot be read')
