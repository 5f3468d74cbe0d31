"""Runs of the toy model through the Runner."""
import sys
from pathlib import Path

import pytest
from mmengine.runner import Runner

import cltdr_mm  # noqa: F401

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def toy_runner(project_root, tmp_path):
    """Build a Runner of the toy model in its own work directory."""
    from toy import toy_config

    def build(name='run', **kwargs) -> Runner:
        cfg = toy_config(project_root, tmp_path / name, **kwargs)
        cfg.experiment_name = f'{tmp_path.name}_{name}_{id(cfg)}'
        return Runner.from_cfg(cfg)

    return build
