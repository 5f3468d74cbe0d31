"""``cltdr convert shapes``."""
import pytest

from cltdr_mm.cli.convert.shapes import main


def test_it_says_what_it_wrote(tmp_path, capsys):
    main(['--num-videos', '2', '--min-seconds', '10', '--max-seconds', '12', '--out',
          str(tmp_path / 'new')])
    lines = capsys.readouterr().out.splitlines()
    assert len(list((tmp_path / 'new' / 'videos').glob('*.mp4'))) == 2
    assert lines[0].endswith('videos: 2 videos, 0.4 minutes') and str(tmp_path) in lines[0]
    rows = (tmp_path / 'new' / 'labels.csv').read_text().splitlines()[1:]
    assert f'labels.csv: {len(rows)} actions (' in lines[1]


@pytest.mark.parametrize('words, line', [
    (['--num-videos', '0'], 'error: shape videos: at least one video is needed'),
    (['--fps', '3'], 'error: shape videos: needs fps from 10, .* got 3')])
def test_sizes_that_make_no_sense(words, line, tmp_path):
    with pytest.raises(SystemExit, match=line):
        main([*words, '--out', str(tmp_path / 'new')])
    assert not (tmp_path / 'new').exists()


@pytest.mark.parametrize('there', ['videos/old.mp4', 'labels.csv'])
def test_an_earlier_set_stays(there, tmp_path):
    (tmp_path / 'videos').mkdir()
    if there == 'labels.csv':
        (tmp_path / 'videos').rmdir()
    (tmp_path / there).write_text('old')
    with pytest.raises(SystemExit, match='folder: has (videos|labels.csv) already; take another'):
        main(['--num-videos', '1', '--out', str(tmp_path)])
    assert [path.read_text() for path in tmp_path.rglob('*.*')] == ['old']
