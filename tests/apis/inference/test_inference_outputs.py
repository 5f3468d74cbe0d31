"""The folder that `cltdr infer` writes."""
import csv
import json
from importlib.util import find_spec

import numpy as np
import pytest

from cltdr_mm import cli
from cltdr_mm.apis.inference.outputs import check_formats, write_outputs

av = pytest.importorskip('av', reason='PyAV is not installed: pip install av')


@pytest.fixture
def videos(folder):
    """Videos of v0 and v3 at 10 frames per second, as long as their features."""
    path = folder.parent / 'videos'
    path.mkdir()
    for name, seconds in (('v0', 15.5), ('v3', 6.5)):
        with av.open(str(path / f'{name}.mp4'), 'w') as container:
            stream = container.add_stream('mpeg4', rate=10)
            stream.width, stream.height, stream.pix_fmt = 64, 48, 'yuv420p'
            for _ in range(round(10 * seconds)):
                frame = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format='rgb24')
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
    return path


@pytest.fixture
def infer(cfg, weights, folder, tmp_path, capsys):
    """Run the command on v0 and v3; what it prints."""
    cfg.dump(tmp_path / 'config.py')

    def run(*options, fails=False):
        words = [tmp_path / 'config.py', weights, folder / 'v0.npy', folder / 'v3.npy', '--out-dir',
                 tmp_path / 'out', '--device', 'cpu', *options]
        if fails:
            with pytest.raises(SystemExit) as stop:
                cli.main(['infer', *map(str, words)])
            return f'{capsys.readouterr().err}{stop.value.code}'
        cli.main(['infer', *map(str, words)])
        return capsys.readouterr().out
    return run


def test_all_formats(infer, videos, tmp_path):
    report = ['html'] if find_spec('plotly') else []
    out = infer('--videos', videos, '--min-score', '0.01', '--top', '3',
                '--formats', 'csv', 'srt', 'png', 'video', *report)
    folder = tmp_path / 'out'
    results = json.loads((folder / 'results.json').read_text())['results']
    assert [len(rows) for rows in results.values()] == [3, 3]
    with open(folder / 'results.csv', newline='') as file:
        rows = list(csv.DictReader(file))
    assert [(row['video'], float(row['score'])) for row in rows] == [
        (video, pytest.approx(row['score'], rel=1e-3))
        for video, own in results.items() for row in own]
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob('*.*'))
    assert files == sorted([
        'pictures/v0.png', 'pictures/v3.png', 'results.csv', 'results.json', 'subtitles/v0.srt',
        'subtitles/v3.srt', 'videos/v0.mp4', 'videos/v3.mp4', *(['report.html'] if report else [])])
    first = (folder / 'subtitles' / 'v3.srt').read_text().splitlines()
    assert first[0] == '1' and ' --> ' in first[1]
    with av.open(str(folder / 'videos' / 'v3.mp4')) as container:
        assert len(list(container.decode(video=0))) == 65
    assert f'wrote {folder / "results.json"}, {folder / "results.csv"}' in out
    if report:
        assert '"link":"../videos/v0.mp4"' in (folder / 'report.html').read_text()


def test_only_the_result_file(infer, tmp_path):
    infer('--formats', 'json')
    assert [path.name for path in (tmp_path / 'out').iterdir()] == ['results.json']


def test_options_change_the_config(infer, tmp_path):
    infer('--formats', 'json', '--cfg-options', 'model.postprocessor.max_per_video=2')
    results = json.loads((tmp_path / 'out' / 'results.json').read_text())['results']
    assert [len(rows) for rows in results.values()] == [2, 2]


def test_wrong_options(infer, tmp_path):
    assert 'PostProcessor has no such argument' in infer(
        '--cfg-options', 'model.postprocessor.max_per_vido=2', fails=True)
    with pytest.raises(SystemExit):
        cli.main(['infer', 'checkpoint', 'a.pth', 'b.npy', '--out-dir', str(tmp_path / 'out'),
                  '--cfg-options', 'model.postprocessor.max_per_video=2'])
    assert '--formats video of feature files needs --videos' in infer('--formats', 'video',
                                                                      fails=True)
    assert 'was never validated' in infer('--min-score', 'auto', fails=True)
    assert "must be a number or auto, got 'x'" in infer('--min-score', 'x', fails=True)
    assert 'top must be a whole number from 1 on' in infer('--top', '0', fails=True)
    assert not (tmp_path / 'out').exists()


def test_remarks(tmp_path):
    (tmp_path / 'results.json').write_text('{"results": {"v": []}}')
    predictions = [dict(video_name='v', duration=1., fps=5., video=None, detections=[])]
    assert write_outputs(predictions, tmp_path, ['video', 'csv']) == [
        '1 of 1 inputs have no video to draw on']
    assert (tmp_path / 'results.csv').read_text().splitlines()[1] == 'v,,,,,'
    with pytest.raises(ValueError, match='formats must be of json, csv, .*, got avi'):
        check_formats(['avi', 'csv'])
