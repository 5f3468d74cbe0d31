"""Charades, Ego4D-MQ, FineAction, EPIC-Sounds: made files in the layouts of the published ones."""
import json

import pytest

from cltdr_mm.datasets import (
    CharadesDataset,
    Ego4DMQDataset,
    EPICSoundsDataset,
    FineActionDataset,
    TALDataError,
    class_names,
)
from cltdr_mm.datasets.converters.activitynet import convert_fineaction
from cltdr_mm.datasets.converters.charades import convert_charades
from cltdr_mm.datasets.converters.common import counts
from cltdr_mm.datasets.converters.ego4d import convert_ego4d_mq
from cltdr_mm.datasets.converters.epic import convert_epic_sounds


@pytest.fixture
def write(tmp_path):
    """Write a file, JSON unless it is a text; gives its path."""

    def call(name, content):
        (tmp_path / name).write_text(
            content if isinstance(content, str) else json.dumps(content), encoding='utf-8')
        return str(tmp_path / name)

    return call


@pytest.fixture
def out(tmp_path):
    return str(tmp_path / 'out.json')


def load(kind, ann_file, **more):
    """Samples of a data set, its features aside."""
    data = kind(ann_file=str(ann_file), feature_stride=8, check_features=False, test_mode=True,
                **{**dict(fps=30), **more})
    return data, {info['video_name']: info for info in map(data.get_data_info, range(len(data)))}


# ---- Charades

HEAD = ('id,subject,scene,quality,relevance,verified,script,objects,descriptions,actions,'
        'length\n')


def charades_row(name, actions, length):
    return f'{name},T5ZX,Kitchen,6,7,Yes,"A person, cooking.",food;stove,words,{actions},{length}\n'


@pytest.fixture
def charades(write):
    return dict(
        train=write('Charades_v1_train.csv', HEAD
                    + charades_row('YSKX3', 'c092 11.90 21.20;c147 0.00 12.60', '20.00')
                    + charades_row('2NXFV', '', '31.04')),
        test=write('Charades_v1_test.csv', HEAD + charades_row('IJ5KO', 'c156 1.5 9', '9.21')))


def test_charades_from_csv(charades, out):
    database, left_out = convert_charades(out, **charades)
    assert counts(database) == dict(training=(2, 2), testing=(1, 1)) and not left_out
    assert database['YSKX3'] == dict(subset='training', duration=20.0, annotations=[
        dict(segment=[11.9, 21.2], label='c092', label_id=92),
        dict(segment=[0.0, 12.6], label='c147', label_id=147)])
    data, videos = load(CharadesDataset, out, subset='training')
    assert videos['YSKX3']['gt_labels'].tolist() == [92, 147]  # 1.2 s after the video: in bounds
    assert len(videos['2NXFV']['gt_labels']) == 0
    with pytest.raises(TALDataError, match='beyond the duration'):
        load(CharadesDataset, out, subset='training', duration_tolerance=1.1)
    database, _ = convert_charades(out, test=charades['test'])
    assert list(database) == ['IJ5KO']


def test_charades_from_super_events(write, out):
    source = write('charades.json', {
        'YSKX3': dict(subset='training', duration=20.0, actions=[[92, 11.9, 21.2], [0, 1, 2.5]]),
        'IJ5KO': dict(subset='testing', duration=9.21, actions=[])})
    database, _ = convert_charades(out, source=source)
    assert counts(database) == dict(training=(1, 2), testing=(1, 0))
    assert database['YSKX3']['annotations'][1] == dict(
        segment=[1, 2.5], label='c000', label_id=0)
    for action, words in (([157, 1, 2], 'class: must be 0 to 156, got 157'),
                          ([1.5, 1, 2], 'class: must be 0 to 156, got 1.5'),
                          ([1, 2], r'must be \[class, start, end\]')):
        source = write('bad.json', dict(v=dict(subset='testing', duration=9, actions=[action])))
        with pytest.raises(TALDataError, match=rf"video 'v': actions\[0\].*{words}"):
            convert_charades(out, source=source)
    source = write('bad.json', dict(v=dict(subset='val', duration=9, actions=[])))
    with pytest.raises(TALDataError, match="subset: must be 'training' or 'testing', got 'val'"):
        convert_charades(out, source=source)


