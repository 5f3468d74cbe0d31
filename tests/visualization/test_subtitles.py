import pytest

from cltdr_mm.visualization.subtitles import running_spans, write_subtitles


def row(label, start, end, score):
    return dict(label=label, segment=[start, end], score=score)


def test_what_runs_is_said_until_it_changes():
    spans = running_spans([row('run', 1, 5, .5), row('jump', 2, 3, .9), row('run', 4, 6, .4),
                           row('sit', 8, 9, .1), row('sit', 7, 7, .8)])
    assert spans == [(1, 2, (('run', .5), )), (2, 3, (('jump', .9), ('run', .5))),
                     (3, 5, (('run', .5), )), (5, 6, (('run', .4), )), (8, 9, (('sit', .1), ))]
    assert running_spans([]) == []
    assert running_spans([dict(segment=[0, 1], score=.5)]) == [(0, 1, (('proposal', .5), ))]


def test_only_the_strongest_are_named():
    rows = [row(name, 0, 1, score) for name, score in zip('abcd', (.1, .4, .3, .2))]
    assert running_spans(rows, 2) == [(0, 1, (('b', .4), ('c', .3)))]


def test_subtitles(tmp_path):
    path = tmp_path / 'new' / 'v.srt'
    number = write_subtitles(path, [row('a\nb é', 1.0004, 3661.5, .456), row('x', 2, 2.0001, 1.)])
    assert number == 2
    assert path.read_text('utf-8') == (
        '1\n00:00:01,000 --> 00:00:02,000\na b é 0.46\n\n'
        '2\n00:00:02,000 --> 01:01:01,500\na b é 0.46\n')
    assert write_subtitles(path, []) == 0 and path.read_text() == ''


@pytest.mark.parametrize('count', [3000])
def test_many_detections(count):
    rows = [row(f'c{i % 7}', i * .01, i * .01 + 5, i / count) for i in range(count)]
    spans = running_spans(rows)
    assert all(a[1] <= b[0] for a, b in zip(spans, spans[1:]))
    assert spans[-1][1] == pytest.approx((count - 1) * .01 + 5)
