"""Where the numbers of further published modules lie, and how they are read."""
import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch

BESIDE = Path(__file__).parents[3] / 'shared' / 'fixtures' / 'parity_more'


def folder(kind: str) -> Path:
    """The folder of one kind, ``ssm`` or ``e2e``; the test is skipped where there is none."""
    path = Path(os.environ.get('CLTDR_PARITY_MORE_DIR') or BESIDE) / kind
    if not path.is_dir():
        pytest.skip(f'there is no {path}: set CLTDR_PARITY_MORE_DIR')
    return path


def load(kind: str, name: str) -> tuple[dict, dict[str, torch.Tensor]]:
    """``meta`` of a file, and its arrays as tensors."""
    path = folder(kind) / f'{name}.npz'
    if not path.is_file():
        pytest.skip(f'there is no {path}')
    with np.load(path) as file:
        arrays = {key: torch.from_numpy(file[key]) for key in file.files if key != 'meta'}
        return json.loads(str(file['meta'])), arrays
