"""The benchmark's command line; what it prints is tests/evaluation/test_benchmark.py's."""
import runpy
import sys

import pytest


def test_two_configs_of_one_name_are_refused(project_root, monkeypatch, tmp_path):
    # they would share a folder, and the second would be given the first one's figures
    monkeypatch.setattr(sys, 'argv', [
        'benchmark_methods.py', 'release/tridet/thumos_i3d.py', 'own=a.py',
        'release/actionformer/thumos_i3d.py', '--work-dir', str(tmp_path)])
    with pytest.raises(SystemExit, match=r'^thumos_i3d: more than one config .* NAME=FILE'):
        runpy.run_path(str(project_root / 'tools' / 'benchmark_methods.py'), run_name='__main__')
    assert not list(tmp_path.iterdir())
