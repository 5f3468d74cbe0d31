import gzip
import json
import zipfile

import numpy as np
import pytest

from cltdr_mm.utils import TALDataError
from cltdr_mm.visualization.files import TimelineSource, load_signal
from cltdr_mm.visualization.layout import NO_CLASS


@pytest.fixture
def files(tmp_path):
    annotations = {'database': {
        f'v{i}': {'duration': 60.0 + i, 'subset': 'test', 'annotations': [
            {'label': 'run', 'label_id': 1, 'segment': [1, 2]},
            {'label': 'jump', 'label_id': 0, 'segment': [3, 4 + i]}]} for i in range(9)}}
    results = {'version': '1', 'external_data': {}, 'results': {
        f'v{i}': [{'label': 'run', 'segment': [1.5, 2.5], 'score': 0.5}] for i in range(1, 9)}}
    a, r = tmp_path / 'ann.json', tmp_path / 'res.json.gz'
    a.write_text(json.dumps(annotations))
    r.write_bytes(gzip.compress(json.dumps(results).encode()))
    return a, r


def test_source_reads_both_files(files):
    source = TimelineSource(*files)
    assert source.classes == ['jump', 'run'], 'label_id orders the classes'
    truth, found, duration = source.load('v3')
    assert truth.segments.tolist() == [[1, 2], [3, 7]] and truth.labels.tolist() == [1, 0]
    assert found.scores.tolist() == [0.5] and duration == 63.0
    assert len(source.load('v0')[1]) == 0, 'a video without results has no detections'
    assert source.choose(3) == ['v1', 'v4', 'v8'] or source.choose(3) == ['v1', 'v5', 'v8']
    assert source.choose(100) == [f'v{i}' for i in range(1, 9)]
    assert TimelineSource(files[0]).load('v0')[1] is None
    assert TimelineSource(None, files[1]).load('v1')[0] is None


def test_proposals_have_no_class(files, tmp_path):
    path = tmp_path / 'proposals.json'
    path.write_text(json.dumps(dict(results={'v3': [dict(segment=[1, 2], score=.5)], 'v4': []})))
    source = TimelineSource(files[0], path)
    assert source.classes == ['jump', 'run']
    assert source.load('v3')[1].labels.tolist() == [NO_CLASS] and len(source.load('v4')[1]) == 0
    path.write_text(json.dumps(dict(results={'v3': [
        dict(segment=[1, 2], score=.5), dict(segment=[1, 2], score=.5, label='run')]})))
    with pytest.raises(ValueError, match=r"'v3': results\[0\]\.label: is missing$"):
        TimelineSource(files[0], path)


def test_listed_classes_go_first(tmp_path):
    path = tmp_path / 'ann.json'
    path.write_text(json.dumps(dict(classes=['b', 'a', 'never'], database=dict(v=dict(annotations=[
        dict(label='a', segment=[0, 1]), dict(label='c', segment=[0, 1])])))))
    assert TimelineSource(path).classes == ['b', 'a', 'never', 'c']


def test_labels_of_results_may_be_ids(files):
    files[1].write_bytes(gzip.compress(json.dumps(dict(results=dict(v1=[
        dict(label=label, segment=[1, 2], score=.5) for label in (0, 1, 'run', 7)]))).encode()))
    source = TimelineSource(*files)
    assert source.classes == ['jump', 'run', '7']
    assert source.load('v1')[1].labels.tolist() == [0, 1, 1, 2]


def v1(content):
    return content['database']['v1']


@pytest.mark.parametrize('change, words', [
    (lambda d: v1(d)['annotations'][0].pop('segment'),
     r"'v1': annotations\[0\].segment: is missing"),
    (lambda d: v1(d)['annotations'][1].update(segment=[1]),
     r'annotations\[1\].segment: must be \[start'),
    (lambda d: v1(d).update(duration='long'), "'v1': duration: must be a number"),
    (lambda d: d.pop('database'), 'database: is missing'),
    (lambda d: v1(d)['annotations'][0].update(segment=[0, float('nan')]),
     r'annotations\[0\].segment: must be finite'),
])
def test_bad_annotations_are_named(files, change, words):
    content = json.loads(files[0].read_text())
    change(content)
    files[0].write_text(json.dumps(content))
    with pytest.raises(ValueError, match='ann.json.*' + words):
        TimelineSource(files[0]).load('v1')


def test_bad_files_are_named(files, tmp_path):
    with pytest.raises(KeyError, match='video v99 is in neither .*ann.json nor .*res.json.gz'):
        TimelineSource(*files).load('v99')
    with pytest.raises(ValueError, match="'run' is none of the classes"):
        TimelineSource(*files, classes=['jump']).load('v1')
    files[1].write_bytes(files[1].read_bytes()[:30])
    with pytest.raises(ValueError, match='res.json.gz: file: cannot be read'):
        TimelineSource(*files)
    with pytest.raises(ValueError, match='neither'):
        TimelineSource()
    bad = tmp_path / 'list.json'
    bad.write_text('[1]')
    with pytest.raises(ValueError, match='list.json: file: must hold a JSON object'):
        TimelineSource(bad)


