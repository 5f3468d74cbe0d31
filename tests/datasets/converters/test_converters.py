import csv
import json
import os
import zipfile

import numpy as np
import pytest

from cltdr_mm.cli.convert import epic100
from cltdr_mm.datasets import HAPTDataset, TALDataError, class_names
from cltdr_mm.datasets.converters import thumos
from cltdr_mm.datasets.converters.activitynet import convert_activitynet, convert_hacs
from cltdr_mm.datasets.converters.common import counts, summary
from cltdr_mm.datasets.converters.epic import convert_epic100
from cltdr_mm.datasets.converters.hapt import (
    TEST_USERS,
    convert_hapt,
    split_people,
    window_features,
)
from cltdr_mm.datasets.converters.thumos import convert_multithumos, convert_thumos14


@pytest.fixture
def annotations(shared_data):
    return shared_data / 'data' / 'annotations'


def test_nothing_is_written_when_a_check_fails(tmp_path):
    source = tmp_path / 'in.json'
    source.write_text(json.dumps(dict(database=dict(v=dict(
        subset='Test', duration=5.0, fps=30.0,
        annotations=[dict(segment=[1, 2], label='Chess')])))))
    with pytest.raises(TALDataError, match=r"^converting: .*in\.json: video 'v': .*label 'Chess'"):
        convert_thumos14(str(source), str(tmp_path / 'out' / 'a.json'))
    assert os.listdir(tmp_path / 'out') == []


def test_summary():
    database = dict(a=dict(subset='x', annotations=[1, 2]), b=dict(subset='x', annotations=[]))
    assert counts(database) == dict(x=(2, 2))
    text = summary('f.json', database, ['b: empty'])
    assert 'x: 2 videos, 2 annotations' in text and 'left out 1:\n    b: empty' in text


# ---- THUMOS14 and MultiTHUMOS


def test_thumos14(annotations, tmp_path):
    out = tmp_path / 'a.json'
    database = convert_thumos14(str(annotations / 'thumos14.json'), str(out))
    assert counts(database) == dict(Validation=(200, 3007), Test=(212, 3358))
    written = json.loads(out.read_text())
    assert written['classes'] == list(class_names('thumos14'))
    assert counts(written['database']) == counts(database)


def test_thumos14_without_ambiguous(annotations, tmp_path, monkeypatch):
    """Annotation files that keep the official ambiguous segments become those without."""
    content = json.loads((annotations / 'thumos14.json').read_text())
    for entry in list(content['database'].values())[:5]:
        entry['annotations'].insert(0, dict(segment=[5.0, 1.0], label='Ambiguous'))
    source = tmp_path / 'source.json'
    source.write_text(json.dumps(content))
    messages = []
    monkeypatch.setattr(thumos, 'print_log', lambda text, logger: messages.append(text))
    database = convert_thumos14(str(source), str(tmp_path / 'a.json'))
    assert database == convert_thumos14(str(annotations / 'thumos14.json'),
                                        str(tmp_path / 'b.json'))
    assert messages == [f'{source}: 5 annotations labelled Ambiguous are left out']


def test_thumos14_text_files(tmp_path):
    folder = tmp_path / 'annotation'
    folder.mkdir()
    (folder / 'Diving_val.txt').write_text('video_validation_0000001  1.0 2.5\n'
                                           'video_validation_0000001  3.0 4.5\n')
    (folder / 'Billiards_test.txt').write_text('video_test_0000007 0.5 9.0\n')
    (folder / 'Ambiguous_val.txt').write_text('video_validation_0000001 0.0 9.0\n')
    info = tmp_path / 'info.csv'
    info.write_text('video,duration,fps\nvideo_validation_0000001,10,30\n'
                    'video_test_0000007,20,25\n')
    database = convert_thumos14(str(folder), str(tmp_path / 'a.json'), str(info))
    assert counts(database) == dict(Validation=(1, 2), Test=(1, 1))
    assert database['video_test_0000007'] == dict(
        subset='Test', duration=20.0, fps=25.0,
        annotations=[dict(segment=[0.5, 9.0], label='Billiards', label_id=2)])
    with pytest.raises(TALDataError, match='video_info: is needed with text files'):
        convert_thumos14(str(folder), str(tmp_path / 'b.json'))
    (folder / 'Diving_val.txt').write_text('video_validation_0000001 1.0\n')
    with pytest.raises(TALDataError, match='Diving_val.txt: .*line 1: must be video, start, end'):
        convert_thumos14(str(folder), str(tmp_path / 'b.json'), str(info))
    (folder / 'Diving_val.txt').write_text('video_x 1.0 2.0\n')
    with pytest.raises(TALDataError, match="video 'video_x': line 1: the video is not in"):
        convert_thumos14(str(folder), str(tmp_path / 'b.json'), str(info))


