"""BORIS's tables of events."""
import pytest

TABULAR = ('Observation id', 'Observation date', 'Description', 'Observation duration',
           'Observation type', 'Source', 'Time offset (s)', 'Media duration (s)', 'FPS', 'Subject',
           'Behavior', 'Behavioral category', 'Modifier #1', 'Behavior type', 'Time',
           'Media file name', 'Image index', 'Image file path', 'Comment')
AGGREGATED = ('Observation id', 'Observation date', 'Description', 'Observation type', 'Source',
              'Time offset (s)', 'Coding duration', 'Media duration (s)', 'FPS (frame/s)',
              'weather', 'Subject', 'Observation duration by subject by observation', 'Behavior',
              'Behavioral category', 'Behavior type', 'Start (s)', 'Stop (s)', 'Duration (s)',
              'Media file name', 'Image index start', 'Image index stop', 'Image file path start',
              'Image file path stop', 'Comment start', 'Comment stop')
COMMON = {'Observation id': 'obs1', 'Observation type': 'Media file(s)',
          'Source': 'player #1:films/a.mp4', 'Time offset (s)': '0', 'Subject': 'No focal subject',
          'Media duration (s)': '60.000', 'FPS': '30.000', 'FPS (frame/s)': '30.000',
          'Media file name': 'films/a.mp4', 'Behavior': 'run', 'Image file path': 'NA'}


def table(columns, *rows, mark='\t'):
    lines = [columns, *([{**COMMON, **row}.get(name, '') for name in columns] for row in rows)]
    return ''.join(mark.join(line) + '\r\n' for line in lines)


def event(kind, time, **more):
    return {'Behavior type': kind, 'Time': str(time), **more}


def state(start, stop, kind='STATE', **more):
    return {'Behavior type': kind, 'Start (s)': str(start), 'Stop (s)': str(stop), **more}


def test_tabular_events(files):
    rows = [event('START', 1.5), event('START', 2, Subject='dog'),
            event('START', 2.5, Behavior='sit'), event('STOP', 3, Subject='dog'),
            event('START', 3.5, **{'Modifier #1': 'fast'}), event('STOP', 4),
            event('STOP', 5, **{'Modifier #1': 'fast'}), event('STOP', 6.25, Behavior='sit'),
            event('START', 8), event('STOP', 9)]
    for mark in '\t,;':
        labels = files.labels('e.tsv', table(TABULAR, *rows, mark=mark), group='Observation id')
        assert [(r.video, r.start, r.end, r.label) for r in labels.rows] == [
            ('a', 2, 3, 'run'), ('a', 1.5, 4, 'run'), ('a', 3.5, 5, 'run'), ('a', 2.5, 6.25, 'sit'),
            ('a', 8, 9, 'run')]
        known = labels.videos['a']
        assert (known.duration, known.fps, known.group) == (60, 30, 'obs1')


def test_aggregated_events(files):
    rows = [state(1.5, 4), state('10.000', '12.500', Behavior='sit', Source='player #1:b.avi',
                                 **{'Observation id': 'obs2', 'Media file name': 'b.avi'})]
    assert files.rows('e.csv', table(AGGREGATED, *rows, mark=',')) == [
        ('a', 1.5, 4, 'run'), ('b', 10, 12.5, 'sit')]


def test_times_count_from_the_beginning_of_the_recording(files):
    rows = [state(101.5, 104, **{'Time offset (s)': '100.0', 'Media file name': 'Not found'})]
    assert files.rows('e.tsv', table(AGGREGATED, *rows)) == [('a', 1.5, 4, 'run')]
    two = {'Source': 'player #1:a.mp4|player #2:side.mp4', 'Media duration (s)': '60.0|59.0',
           'FPS': '30.0|25.0', 'FPS (frame/s)': '30.0|25.0'}
    labels = files.labels('e.tsv', table(AGGREGATED, state(1, 2, **two)))
    assert list(labels.videos) == ['a'] and labels.videos['a'].fps == 30
    queue = {'Source': 'player #1:a.mp4;b.mp4', 'Media duration (s)': '60.0;59.0'}
    problem, = files.problems('e.tsv', table(AGGREGATED, state(1, 2, **queue)))
    assert problem.startswith('line 2, Source: 2 files were shown one after another')


def test_live_observations(files):
    live = {'Source': 'NA', 'Media duration (s)': 'NA', 'FPS': 'NA', 'Media file name': 'NA'}
    rows = [event('START', 1, **live), event('STOP', 2, **live)]
    assert files.rows('e.tsv', table(TABULAR, *rows)) == [('obs1', 1, 2, 'run')]


@pytest.mark.parametrize('rows, words', [
    ([event('START', 1)], "line 2, Behavior type: the START of 'run' has no STOP"),
    ([event('STOP', 1)], 'line 2, Behavior type: a STOP without a START'),
    ([event('START', 1), event('START', 2), event('STOP', 3)],
     'line 3, Behavior type: a second START; the one in line 2 has no STOP'),
    ([event('POINT', 1)], 'line 2, Behavior type: a POINT event has no length'),
    ([event('x', 1)], "line 2, Behavior type: must be START, STOP or POINT, got 'x'"),
    ([event('START', 'x')], "line 2, Time: must be a number, got 'x'"),
    ([event('START', 2), event('STOP', 1)], 'line 3: end 1 s is not after start 2 s'),
    ([event('START', 1, Behavior='')], "line 2, Behavior: must be a text, got ''"),
])
def test_bad_events(files, rows, words):
    problem, = files.problems('e.tsv', table(TABULAR, *rows))
    assert problem.startswith(words)


def test_bad_aggregated_events(files):
    assert files.problems('e.tsv', table(AGGREGATED, state(1, 'NA'), state(1, 1, 'POINT'))) == [
        "line 2, Stop (s): must be a number, got 'NA'",
        'line 3, Behavior type: a POINT event has no length; export state events only']
    problem, = files.problems('e.tsv', 'video\tstart\n', format='boris')
    assert problem.startswith("header: must have 'Behavior', 'Behavior type', 'Time', or ")
