"""``cltdr convert pixels``."""
import json

import pytest

from cltdr_mm.cli.convert.pixels import main


def test_sizes_and_numbers_are_options(tmp_path, capsys):
    main(['--out', str(tmp_path), '--num-train', '2', '--num-test', '1', '--num-validation', '0',
          '--num-clips', '6', '--min-seconds', '6', '--max-seconds', '7', '--width', '32',
          '--height', '32', '--seed', '3'])
    out = capsys.readouterr().out
    assert 'train: 2 videos' in out and 'test: 1 videos' in out and 'validation' not in out
    assert f'wrote {tmp_path / "clips"}: 6 to train on, 1 to judge by' in out
    database = json.loads((tmp_path / 'annotations.json').read_text())['database']
    assert all(6 <= entry['duration'] <= 7 and entry['fps'] == 10 for entry in database.values())


def test_a_second_set_is_refused(tmp_path, capsys):
    (tmp_path / 'videos').mkdir()
    with pytest.raises(SystemExit) as stop:
        main(['--out', str(tmp_path)])
    assert 'has videos already' in str(stop.value)