def test_multithumos(annotations, tmp_path):
    source = annotations / 'multithumos_superevents.json'
    assert sum(len(v['actions']) for v in json.loads(source.read_text()).values()) == 38690
    database, left_out = convert_multithumos(
        str(source), str(tmp_path / 'a.json'), str(annotations / 'thumos14.json'))
    assert counts(database) == dict(Validation=(200, 18479), Test=(213, 20204))
    assert len(left_out) == 7 == 38690 - 18479 - 20204
    # where both name an action, the first 20 classes are THUMOS14's
    thumos = json.loads((annotations / 'thumos14.json').read_text())['database']
    agree = total = 0
    for name, entry in thumos.items():
        labels = {}  # a segment may be both CliffDiving and Diving
        for a in entry['annotations']:
            labels.setdefault(tuple(a['segment']), set()).add(a['label_id'])
        for a in database[name]['annotations']:
            if tuple(a['segment']) in labels and a['label_id'] < 20:
                total += 1
                agree += a['label_id'] in labels[tuple(a['segment'])]
        assert database[name]['fps'] == entry['fps']
    assert total > 4000 and agree / total > 0.999
    assert database['video_test_0001292']['fps'] == 30  # THUMOS14's file lacks this one
    database, left_out = convert_multithumos(
        str(source), str(tmp_path / 'a.json'), exclude=['video_test_0001292'])
    assert 'video_test_0001292' not in database and len(left_out) == 8


def test_multithumos_class_list(tmp_path):
    source = tmp_path / 'm.json'
    source.write_text(json.dumps({'v': dict(subset='training', duration=9.0,
                                            actions=[[65, 1.0, 2.0]])}))
    names = tmp_path / 'class_list.txt'
    names.write_text(''.join(f'{i} Name{i}\n' for i in range(1, 66)))
    database, _ = convert_multithumos(str(source), str(tmp_path / 'a.json'),
                                      class_list=str(names))
    assert database['v']['annotations'][0]['label'] == 'Name65'
    names.write_text('1 One\n')
    with pytest.raises(TALDataError, match='must number 65 classes'):
        convert_multithumos(str(source), str(tmp_path / 'a.json'), class_list=str(names))
    source.write_text(json.dumps({'v': dict(subset='training', duration=9.0,
                                            actions=[[66, 1.0, 2.0]])}))
    with pytest.raises(TALDataError, match=r"video 'v': actions\[0\].class: must be 1 to 65"):
        convert_multithumos(str(source), str(tmp_path / 'a.json'))


# ---- ActivityNet-1.3 and HACS


def test_activitynet(annotations, tmp_path):
    out = tmp_path / 'a.json'
    database, left_out = convert_activitynet(
        str(annotations / 'anet_anno_action.json'), str(annotations / 'video_info_new.csv'),
        str(out))
    assert counts(database) == dict(
        training=(9649, 14850), validation=(4728, 7290), testing=(4851, 0))
    assert len(left_out) == 12
    assert 'QOlSCBRmfWY' in database  # the v_ is gone
    labels = {a['label'] for e in database.values() for a in e['annotations']}
    assert labels == set(class_names('activitynet200'))