#: The seven of the published files, by video.
INVERTED = dict(AKKWU='c113 38 13', LEOL6='c107 8 7;c128 8 7', IOL8Q='c023 21.2 12;c024 20.9 12')
INVERTED['00SL4'] = 'c071 18 10;c081 18 10;c001 2 9'


def test_inverted_segments_of_charades_are_named(write, out, tmp_path):
    train = write('train.csv', HEAD + ''.join(
        charades_row(name, actions, '40') for name, actions in INVERTED.items()))
    with pytest.raises(TALDataError, match='--skip-inverted') as caught:
        convert_charades(out, train)
    assert not (tmp_path / 'out.json').exists()
    assert [problem.video for problem in caught.value.problems] == [
        'AKKWU', 'LEOL6', 'LEOL6', 'IOL8Q', 'IOL8Q', '00SL4', '00SL4']
    assert 'c113 ends at 13 s, not after its start 38 s' in str(caught.value)
    database, left_out = convert_charades(out, train, skip_inverted=True)
    assert len(left_out) == 7 and counts(database) == dict(training=(4, 1))
    assert 'IOL8Q: actions[1]: c024 ends at 12 s, not after its start 20.9 s' in left_out


def test_class_names_of_charades(write, out, charades):
    lines = [f'c{i:03d} Doing thing {i}\n' for i in range(157)]
    names = write('Charades_v1_classes.txt', ''.join(reversed(lines)))
    database, _ = convert_charades(out, **charades, class_list=names)
    assert database['IJ5KO']['annotations'][0] == dict(
        segment=[1.5, 9], label='Doing thing 156', label_id=156)
    data, _ = load(CharadesDataset, out, metainfo=dict(
        classes=[f'Doing thing {i}' for i in range(157)]))
    assert data.metainfo['classes'][3] == 'Doing thing 3'
    for text, words in ((''.join(lines[1:]), 'lines: must name the classes c000 to c156'),
                        ('c0 A\n', "line 1: must be a code and a name, such as 'c005 Sweeping'"),
                        ('c000\n', 'line 1: must be a code'), ('c000 A\nc000 B\n', 'line 2: gives'),
                        (''.join(f'c{i:03d} A\n' for i in range(157)), 'lines: give several')):
        with pytest.raises(TALDataError, match=rf'classes\.txt: {words}'):
            convert_charades(out, **charades, class_list=write('classes.txt', text))


def test_bad_files_of_charades(write, out, charades):
    for row, words in ((charades_row('V', 'c092 1.0', 9), 'actions: must be class, start, end'),
                       (charades_row('V', 'c157 1 2', 9), 'class: must be c000 to c156'),
                       (charades_row('V', 'c001 1 x', 9), 'end: must be a number'),
                       (charades_row('V', '', 'x'), 'length: must be a number')):
        with pytest.raises(TALDataError, match=rf"bad\.csv: video 'V': line 2, .*{words}"):
            convert_charades(out, write('bad.csv', HEAD + row))
    with pytest.raises(TALDataError, match="video 'YSKX3': id: the video is in both files"):
        convert_charades(out, charades['train'], charades['train'])
    for args in ({}, dict(train='a.csv', source='b.json')):
        with pytest.raises(ValueError, match='give the CSV files'):
            convert_charades(out, **args)


# ---- Ego4D

CUT = '"cut_/_chop_/_slice_a_vegetable,_fruit,_or_meat"'
ASL_FILE = {'a': dict(
    video_id='video_a', clip_id=0, duration=480.0, parent_start_sec=0, parent_end_sec=480.0,
    v_duration=900.0, fps=1.87, subset='val',
    annotations=[dict(segment=[1.0, 2.5], label=CUT, label_id=7)])}


def ego4d_clip(name, labels, first=0., seconds=480., rate=30.):
    """A clip of an official file; one annotator for each list of (label, primary, start, end)."""
    return dict(
        clip_uid=name, video_start_sec=first, video_end_sec=first + seconds,
        video_start_frame=round(first * rate), video_end_frame=round((first + seconds) * rate),
        annotations=[dict(annotator_uid=f'annotator_{i}', labels=[dict(
            label=label, primary=primary, start_time=start, end_time=end,
            video_start_time=first + start, video_end_time=first + end,
            video_start_frame=round((first + start) * rate),
            video_end_frame=round((first + end) * rate)) for label, primary, start, end in one])
            for i, one in enumerate(labels)])