def test_signals_from_folder_and_archive(tmp_path):
    values = np.array([[3, 4, 0], [0, 0, 1.]])
    folder = tmp_path / 'raw' / 'sub'
    folder.mkdir(parents=True)
    np.savetxt(folder / 'acc_v1.txt', values)
    np.save(folder / 'v2.npy', values[:, 0])
    with zipfile.ZipFile(tmp_path / 'raw.zip', 'w') as archive:
        archive.write(folder / 'acc_v1.txt', 'RawData/acc_v1.txt')
    for source in (tmp_path / 'raw', tmp_path / 'raw.zip'):
        track = load_signal(source, 'v1', 50.0, 'g')
        assert track.values.tolist() == [5, 1] and track.times.tolist() == [0, 0.02]
    assert load_signal(tmp_path / 'raw', 'v2', 1.0).values.tolist() == [3, 0]
    with pytest.raises(FileNotFoundError, match='no signal files for video v3'):
        load_signal(tmp_path / 'raw', 'v3', 50.0)
    (folder / 'v1.txt').write_text('abc')
    with pytest.raises(FileNotFoundError, match='2 signal files'):
        load_signal(tmp_path / 'raw', 'v1', 50.0)
    (folder / 'v4.txt').write_text('abc')
    with pytest.raises(ValueError, match='v4.txt: file: no table of numbers'):
        load_signal(tmp_path / 'raw', 'v4', 50.0)
    np.savetxt(folder / 'v5.txt', values[:1])
    assert load_signal(tmp_path / 'raw', 'v5', 50.0).values.tolist() == [5], 'one sample of three'


@pytest.mark.parametrize('entry, words', [
    ([1], 'entry: must be an object, got list'),
    (dict(annotations={'a': 1}), r"annotations: must be a list, got {'a': 1}"),
    (dict(annotations=[3]), r'annotations\[0\]: must be an object, got 3')])
def test_entries_of_a_wrong_type(tmp_path, entry, words):
    (tmp_path / 'ann.json').write_text(json.dumps(dict(database=dict(v1=entry))))
    with pytest.raises(TALDataError, match=rf"ann\.json: video 'v1': {words}"):
        TimelineSource(tmp_path / 'ann.json')


def test_label_ids_that_cannot_be_ordered(tmp_path):
    labels = [dict(label=name, label_id=i, segment=[0, 1]) for name, i in (
        ('b', 'x'), ('a', None), ('c', 1), ('d', float('nan')), ('e', 10**400), ('f', [1]))]
    (tmp_path / 'ann.json').write_text(json.dumps(dict(database=dict(v1=dict(annotations=labels)))))
    assert TimelineSource(tmp_path / 'ann.json').classes == ['c', *'abdef']


@pytest.mark.parametrize('file', ['v1.npy', 'v1.txt'])
def test_a_signal_that_unpacks_a_thousandfold(tmp_path, file):
    with zipfile.ZipFile(tmp_path / 'raw.zip', 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(file, bytes(2**27))
    with pytest.raises(ValueError, match=rf'{file}: file: no table .*would take 134,217,728'):
        load_signal(tmp_path / 'raw.zip', 'v1', 50.0)


def test_a_signal_in_a_damaged_archive(tmp_path):
    (tmp_path / 'raw.zip').write_bytes(b'no zip')
    with pytest.raises(ValueError, match=r'raw\.zip: file: is neither a folder nor a zip archive'):
        load_signal(tmp_path / 'raw.zip', 'v1', 50.0)
    with zipfile.ZipFile(tmp_path / 'raw.zip', 'w') as archive:
        archive.writestr('v1.npy', b'no array')
    with pytest.raises(ValueError, match=r'v1\.npy: file: no table of numbers'):
        load_signal(tmp_path / 'raw.zip', 'v1', 50.0)


@pytest.mark.parametrize('name, content, words', [
    ('v1.txt', b'1 2\n3 nan\n', 'values: NaN, infinite or too large'),
    ('v1.txt', b'1e200 1e200\n', 'values: NaN, infinite or too large'),
    ('v1.csv', b'', 'no table of numbers'), ('v1.npy', b'', 'no table of numbers'),
    ('v1.npy', b'\x93NUMPY\x01\x00\x02\x00{(', 'no table of numbers'),
    ('v1.zip', b'PK\x05\x06', 'is neither a folder nor a zip archive'),
    ('v1.zip', b'PK\1\2' + b'\x7d' * 42 + b'PK\5\6' + bytes(4) + b'\1\0\1\0\x2e' + bytes(9),
     'is neither a folder nor a zip archive .*version 12.5'),
])
def test_damaged_signals(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    source = tmp_path / name if name.endswith('.zip') else tmp_path
    with pytest.raises(TALDataError, match=rf'{name}: .*{words}'):
        load_signal(source, 'v1', 50.0)


def test_damage_within_an_archive_of_signals(tmp_path):
    with zipfile.ZipFile(tmp_path / 'a.zip', 'w') as archive:
        archive.writestr('/', '')  # a folder that holds itself
        archive.writestr('v1.txt', '1 2\n3 4\n')
    assert len(load_signal(tmp_path / 'a.zip', 'v1', 50.0).values) == 2
    content = (tmp_path / 'a.zip').read_bytes()
    (tmp_path / 'a.zip').write_bytes(content.replace(b'1 2\n3 4', b'1 2\n3 5'))
    with pytest.raises(TALDataError, match=r'v1\.txt: file: no table of numbers: Bad CRC'):
        load_signal(tmp_path / 'a.zip', 'v1', 50.0)


def test_numbers_that_make_no_sense(files, tmp_path):
    with pytest.raises(ValueError, match='videos to draw must be positive, got 0'):
        TimelineSource(*files).choose(0)
    (tmp_path / 'v1.csv').write_text('1\n2\n')
    for rate in (0., -1., float('nan'), float('inf')):
        with pytest.raises(ValueError, match='rate of a signal must be positive'):
            load_signal(tmp_path, 'v1', rate)