def test_activitynet_files_must_fit(tmp_path):
    (tmp_path / 'a.json').write_text(json.dumps({'v_x': dict(duration_second=3.0,
                                                             annotations=[])}))
    (tmp_path / 'i.csv').write_text('video,subset,rfps\nv_y,training,30\n')
    with pytest.raises(TALDataError, match="i.csv: video 'v_x': video: is missing"):
        convert_activitynet(str(tmp_path / 'a.json'), str(tmp_path / 'i.csv'),
                            str(tmp_path / 'o.json'))
    (tmp_path / 'i.csv').write_text('video,subset\nv_x,training\n')
    with pytest.raises(TALDataError, match=r"header: lacks the column\(s\) \['rfps'\]"):
        convert_activitynet(str(tmp_path / 'a.json'), str(tmp_path / 'i.csv'),
                            str(tmp_path / 'o.json'))


def test_hacs(tmp_path):
    source = tmp_path / 'hacs.json'
    content = dict(database={
        'a': dict(subset='training', duration=20.5, url='x',
                  annotations=[dict(segment=['1.5', '7.25'], label='Archery'),
                               dict(segment=[3, 3], label='Zumba')]),
        'b': dict(subset='testing', duration=9, annotations=[])})
    source.write_text(json.dumps(content))
    database, left_out = convert_hacs(str(source), str(tmp_path / 'o.json'))
    assert counts(database) == dict(training=(1, 1), testing=(1, 0)) and len(left_out) == 1
    assert database['a']['annotations'] == [
        dict(segment=[1.5, 7.25], label='Archery',
             label_id=class_names('activitynet200').index('Archery'))]
    database, _ = convert_hacs(str(source), str(tmp_path / 'o.json'), 'testing')
    assert list(database) == ['b']
    content['database']['a']['annotations'][0]['label'] = 'Chess'
    source.write_text(json.dumps(content))
    with pytest.raises(TALDataError, match=r"video 'a': annotations\[0\].label: unknown label"):
        convert_hacs(str(source), str(tmp_path / 'p.json'))
    source.write_text('{}')
    with pytest.raises(TALDataError, match='database: is missing'):
        convert_hacs(str(source), str(tmp_path / 'p.json'))


# ---- EPIC-KITCHENS-100


@pytest.mark.parametrize('task', ['verb', 'noun'])
def test_epic100(annotations, tmp_path, task):
    database = convert_epic100(
        task, str(annotations / 'EPIC_100_video_info.csv'), str(tmp_path / 'a.json'),
        validation=str(annotations / 'EPIC_100_validation.csv'))
    assert counts(database) == dict(validation=(138, 9668))
    with open(annotations / 'EPIC_100_validation.csv', newline='') as file:
        row = next(csv.DictReader(file))
    first = database[row['video_id']]['annotations'][0]
    assert first['segment'] == [0.0, 1.89]
    assert first['label_id'] == int(row[f'{task}_class'])
    # the class lists are those of the data set
    columns = dict(verb='EPIC_100_verb_classes.csv', noun='EPIC_100_noun_classes_v2.csv')
    with open(annotations / columns[task], newline='') as file:
        keys = [row['key'] for row in csv.DictReader(file)]
    names = class_names(f'epic100_{task}')
    assert tuple(keys[:len(names)]) == names


def test_epic100_test_videos(tmp_path):
    (tmp_path / 'info.csv').write_text('video_id,duration,fps\nP01,100,50\nP02,80.5,59.94\n')
    # a name on every row of a segment, as well as a plain list of names
    (tmp_path / 'test.csv').write_text('narration_id,video_id\nP02_0,P02\nP02_1,P02\n')
    epic100.main(['noun', '--video-info', str(tmp_path / 'info.csv'), '--test',
                  str(tmp_path / 'test.csv'), '--out', str(tmp_path / 'a.json')])
    with open(tmp_path / 'a.json', encoding='utf-8') as file:
        database = json.load(file)['database']
    assert database == dict(P02=dict(subset='test', duration=80.5, fps=59.94, annotations=[]))