def ego4d_file(split, *clips):
    return dict(version='1.0', date='220216', videos=[
        dict(video_uid=f'video_{split}', split=split, clips=list(clips))])


def test_ego4d_official(write, out):
    train = write('moments_train.json', ego4d_file(
        'train',
        ego4d_clip('a', [[(CUT, True, 1., 2.5), ('walk', False, 3, 4)], [(CUT, True, 5., 480.5)]],
                   first=300.),
        ego4d_clip('none', [[(CUT, False, 1., 2.)]]),
        ego4d_clip('early', [[(CUT, True, 2., 3.)]], first=-0.5)))
    val = write('moments_val.json', ego4d_file('val', ego4d_clip(
        '86070d6e-7ab7-4fd7-b91e-f5a39f27c179', [[(CUT, True, 477.248, 480.)]], seconds=477.033)))
    hidden = ego4d_clip('t', [])
    del hidden['annotations']
    test = write('moments_test_unannotated.json', ego4d_file('test', hidden))
    database, left_out = convert_ego4d_mq([train, val, test], out)
    assert counts(database) == dict(train=(2, 3), val=(1, 1), test=(1, 0))
    label = dict(label=CUT, label_id=class_names('ego4d_mq').index(CUT))
    assert database['a'] == dict(subset='train', duration=480.0, fps=30.0, annotations=[
        dict(segment=[1.0, 2.5], **label), dict(segment=[5.0, 480.5], **label)])
    assert left_out == ['none: a clip of train without a label']
    # what is not in the video: the clip begins with the video, and its seconds with it
    assert database['early']['duration'] == 479.5
    assert database['early']['annotations'][0]['segment'] == [1.5, 2.5]
    assert database['early']['fps'] == 30.0
    # all are kept; a smaller tolerance names those that end, or begin, after their clip
    _, clips = load(Ego4DMQDataset, out, subset='train')
    assert clips['a']['gt_labels'].tolist() == [label['label_id']] * 2
    with pytest.raises(TALDataError) as caught:
        load(Ego4DMQDataset, out, duration_tolerance=0.1)
    assert [problem.video[:5] for problem in caught.value.problems] == ['a', '86070']


def test_clips_whose_frames_and_seconds_do_not_fit(write, out):
    source = write('moments_train.json', ego4d_file(
        'train', ego4d_clip('good', [[(CUT, True, 1, 2)]]),
        ego4d_clip('slow', [[(CUT, True, 1, 2)]], rate=5.),
        ego4d_clip('fast', [[(CUT, True, 1, 2)]], rate=101.)))
    with pytest.raises(TALDataError, match='--skip-bad-rates') as caught:
        convert_ego4d_mq([source], out)
    assert [problem.video for problem in caught.value.problems] == ['slow', 'fast']
    database, left_out = convert_ego4d_mq([source], out, skip_bad_rates=True)
    assert list(database) == ['good']
    assert left_out == ['slow: frames and seconds make 5 frames a second',
                        'fast: frames and seconds make 101 frames a second']


def opentad_ego4d():
    return dict(version='v2', date='220429', database=dict(
        a=dict(duration=480.0, frame=14400, subset='train',
               annotations=[dict(segment=[1.0, 2.5], label=CUT)]),
        b=dict(duration=480.0, frame=14400, subset='val',
               annotations=[dict(segment=[3.0, 481.0], label=CUT)]),
        c=dict(duration=240.0, frame=7200, subset='test', annotations=[])))


def actionformer_ego4d():
    label_id = class_names('ego4d_mq').index(CUT)
    return dict(version='ego4d', database=dict(
        a=dict(duration=480.0, fps=30.0, subset='training',
               annotations=[dict(segment=[1.0, 2.5], label=CUT, label_id=label_id)]),
        b=dict(duration=480.0, fps=30.0, subset='validation',
               annotations=[dict(segment=[3.0, 481.0], label=CUT, label_id=label_id)])))


@pytest.mark.parametrize('make, subsets', [
    (opentad_ego4d, dict(train=(1, 1), val=(1, 1), test=(1, 0))),
    (actionformer_ego4d, dict(train=(1, 1), val=(1, 1))), (lambda: ASL_FILE, dict(val=(1, 1)))])
