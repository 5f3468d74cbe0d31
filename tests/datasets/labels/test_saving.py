"""Annotation files of labels, and back."""
import csv
import json

import pytest

from cltdr_mm.datasets import TALDataError, load_annotations
from cltdr_mm.datasets.labels import labels_to_csv, read_labels, read_videos, save_labels
from cltdr_mm.datasets.labels.saving import summary_table

TEXT = ('video,start,end,label,subset\nb,3,4.5,sit,training\nb,1,2,run,training\n'
        'x/a,0.1,0.30000000000000004,run,validation\nempty,,,,validation\n')


@pytest.fixture
def labels(files):
    return files.labels('labels.csv', TEXT)


def test_annotation_file(labels, tmp_path):
    path = tmp_path / 'deep' / 'a.json'
    content = save_labels(path, labels)
    assert json.loads(path.read_text()) == content
    assert content['classes'] == ['run', 'sit']
    assert content['database']['b'] == dict(
        subset='training', duration=100, fps=25, annotations=[
            dict(segment=[1, 2], label='run', label_id=0),
            dict(segment=[3, 4.5], label='sit', label_id=1)])
    videos, problems, classes = load_annotations(str(path), subset='validation')
    assert [video.video_name for video in videos] == ['x/a', 'empty'] and not problems
    assert classes == ('run', 'sit') and videos[0].segments.tolist() == [[0.1, 0.1 + 0.2]]


def test_classes(labels, tmp_path):
    content = save_labels(tmp_path / 'a.json', labels, classes=['walk', 'sit', 'run'])
    assert content['classes'] == ['walk', 'sit', 'run']
    assert [a['label_id'] for a in content['database']['b']['annotations']] == [2, 1]
    with pytest.raises(TALDataError) as caught:
        save_labels(tmp_path / 'b.json', labels, classes=['sit', 'walk'])
    assert [str(problem) for problem in caught.value.problems] == [
        f"{tmp_path}/labels.csv: video 'b': line 3: 'run' is not among the 2 classes ('walk', "
        "'sit')", f"{tmp_path}/labels.csv: video 'x/a': line 4: 'run' is not among the 2 classes "
        "('walk', 'sit')"]
    assert not (tmp_path / 'b.json').exists()


def test_subsets(labels, tmp_path):
    subsets = {name: 'test' for name in labels.videos}
    content = save_labels(tmp_path / 'a.json', labels, subsets)
    assert {entry['subset'] for entry in content['database'].values()} == {'test'}
    labels.videos['b'].subset = None
    with pytest.raises(TALDataError, match="b.json: video 'b': subset: is not known: give a split"):
        save_labels(tmp_path / 'b.json', labels)


def test_to_csv_and_back(labels, tmp_path):
    first, table, second = (str(tmp_path / name) for name in ('a.json', 'a.csv', 'b.json'))
    content = save_labels(first, labels)
    assert labels_to_csv(first, table) == 3
    with open(table, newline='') as file:
        rows = list(csv.reader(file))
    assert rows == [
        ['video', 'start', 'end', 'label', 'score', 'subset'],
        ['b', '1.0', '2.0', 'run', '', 'training'], ['b', '3.0', '4.5', 'sit', '', 'training'],
        ['x/a', '0.1', '0.30000000000000004', 'run', '', 'validation'],
        ['empty', '', '', '', '', 'validation']]
    again = read_labels(table, videos=read_videos(first))
    assert save_labels(second, again) == content
    assert [(r.video, r.start, r.end, r.label) for r in again.rows] == sorted(
        (r.video, r.start, r.end, r.label) for r in labels.rows)


def test_result_files(files, tmp_path):
    path = files.write('r.json', dict(results=dict(
        a=[dict(segment=[1.0004, 2.49961], score=0.900004, label='run, fast'),
           dict(segment=[0, 1], score=1e-7, label='"é"')], b=[])))
    assert labels_to_csv(path, tmp_path / 'r.csv') == 2
    assert (tmp_path / 'r.csv').read_text('utf-8') == (
        'video,start,end,label,score,subset\na,1.0,2.5,"run, fast",0.9,\na,0,1,"""é""",1e-07,\n'
        'b,,,,,\n')
    assert files.rows('again.csv', (tmp_path / 'r.csv').read_text('utf-8')) == [
        ('a', 1, 2.5, 'run, fast'), ('a', 0, 1, '"é"')]
    proposals = files.write('p.json', dict(results=dict(a=[dict(segment=[1, 2], score=0.5)])))
    assert labels_to_csv(proposals, tmp_path / 'p.csv') == 1
    assert 'a,1,2,,0.5,\n' in (tmp_path / 'p.csv').read_text()


@pytest.mark.parametrize('content, words', [
    (dict(results=dict(a=[dict(segment=[2, 1], score=1, label='x')])), 'end 1 s is before start'),
    (dict(database=dict(a=dict(annotations=[dict(segment=[1], label='x')]))),
     r"video 'a': annotations\[0\].segment: must be \[start, end\], got \[1\]"),
    (dict(other=1), 'database: is missing')])
def test_bad_files_become_no_table(files, tmp_path, content, words):
    with pytest.raises(TALDataError, match=words):
        labels_to_csv(files.write('x.json', content), tmp_path / 'x.csv')
    assert not (tmp_path / 'x.csv').exists()


def test_summary(labels, tmp_path):
    table = summary_table(save_labels(tmp_path / 'a.json', labels))
    cells = [[cell.strip() for cell in line.strip('|').split('|')]
             for line in table.splitlines() if line.startswith('|')]
    assert cells == [
        ['segments in videos', 'training', 'validation'], ['run', '1 in 1', '1 in 1'],
        ['sit', '1 in 1', '0 in 0'], ['all classes', '2 in 1', '1 in 1'], ['videos', '1', '2']]