def test_epic100_problems(tmp_path):
    info, rows = tmp_path / 'info.csv', tmp_path / 'rows.csv'
    head = 'video_id,start_timestamp,stop_timestamp,verb_class\n'
    info.write_text('video_id,duration,fps\nP01,100,50\n')

    def convert(text, **more):
        rows.write_text(head + text)
        return convert_epic100('verb', str(info), str(tmp_path / 'o.json'), train=str(rows),
                               **more)

    database = convert('P01,00:01:00.50,00:01:02.00,3\n')
    assert database['P01']['annotations'][0]['segment'] == [60.5, 62.0]
    for text, part in (('P02,0:0:1,0:0:2,3\n', "rows.csv: video 'P02': line 2: the video is not"),
                       ('P01,0:1,0:0:2,3\n', "video 'P01': line 2"),
                       ('P01,0:0:1,0:0:2,97\n', 'verb_class: 97 is not among the 97 classes'),
                       ('P01,0:0:3,0:0:2,7\n', r'annotations\[0\].segment: end 2 s is not after')):
        with pytest.raises(TALDataError, match=part):
            convert(text)
    with pytest.raises(TALDataError, match='is in training and in validation'):
        convert('P01,0:0:1,0:0:2,3\n', validation=str(rows))
    with pytest.raises(TALDataError, match='is in training and in test'):
        convert('P01,0:0:1,0:0:2,3\n', test=str(rows))
    with pytest.raises(ValueError, match='task must be'):
        convert_epic100('action', str(info), 'x', train=str(rows))
    with pytest.raises(ValueError, match='train, validation or test'):
        convert_epic100('verb', str(info), 'x')


# ---- HAPT


def test_window_features_against_a_loop():
    samples = np.random.default_rng(0).standard_normal((137, 3))
    found = window_features(samples, 50, 25)
    expected = [samples[i:i + 50].reshape(-1) for i in range(0, 137 - 50 + 1, 25)]
    assert found.dtype == np.float32 and found.shape == (4, 150)
    np.testing.assert_array_equal(found, np.array(expected, np.float32))
    with pytest.raises(ValueError, match='less than a window'):
        window_features(samples[:49])


def test_hapt(shared_data, tmp_path):
    archive = shared_data / 'data' / 'hapt' / 'HAPT_raw_acc.zip'
    database = convert_hapt(str(archive), str(tmp_path))
    assert len(database) == 61 and counts(database) == dict(train=(42, 849), test=(19, 365))
    users = {subset: {int(name[-2:]) for name, e in database.items() if e['subset'] == subset}
             for subset in ('train', 'test')}
    assert users['test'] == set(TEST_USERS) and len(users['train']) == 21
    # the first line of labels.txt: '1 1 5 250 1232'
    assert database['exp01_user01']['annotations'][0] == dict(
        segment=[249 / 50, 1232 / 50], label='STANDING', label_id=4)
    assert 0.26 < 1 - sum(
        a['segment'][1] - a['segment'][0] for e in database.values() for a in e['annotations']
    ) / sum(e['duration'] for e in database.values()) < 0.28  # background, as published
    for subset, recordings, segments in (('train', 42, 849), ('test', 19, 365)):
        data = HAPTDataset(ann_file='annotations.json', data_root=str(tmp_path), subset=subset,
                           data_prefix=dict(feats='features'), feature_stride=25,
                           feature_window=50, feature_dim=150)
        assert len(data) == recordings
        infos = [data.get_data_info(i) for i in range(len(data))]
        assert sum(len(info['gt_labels']) for info in infos) == segments
        assert all(197.9 < info['duration'] < 642 for info in infos)  # published: 198 to 642 s


@pytest.fixture
def small_hapt(tmp_path):
    """Two recordings in UCI's layout."""
    folder = tmp_path / 'raw' / 'RawData'
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    signals = {}
    for name, n in (('exp01_user01', 230), ('exp03_user02', 400)):
        signals[name] = rng.standard_normal((n, 3)).round(6)
        np.savetxt(folder / f'acc_{name}.txt', signals[name])
        np.savetxt(folder / f'gyro_{name}.txt', signals[name] + 5)
    (folder / 'labels.txt').write_text('1 1 2 51 100\n3 2 1 1 400\n3 2 2 200 210\n')
    (tmp_path / 'raw' / 'activity_labels.txt').write_text('1 WALKING \n2 SITTING \n')
    (tmp_path / 'raw' / 'README.txt').write_text('words')
    return tmp_path / 'raw', signals