def test_ego4d_of_others(write, out, make, subsets):
    database, _ = convert_ego4d_mq([write('source.json', make())], out)
    assert counts(database) == subsets
    assert database['a']['annotations'][0] == dict(
        segment=[1.0, 2.5], label=CUT, label_id=class_names('ego4d_mq').index(CUT))
    # ASL's fps are steps of features: no frame rate
    assert database['a'].get('fps') == (None if make() is ASL_FILE else 30.0)
    _, clips = load(Ego4DMQDataset, out, subset=list(subsets))
    assert set(clips) == set(database)


@pytest.mark.parametrize('make, subset', [(opentad_ego4d, 'train'),
                                          (actionformer_ego4d, 'training')])
def test_ego4d_of_others_loads_as_it_is(write, make, subset):
    _, clips = load(Ego4DMQDataset, write('source.json', make()), subset=subset)
    assert clips['a']['gt_segments'].tolist() == [[1.0, 2.5]]
    assert clips['a']['gt_labels'].tolist() == [class_names('ego4d_mq').index(CUT)]


def test_bad_files_of_ego4d(write, out):
    def convert(change, name='moments_train.json'):
        content = ego4d_file('train', ego4d_clip('a', [[(CUT, True, 1, 2)]]))
        change(content['videos'][0])
        return convert_ego4d_mq([write(name, content)], out)

    def labels(video):
        return video['clips'][0]['annotations'][0]['labels'][0]

    for change, words in (
            (lambda v: v.update(split='dev'), "subset: must be one of"),
            (lambda v: v['clips'][0].pop('clip_uid'), 'clip_uid: is missing'),
            (lambda v: v['clips'][0].update(video_end_sec=-1.), 'duration: must be positive'),
            (lambda v: labels(v).update(primary=1), r'labels\[0\].primary: must be true or false'),
            (lambda v: labels(v).update(label='nap'), "unknown label 'nap'"),
            (lambda v: labels(v).pop('video_end_time'), 'video_end_time: is missing'),
            (lambda v: v['clips'].append(v['clips'][0]), 'the clip is given twice')):
        with pytest.raises(TALDataError, match=words):
            convert(change)
    with pytest.raises(ValueError, match='at least one'):
        convert_ego4d_mq([], out)


# ---- FineAction


def fineaction_file():
    return dict(version='1.0', database={
        'v_00000001': dict(subset='training', duration=20.5, annotations=[
            dict(segment=[1.5, 7.25], label='wash_hands'), dict(segment=[3, 3], label='apply')]),
        'v_00004011': dict(subset='training', duration=9.0, annotations=[
            dict(segment=[5, 2], label='apply')]),
        'v_00000002': dict(subset='validation', duration=9, annotations=[
            dict(segment=[0, 9.9], label='apply_eyebrow')]),
        'v_00000003': dict(subset='testing', duration=9.0)})


def test_fineaction(write, out):
    source = write('annotations_gt.json', fineaction_file())
    with pytest.raises(TALDataError, match=r"video 'v_00004011': annotations\[0\].segment: end 2"):
        convert_fineaction(source, out)
    database, left_out = convert_fineaction(source, out, exclude=['v_00004011'])
    assert counts(database) == dict(training=(1, 1), validation=(1, 1), testing=(1, 0))
    assert sorted(left_out) == ['v_00000001: annotations[1] is empty, at 3 s',
                                'v_00004011: excluded']
    # labels in alphabetical order are the classes, and the data set takes them from the file
    assert database['v_00000001']['annotations'] == [
        dict(segment=[1.5, 7.25], label='wash_hands', label_id=1)]
    data, videos = load(FineActionDataset, out, subset='validation')
    assert data.metainfo['classes'] == ('apply_eyebrow', 'wash_hands')
    assert data.metainfo['protocol'] == 'fineaction'
    assert videos['v_00000002']['gt_labels'].tolist() == [0]
    with pytest.raises(TALDataError, match="'v_1': video: is to be left out and not there"):
        convert_fineaction(source, out, exclude=['v_1'])


# ---- EPIC-Sounds

SOUNDS = ('annotation_id,participant_id,video_id,start_timestamp,stop_timestamp,start_sample,'
          'stop_sample,description,class,class_id\n')
INFO = 'video_id,duration,fps,resolution\nP01_01,1652.15,59.94,1920x1080\nP01_11,100.5,50,x\n'


def sound(name, start, stop, label, number):
    return f'{name}_0,P01,{name},{start},{stop},0,24000,a thing,{label},{number}\n'


