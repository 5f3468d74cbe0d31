"""Fixtures shared by all tests."""
import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope='session')
def project_root() -> Path:
    """Root of the checkout."""
    return ROOT


@pytest.fixture(scope='session')
def shared_data() -> Path:
    """Folder of real recordings, annotation files and reference numbers; skips where absent."""
    path = Path(os.environ.get('CLTDR_TEST_DATA', ROOT.parent / 'shared'))
    if not path.is_dir():
        pytest.skip(f'no test data at {path}: set CLTDR_TEST_DATA to the folder that holds it')
    return path