@pytest.mark.parametrize('zipped', [False, True])
def test_hapt_folder_and_zip(small_hapt, tmp_path, zipped):
    source, signals = small_hapt
    if zipped:
        with zipfile.ZipFile(tmp_path / 'a.zip', 'w') as archive:
            for path in source.rglob('*.txt'):
                archive.write(path, path.relative_to(source))
        source = tmp_path / 'a.zip'
    database = convert_hapt(str(source), str(tmp_path / 'out'), partial=True)
    assert database['exp01_user01'] == dict(
        subset='train', duration=4.6, fps=50.0,
        annotations=[dict(segment=[1.0, 2.0], label='SITTING', label_id=1)])
    assert database['exp03_user02']['subset'] == 'test'
    assert len(database['exp03_user02']['annotations']) == 2
    for name, signal in signals.items():
        np.testing.assert_array_equal(np.load(tmp_path / 'out' / 'features' / f'{name}.npy'),
                                      window_features(signal))
    assert sorted(os.listdir(tmp_path / 'out' / 'features')) == [
        'exp01_user01.npy', 'exp03_user02.npy']  # no gyroscope
    with pytest.raises(TALDataError, match='is the archive complete'):
        convert_hapt(str(source), str(tmp_path / 'out'))


def test_hapt_folds(shared_data, tmp_path):
    """Each training person is held out once, and no test recording is in the file of a fold."""
    archive = shared_data / 'data' / 'hapt' / 'HAPT_raw_acc.zip'
    whole = convert_hapt(str(archive), str(tmp_path), folds=5)
    assert counts(whole) == dict(train=(42, 849), test=(19, 365))
    training = {name for name, entry in whole.items() if entry['subset'] == 'train'}
    seen = []
    for number in range(5):
        content = json.loads((tmp_path / f'annotations_fold{number}.json').read_text())
        assert content['version'].endswith(f'fold {number} of 5, seed 0')
        part = content['database']
        assert set(part) == training and len(content['classes']) == 12
        assert all(part[name]['annotations'] == whole[name]['annotations'] for name in part)
        users = {subset: {int(name[-2:]) for name, entry in part.items()
                          if entry['subset'] == subset} for subset in ('train', 'validation')}
        assert not users['train'] & users['validation']
        seen.append(sorted(users['validation']))
    assert seen == [[5, 7, 17, 26, 28], [6, 11, 21, 29], [1, 15, 19, 27], [8, 14, 22, 30],
                    [3, 16, 23, 25]]
    assert sorted(sum(seen, [])) == sorted({int(name[-2:]) for name in training})
    with pytest.raises(TALDataError, match='more than 3 folds: annotations_fold3.json, annot'):
        convert_hapt(str(archive), str(tmp_path), folds=3)
    assert (tmp_path / 'annotations_fold4.json').is_file()


def test_people_are_split_by_the_seed():
    folds = split_people([9, 4, 7, 1, 2], 2, seed=3)
    assert sorted(map(len, folds)) == [2, 3] and sorted(sum(folds, [])) == [1, 2, 4, 7, 9]
    assert folds == split_people([1, 2, 4, 7, 9], 2, seed=3)
    assert any(folds != split_people([1, 2, 4, 7, 9], 2, seed=seed) for seed in range(5))
    for number in (-1, 1, 6):
        with pytest.raises(ValueError, match=f'5 people make 2 to 5 folds, got {number}'):
            split_people([1, 2, 4, 7, 9], number)


