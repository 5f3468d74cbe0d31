"""Where the fixtures of the second set of published modules are, and what is in them."""
import json
import os
from pathlib import Path

import numpy as np
import pytest

PLACE = Path(__file__).parents[2].parent / 'shared' / 'fixtures' / 'parity_more'


def folder(kind: str) -> Path:
    """Folder ``ssm`` or ``e2e`` of the fixtures; without them the test is skipped."""
    found = Path(os.environ.get('CLTDR_PARITY_MORE_DIR') or PLACE, kind)
    if not found.is_dir():
        pytest.skip(f'no fixtures in {found}')
    return found


def load(kind: str, name: str) -> tuple[dict, dict]:
    """Arrays of a fixture by name, and its ``meta``."""
    path = folder(kind) / f'{name}.npz'
    if not path.is_file():
        pytest.skip(f'no fixture {path}')
    with np.load(path) as file:
        arrays = {key: file[key] for key in file.files}
    return arrays, json.loads(str(arrays.pop('meta')))
