"""Runs the command line tools as a user does, on a few short generated videos."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from tool_runs import CONFIG, Tools, small  # noqa: E402


@pytest.fixture(scope='session')
def tools(project_root, tmp_path_factory) -> Tools:
    """Run a command line tool."""
    return Tools(project_root, tmp_path_factory.mktemp('cwd'))


@pytest.fixture(scope='session')
def synthetic(tools, tmp_path_factory) -> Path:
    """Folder with 8 training videos and 5 each for validation and test, odd for two ranks."""
    out = tmp_path_factory.mktemp('synthetic')
    tools('dataset_converters/make_synthetic.py', '--out', out, '--num-train', 8, '--num-test', 5,
          '--num-validation', 5, '--min-steps', 64, '--max-steps', 128, '--channels', 64, '--long',
          24)
    return out


@pytest.fixture(scope='session')
def trained(tools, synthetic, tmp_path_factory) -> Path:
    """Work directory of two epochs."""
    work_dir = tmp_path_factory.mktemp('trained')
    # validated on the test videos, to compare what validation and test say
    tools('train.py', CONFIG, '--work-dir', work_dir, '--seed', 3, *small(
        synthetic, val_dataloader__dataset__subset='test', val_evaluator__subset='test'))
    return work_dir