@pytest.fixture
def sounds(write):
    return dict(
        video_info=write('EPIC_100_video_info.csv', INFO + 'P01_12,60,50,x\n'),
        train=write('EPIC_Sounds_train.csv', SOUNDS
                    + sound('P01_01', '00:00:02.466', '00:00:05.315', 'rustle', 4)
                    + sound('P01_01', '00:27:31.000', '00:27:32.400', 'cut / chop', 2)),
        validation=write('EPIC_Sounds_validation.csv', SOUNDS
                         + sound('P01_11', '00:01:39.5', '00:01:40.777', 'cut / chop', 2)),
        test=write('EPIC_Sounds_detection_test_videos.csv', 'video_id\nP01_12\n'))


def test_epic_sounds(sounds, out):
    database = convert_epic_sounds(out, **sounds)
    assert counts(database) == dict(train=(1, 2), val=(1, 1), test=(1, 0))
    assert database['P01_01'] == dict(subset='train', duration=1652.15, annotations=[
        dict(segment=[2.466, 5.315], label='rustle', label_id=4),
        dict(segment=[27 * 60 + 31., 27 * 60 + 32.4], label='cut / chop', label_id=2)])
    _, videos = load(EPICSoundsDataset, out, subset='val')  # .277 s after the video: in bounds
    assert videos['P01_11']['gt_labels'].tolist() == [2]
    with pytest.raises(TALDataError, match='beyond the duration'):
        load(EPICSoundsDataset, out, subset='val', duration_tolerance=0.2)
    _, videos = load(EPICSoundsDataset, out, subset='test')
    assert list(videos) == ['P01_12']


def test_epic_sounds_of_opentad(write, out):
    content = dict(database=dict(
        P01_01=dict(subset='train', duration=1652.15, annotations=[
            dict(segment=[2.47, 5.31], label='id_004')]),
        P01_12=dict(subset='test', duration=60.0, annotations=[])))
    source = write('epic_sounds.json', content)
    database = convert_epic_sounds(out, source=source)
    assert counts(database) == dict(train=(1, 1), test=(1, 0))
    assert database['P01_01']['annotations'] == [
        dict(segment=[2.47, 5.31], label='rustle', label_id=4)]
    # as it is, by the numbers
    _, videos = load(EPICSoundsDataset, source, subset='train',
                     metainfo=dict(classes=[f'id_{i:03d}' for i in range(44)]))
    assert videos['P01_01']['gt_labels'].tolist() == [4]
    content['database']['P01_01']['annotations'][0]['label'] = 'id_044'
    with pytest.raises(TALDataError, match=r"annotations\[0\].label: must be id_000 to id_043"):
        convert_epic_sounds(out, source=write('bad.json', content))


def test_bad_files_of_epic_sounds(write, out, sounds):
    good = ('P01_01', '0:0:1', '0:0:2')
    for row, words in ((sound('P09', *good[1:], 'rustle', 4), 'the video is not in'),
                       (sound(*good, 'rustle', 44), 'class_id: 44 is not among the 44 classes'),
                       (sound(*good, 'rustle', 3), "class: is 'rustle', but class 3 is 'open / cl"),
                       (sound('P01_01', '0:1', '0:0:2', 'rustle', 4), 'start_timestamp: must be'),
                       (sound('P01_11', *good[1:], 'rustle', 4), 'the video is in train and in va'),
                       (sound('P01_01', '0:0:3', '0:0:2', 'rustle', 4), 'end 2 s is not after')):
        with pytest.raises(TALDataError, match=words):
            convert_epic_sounds(out, **dict(sounds, train=write('bad.csv', SOUNDS + row)))
    for args in ({}, dict(train='t.csv'), dict(video_info='i.csv'),
                 dict(source='s.json', video_info='i.csv'),
                 dict(source='s.json', video_info='i.csv', train='t.csv')):
        with pytest.raises(ValueError, match='give CSV files with'):
            convert_epic_sounds(out, **args)


def test_video_table_of_epic_kitchens_serves_epic_sounds(shared_data, write, out):
    """The table is the real one; the segment is made."""
    info = shared_data / 'data' / 'annotations' / 'EPIC_100_video_info.csv'
    database = convert_epic_sounds(out, str(info), write('t.csv', SOUNDS + sound(
        'P01_01', '00:00:02.466', '00:00:05.315', 'rustle', 4)))
    assert database['P01_01']['duration'] == 1652.152817