def test_hapt_window_and_stride(small_hapt, tmp_path):
    (source, _), out = small_hapt, tmp_path / 'out'
    convert_hapt(str(source), str(out), partial=True, window=26, stride=13)
    fine = {path.stem: np.load(path) for path in sorted((out / 'features').glob('*.npy'))}
    convert_hapt(str(source), str(tmp_path / 'usual'), partial=True)
    for name, rows in fine.items():
        usual = np.load(tmp_path / 'usual/features' / f'{name}.npy')
        assert rows.shape[1] == 78 and len(rows) > len(usual) > 0
        # both begin with the first samples of the recording
        assert np.array_equal(rows[0], usual[0, :78])
        assert np.array_equal(rows[1], usual[0, 39:117])
    with pytest.raises(ValueError, match='must be positive, got 0 and 13'):
        convert_hapt(str(source), str(out), partial=True, window=0, stride=13)


def test_hapt_without_folds_writes_none(small_hapt, tmp_path):
    source, _ = small_hapt
    convert_hapt(str(source), str(tmp_path / 'out'), partial=True)
    assert sorted(os.listdir(tmp_path / 'out')) == ['annotations.json', 'features']
    with pytest.raises(ValueError, match='1 people make 2 to 1 folds, got 2'):
        convert_hapt(str(source), str(tmp_path / 'out'), partial=True, folds=2)


@pytest.mark.parametrize('file,text,part', [
    ('RawData/labels.txt', None, 'labels.txt: is missing'),
    ('activity_labels.txt', None, 'activity_labels.txt: is missing'),
    ('activity_labels.txt', '2 A\n1 B\n', 'must number the activities from 1'),
    ('activity_labels.txt', '1 A\n2\n', 'and name each'),
    ('RawData/labels.txt', '1 1 2 51\n', 'labels.txt: line 1: must be 5 numbers, got 4'),
    ('RawData/labels.txt', f'1 1 2 51 {10**30}\n', 'line 1, column 5: must be a whole number'),
    ('RawData/labels.txt', '1 1 3 51 100\n', 'activities must be 1 to 2'),
    ('RawData/labels.txt', '9 9 2 51 100\n', '1 segments belong to no recording'),
    ('RawData/labels.txt', '1 1 2 51 900\n', 'beyond the duration'),
    ('RawData/acc_exp01_user01.txt', '1 2 x',
     r"acc_exp01_user01\.txt: line 1, column 3: must be a finite number, got 'x'"),
    ('RawData/acc_exp01_user01.txt', '1 2 3\n' * 60 + '4 nan 6\n',
     r"acc_exp01_user01\.txt: line 61, column 2: must be a finite number, got 'nan'"),
    ('RawData/acc_exp01_user01.txt', '\n1 2 3\n-inf 5 6\n',
     r"acc_exp01_user01\.txt: line 3, column 1: must be a finite number, got '-inf'"),
    ('RawData/acc_exp01_user01.txt', '1 2 3\n' * 60 + '1 1e39 3\n',
     r"acc_exp01_user01\.txt: line 61, column 2: must be a finite number, got '1e39'"),
    ('RawData/acc_exp01_user01.txt', '1 2\n3 1 2 3\n', 'line 1: must be 3 numbers, got 2'),
    ('activity_labels.txt', '1 A\n2 A\n', 'gives one name twice'),
    ('acc_exp01_user01.txt', '1 2 3\n' * 60, 'is there twice, in different folders'),
    ('RawData/acc_exp1_user1.txt', '1 2 3\n' * 60, 'two are of the same experiment and person'),
    ('RawData/acc_exp01_user01.txt', '1 2 3', '1 samples are less than a window'),
    ('RawData/acc_exp01_user01.txt', '', 'acc_exp01_user01.txt: file: holds no numbers'),
])
def test_hapt_problems(small_hapt, tmp_path, file, text, part):
    source, _ = small_hapt
    if text is None:
        (source / file).unlink()
    else:
        (source / file).write_text(text)
    with pytest.raises(TALDataError, match=part):
        convert_hapt(str(source), str(tmp_path / 'out'), partial=True)
    assert sorted(os.listdir(tmp_path)) == ['raw']


