"""What a report says; tests in a browser are in test_report_browser.py."""
import json
import re
import sys

import pytest

from cltdr_mm.datasets.labels import VideoFacts
from cltdr_mm.utils import TALDataError
from cltdr_mm.visualization.files import TimelineSource
from cltdr_mm.visualization.report import report_content, report_page


@pytest.fixture
def write(tmp_path):
    """Write detections (label, start, end, score) and annotations; read them."""
    def source(results, database=None, **rest):
        (tmp_path / 'r.json').write_text(json.dumps(dict(results={
            video: [dict(segment=row[-3:-1], score=row[-1], **dict(zip(['label'], row[:-3])))
                    for row in rows] for video, rows in results.items()})))
        if database is None:
            return TimelineSource(None, tmp_path / 'r.json')
        (tmp_path / 'a.json').write_text(json.dumps(dict(rest, database=database)))
        return TimelineSource(tmp_path / 'a.json', tmp_path / 'r.json')
    return source


def test_content(write):
    source = write(
        {'b': [['run', 1.00049, 2, .123456], ['fly', 3, 4, .9]], 'new': []},
        {'a': dict(subset='training', duration=9, fps=5, annotations=[]),
         'b': dict(subset='test', duration=8, camera='left', annotations=[
             dict(label='run', label_id=7, segment=[2.00049, 3]),
             dict(label='jump', segment=[1, 2], sure=True)])},
        version='1', classes=['jump', 'run', 'sit'], taxonomy=[1])
    facts = {'b': VideoFacts(1., 25.), 'new': VideoFacts(3.)}
    found = report_content(source, {'b': 'b.mp4'}, facts)
    assert found['classes'] == ['jump', 'run', 'sit', 'fly'], "the file's, then the results'"
    assert found['rest'] == dict(version='1', taxonomy=[1])
    assert found['videos'] == [
        dict(name='b', duration=8, link='b.mp4', detected=True, annotated=True,
             labelled=True,
             entry=dict(duration=8, fps=25., subset='test', camera='left'),
             labels=[[1, 2, 0, dict(sure=True)], [2.00049, 3, 1]],
             found=[[1., 2, 1, .1235], [3, 4, 3, .9]]),
        dict(name='new', duration=3., link=None, detected=True, annotated=False,
             labelled=False,
             entry=dict(duration=3.), labels=[], found=[]),
        dict(name='a', duration=9, link=None, detected=False, annotated=True,
             labelled=True,
             entry=dict(duration=9, fps=5, subset='training'), labels=[], found=[])]


def test_proposals_are_a_class_of_their_own(write):
    found = report_content(write({'v': [[1, 2, .5]]}))
    assert found['classes'] == ['proposal'] and found['videos'][0]['found'] == [[1, 2, 0, .5]]


@pytest.mark.parametrize('labels, expected', [(2, .98), (100, 0.), (0, .81)])
def test_where_the_slider_stands(write, labels, expected):
    """Half as many detections as labels more are shown, or 20 a video."""
    source = write({'v': [['run', 0, 1, 1 - i / 100] for i in range(90)]}, {
        'v': dict(annotations=[dict(label='run', segment=[i, i + 1]) for i in range(labels)]),
        'other': dict(annotations=[dict(label='run', segment=[0, 1])] * 50)})
    assert report_content(source)['start_score'] == pytest.approx(expected)
    assert report_content(source, min_score=.4)['start_score'] == .4


def test_bad_content(write):
    with pytest.raises(TALDataError, match=r'r\.json: results: there is no video'):
        report_content(write({}))
    with pytest.raises(TALDataError, match=r"a\.json: video 'v': entry: holds NaN"):
        report_content(write({}, {'v': dict(duration=3, fps=float('nan'), annotations=[])}))
    with pytest.raises(TALDataError, match=r"'v': annotations\[0\]\.segment: is missing"):
        report_content(write({}, {'v': dict(annotations=[dict(label='run')])}))


def test_page_holds_any_text(write):
    pytest.importorskip('plotly')
    names = ['</script><script>alert(1)</script>', '<!--', ']]>', "'\"", '{{data}}', '\u2028é',
             '\ud800']
    content = report_content(write({name: [[name, 0, 1, .5]] for name in names}))
    page = report_page(content, '<b>{{data}}')
    page.encode()
    [data] = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page)
    assert json.loads(data) == content and '<!--' not in data
    assert page.count('<title>&lt;b&gt;{{data}}</title>') == 1
    loaded = re.findall(r'<(?:script|link|img|video)\b[^>]*(?:src|href)="([^"]*)', page)
    assert loaded == ['data:,'], 'nothing is loaded from elsewhere'


def test_page_without_plotly(write, monkeypatch):
    monkeypatch.setitem(sys.modules, 'plotly.offline', None)
    with pytest.raises(ImportError, match=r'pip install "cltdr-mm\[report\]"'):
        report_page(report_content(write({'v': []})), 'title')
