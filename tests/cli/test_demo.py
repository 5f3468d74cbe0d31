"""The commands of the demo; what they do is tested with each, and by running ``make demo``."""
import subprocess

import pytest

from cltdr_mm.cli import demo


def test_commands_run_in_order_until_one_fails(monkeypatch, capsys):
    seen = []

    def fake(words):
        seen.append(words[3:])
        return subprocess.CompletedProcess(words, 3 if words[3] == 'test' else 0)

    monkeypatch.setattr(subprocess, 'run', fake)
    with pytest.raises(SystemExit) as end:
        demo.main(['--seed', '5'])
    assert end.value.code == 3
    assert [words[0] for words in seen] == ['convert', 'train', 'test']
    assert seen[1] == ['train', 'cltdr_synthetic', '--work-dir', 'work_dirs/demo', '--seed', '5']
    assert capsys.readouterr().out.splitlines()[0] == (
        '$ cltdr convert synthetic --out data/synthetic')


def test_hapt_draws_its_signals():
    convert, train, test, draw = demo.commands(demo.parse_args(['--hapt', 'a b.zip']))
    assert convert == ['convert', 'hapt', '--out', 'data/hapt', 'a b.zip']
    assert train[1] == 'cltdr_hapt' and test[2] == 'work_dirs/hapt'
    assert draw[draw.index('--signals') + 1] == 'a b.zip'