@pytest.mark.parametrize('method', [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_hapt_damaged_archive(small_hapt, tmp_path, method):
    source, _ = small_hapt
    with zipfile.ZipFile(tmp_path / 'a.zip', 'w', method) as archive:
        for path in source.rglob('*.txt'):
            archive.write(path, path.relative_to(source))
        info = archive.getinfo('RawData/acc_exp03_user02.txt')
    content = bytearray((tmp_path / 'a.zip').read_bytes())
    middle = info.header_offset + info.compress_size // 2
    content[middle:middle + 200] = bytes(200)
    (tmp_path / 'a.zip').write_bytes(content)
    with pytest.raises(TALDataError, match=r'a\.zip: RawData/acc_exp03_user02\.txt: file: cannot'):
        convert_hapt(str(tmp_path / 'a.zip'), str(tmp_path / 'out'), partial=True)


def test_hapt_of_something_else(tmp_path):
    (tmp_path / 'a.zip').write_bytes(b'x')
    with pytest.raises(TALDataError, match='is neither a folder nor a zip archive'):
        convert_hapt(str(tmp_path / 'a.zip'), str(tmp_path))


def test_hapt_archive_with_a_damaged_directory(small_hapt, tmp_path):
    """It ends as archives do, so that only opening it tells."""
    source, _ = small_hapt
    with zipfile.ZipFile(tmp_path / 'a.zip', 'w') as archive:
        archive.write(source / 'activity_labels.txt', 'activity_labels.txt')
        directory = archive.fp.tell()
    content = bytearray((tmp_path / 'a.zip').read_bytes())
    for place, value, words in ((directory, 0xff, 'Bad magic number'),
                                (directory + 6, 0x7d, 'zip file version 12.5')):
        damaged = bytearray(content)
        damaged[place] = value
        (tmp_path / 'a.zip').write_bytes(damaged)
        assert zipfile.is_zipfile(tmp_path / 'a.zip')
        with pytest.raises(TALDataError, match=rf'a\.zip: file: .*{words}'):
            convert_hapt(str(tmp_path / 'a.zip'), str(tmp_path / 'out'))


def test_hapt_archive_with_a_password(small_hapt, tmp_path):
    source, _ = small_hapt
    with zipfile.ZipFile(tmp_path / 'a.zip', 'w') as archive:
        for path in source.rglob('*.txt'):
            archive.write(path, path.relative_to(source))
    content = bytearray((tmp_path / 'a.zip').read_bytes())
    with zipfile.ZipFile(tmp_path / 'a.zip') as archive:
        start = archive.start_dir
        for info in archive.infolist():  # the flag of encryption in the file's own header ...
            content[info.header_offset + 6] |= 1
    while content[start:start + 4] == b'PK\x01\x02':  # ... and in the directory
        content[start + 8] |= 1
        start += 46 + sum(int.from_bytes(content[start + i:start + i + 2], 'little')
                          for i in (28, 30, 32))
    (tmp_path / 'a.zip').write_bytes(content)
    with pytest.raises(TALDataError, match='file: cannot be read .*password'):
        convert_hapt(str(tmp_path / 'a.zip'), str(tmp_path / 'out'))


def test_a_class_number_of_thousands_of_digits(tmp_path):
    (tmp_path / 'm.json').write_text('{"v": {"subset": "training", "duration": 9, "actions": []}}')
    (tmp_path / 'list.txt').write_text('1' * 5000 + ' Name\n')
    with pytest.raises(TALDataError, match=r'list\.txt: line 1: must be a number and a name'):
        convert_multithumos(str(tmp_path / 'm.json'), str(tmp_path / 'a.json'),
                            class_list=str(tmp_path / 'list.txt'))


def test_multithumos_leaves_out_what_is_there(tmp_path):
    source = tmp_path / 'm.json'
    source.write_text(json.dumps({'v': dict(subset='training', duration=9.0,
                                            actions=[[65, 1.0, 2.0]])}))
    with pytest.raises(TALDataError, match="video 'v2': video: is to be left out and not there"):
        convert_multithumos(str(source), str(tmp_path / 'a.json'), exclude=['v2'])
    assert not (tmp_path / 'a.json').exists()
