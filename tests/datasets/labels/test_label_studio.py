"""Label Studio's JSON export."""
import copy

import pytest


def result(kind, value, name='what', to='video'):
    return dict(id='x1', type=kind, value=value, origin='manual', to_name=to, from_name=name)


def task(*results, video='/data/upload/3/0a1b2c3d-a%20b.mp4', **more):
    return dict(
        id=1, file_upload='0a1b2c3d-a b.mp4', drafts=[], predictions=[], meta={},
        data=dict(video=video, **more), created_at='2024-05-01T10:00:00Z', project=3,
        annotations=[dict(id=7, completed_by=1, was_cancelled=False, ground_truth=False,
                          lead_time=12.3, result=list(results))])


def timeline(*ranges, label='run', **kwargs):
    return result('timelinelabels', dict(timelinelabels=[label], ranges=[
        dict(start=start, end=end) for start, end in ranges]), **kwargs)


def spans(start, end, *labels, kind='labels', **kwargs):
    return result(kind, {'start': start, 'end': end, kind: list(labels)}, **kwargs)


def test_frames_count_from_one_and_the_last_belongs_to_the_range(files):
    content = [task(timeline((1, 50), (101, 200)), timeline((26, 26), label='jump'))]
    labels = files.labels('t.json', content)
    assert [(r.video, r.start, r.end, r.label) for r in labels.rows] == [
        ('a b', 0, 2, 'run'), ('a b', 4, 8, 'run'), ('a b', 1, 1.04, 'jump')]
    assert labels.rows[2].place == '[0].annotations[0].result[1]'
    assert files.problems('t.json', content, fps=None) == [
        'fps: is not known: give the videos, a table of them, or one value for all']


def test_seconds(files):
    content = [task(spans(0.5, 10.25, 'run', 'fast'), video='s3://films/one/a.mp4', person=4),
               task(spans(3, 4, 'sit', to='audio'), video='https://x.org/b.wav?key=a/b#c'),
               task(video='/data/local-files/?d=films/c.mp4')]
    labels = files.labels('t.json', content, group='person')
    assert [(r.video, r.start, r.end, r.label) for r in labels.rows] == [
        ('a', 0.5, 10.25, 'run'), ('a', 0.5, 10.25, 'fast'), ('b', 3, 4, 'sit')]
    assert list(labels.videos) == ['a', 'b', 'c'] and labels.videos['a'].group == '4'
    one = task(spans('3.5', 4, 'sit', kind='timeserieslabels'))
    one['data'] = dict(csv='/data/upload/1/00aa11bb-walk.csv')
    assert files.rows('t.json', [one]) == [('walk.csv', 3.5, 4, 'sit')]


def test_control_tags(files):
    content = [task(timeline((1, 25)), result('choices', dict(choices=['indoors']), 'where'))]
    assert files.problems('t.json', content) == [
        "tiers: 2 control tags have labels: 'what' (1), 'where' (1); say which are to be read "
        '(tiers)']
    assert files.rows('t.json', content, tiers=['what']) == [('a b', 0, 1, 'run')]
    problem, = files.problems('t.json', content, tiers=['where'])
    assert problem.startswith("[0].annotations[0].result[1].type: 'choices' is no segment in time")


def test_boxes_are_no_segments(files):
    box = result('videorectangle', dict(labels=['dog'], framesCount=100, duration=4.0, sequence=[
        dict(frame=1, enabled=True, x=1, y=2, width=3, height=4, rotation=0, time=0.04)]))
    assert files.problems('t.json', [task(box)]) == [
        "[0].annotations[0].result[0].type: 'videorectangle' is a box that moves, no segment in "
        'time; label segments with TimelineLabels']


@pytest.mark.parametrize('bad, words', [
    (timeline(), '.value.ranges: is empty'),
    (timeline((1, None)), '.value.ranges[0].end: must be a number, got NoneType None'),
    (timeline((50, 20)), ': end 0.8 s is not after start 1.96 s'),
    (timeline((1, 2), label=' '), ': the label is empty'),
    (spans(1, 2), '.value.labels: must be names of classes, got []'),
    (spans(1, 'x', 'run'), ".value.end: must be a number, got 'x'"),
    (result('labels', dict(start=1, end=2, text='abc', labels=['x'])),
     '.value: is a part of a text, no segment in time'),
    (dict(type='relation', from_id='a', to_id='b'), ".type: 'relation' is no segment in time"),
    (dict(from_name='what', value={}), '.type: is missing'),
    ('x', ": must be an object, got 'x'"),
])
def test_bad_results(files, bad, words):
    problem, = files.problems('t.json', [task(timeline((1, 5)), bad)])
    assert problem.startswith(f'[0].annotations[0].result[1]{words}')


def test_annotations_of_a_task(files):
    content = [task(timeline((1, 25)))]
    second = copy.deepcopy(content[0]['annotations'][0])
    second['result'] = [timeline((1, 50))]
    content[0]['annotations'].append(second)
    assert files.problems('t.json', content) == [
        '[0].annotations: has 2; mark one of them as ground truth']
    second['ground_truth'] = True
    assert files.rows('t.json', content) == [('a b', 0, 2, 'run')]
    second.update(ground_truth=False, was_cancelled=True)
    assert files.rows('t.json', content) == [('a b', 0, 1, 'run')]
    content[0]['annotations'] = []
    assert files.problems('t.json', content) == [
        '[0].annotations: has none that was submitted: the task is not labelled yet']


def test_names_of_recordings(files):
    one = task(timeline((1, 25)))
    one['data'] = dict(clip='a.mp4', notes='long')
    problem, = files.problems('t.json', [one])
    assert problem.startswith('[0].data: names no recording in video, video_url, audio')
    assert files.rows('t.json', [one], columns=dict(video='clip')) == [('a', 0, 1, 'run')]
    with pytest.raises(ValueError, match="columns: there is no field 'label', but video"):
        files.rows('t.json', [one], columns=dict(label='clip'))
    one['data'] = dict(clip='b.mp4')
    assert files.rows('t.json', [one]) == [('b', 0, 1, 'run')]
    one['data'] = dict(video=3)
    assert files.problems('t.json', [one])[0].startswith('[0].data: names no recording')
    assert files.problems('t.json', dict(a=1), format='label_studio') == [
        'file: must hold a JSON list, got dict']
    assert files.problems('t.json', [one], format='via') == [
        'file: must hold a JSON object, got list']
    assert files.problems('t.json', '3') == ['file: must hold a JSON object or a list, got int']
    # JSON-MIN, the short export
    assert files.problems('t.json', [dict(video='a.mp4', what=[], id=1)]) == [
        '[0].data: is missing']
    assert files.problems('t.json', '[') and files.problems('t.json', []) == [
        'file: there is no label']
