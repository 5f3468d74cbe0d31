"""The page of a report; in a browser it is tested in tests/visualization."""
import json
import re

import pytest

from cltdr_mm import cli
from cltdr_mm.apis.inference.reports import write_report
from cltdr_mm.datasets.labels import VideoFacts
from cltdr_mm.utils import TALDataError

pytest.importorskip('plotly', reason='plotly is not installed: pip install "cltdr-mm[report]"')


@pytest.fixture
def results(tmp_path):
    path = tmp_path / 'r.json'
    path.write_text(json.dumps(dict(results={name: [dict(label='x', segment=[0, 1], score=.5)]
                                             for name in ('cam 1/v', 'w')})))
    return path


def videos_of(page):
    data = re.search(r'id="data">(.*?)</script>', page.read_text('utf-8'))[1]
    return {video['name']: video for video in json.loads(data)['videos']}


def test_links_are_seen_from_the_page(results, tmp_path):
    (tmp_path / 'my films' / 'cam 1').mkdir(parents=True)
    (tmp_path / 'my films' / 'cam 1' / 'v.MP4').touch()
    facts = {'cam 1/v': VideoFacts(9., 25.)}
    page = tmp_path / 'out' / 'deep' / 'page.html'
    remarks = write_report(results, page, videos=tmp_path / 'my films', facts=facts)
    assert remarks == [
        "1 of 2 videos have no file, such as 'w'",
        "durations and rates of 1 videos are not known, such as of 'w': labels saved from the page "
        'will lack them (give the videos, or annotations)']
    found = videos_of(page)
    assert found['cam 1/v']['link'] == '../../my%20films/cam%201/v.MP4'
    assert found['cam 1/v']['entry'] == dict(duration=9., fps=25.)
    assert found['w']['link'] is None
    assert page.read_text().count('<title>Detections in r.json</title>') == 1


def test_folder_of_other_videos(results, tmp_path):
    (tmp_path / 'films').mkdir()
    (tmp_path / 'films' / 'other.mp4').touch()
    with pytest.raises(TALDataError, match="none of its 1 video files has the name of a video: "
                       "they are such as 'other', wanted are such as 'cam 1/v'"):
        write_report(results, tmp_path / 'p.html', videos=tmp_path / 'films')
    with pytest.raises(TALDataError, match='there is no such folder'):
        write_report(results, tmp_path / 'p.html', videos=tmp_path / 'none')
    assert not (tmp_path / 'p.html').exists()


def test_the_command(results, tmp_path, capsys):
    page = tmp_path / 'p.html'
    (tmp_path / 'ann.json').write_text(json.dumps(dict(database={
        name: dict(duration=3, annotations=[dict(label='y', segment=[1, 2])])
        for name in ('w', 'cam 1/v')})))
    cli.main(['report', str(results), '--annotations', str(tmp_path / 'ann.json'), '--out',
              str(page)])
    assert capsys.readouterr().out == f'wrote {page}: open it in a browser\n'
    assert [len(video['labels']) for video in videos_of(page).values()] == [1, 1]
    with pytest.raises(SystemExit, match=r'error: .*gone\.json: file: cannot be read'):
        cli.main(['report', str(tmp_path / 'gone.json'), '--out', str(page)])


def test_damaged_video(results, tmp_path):
    pytest.importorskip('av')
    (tmp_path / 'w.mp4').write_bytes(b'no video')
    with pytest.raises(ValueError, match=r'w\.mp4: the video cannot be decoded'):
        write_report(results, tmp_path / 'p.html', videos={'w': tmp_path / 'w.mp4'})
