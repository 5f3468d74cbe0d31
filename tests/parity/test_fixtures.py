"""Published weights run here, number for number: measurements of the published implementations.

The files come from CLTDR_PARITY_DIR where it is set, so that others can be dropped in.
"""
import os
from pathlib import Path

import pytest
from comparison import Parity, load

import cltdr_mm  # noqa: F401

ROOT = Path(__file__).resolve().parents[2]


def parity_files() -> list[Path]:
    """All parity files at hand; they name the test cases, so that they are looked up early."""
    if 'CLTDR_PARITY_DIR' in os.environ:
        folder = Path(os.environ['CLTDR_PARITY_DIR'])
        assert folder.is_dir(), f'CLTDR_PARITY_DIR: there is no folder {folder}'
    else:
        shared = Path(os.environ.get('CLTDR_TEST_DATA', ROOT.parent / 'shared'))
        folder = shared / 'fixtures' / 'parity'
    return sorted(folder.glob('*.npz'))


FILES = parity_files()


@pytest.fixture(scope='module', params=FILES, ids=lambda path: path.stem)
def parity(request) -> Parity:
    """One file and its model."""
    return Parity(load(request.param), request.param.stem)


def test_files_are_there():
    """An empty folder must not pass for a success."""
    if not FILES and 'CLTDR_PARITY_DIR' not in os.environ:
        pytest.skip('no parity files: set CLTDR_PARITY_DIR or CLTDR_TEST_DATA')
    assert FILES


def test_outputs(parity):
    """Class logits, centre offsets, start, end and refinement of every level."""
    assert parity.check_outputs() >= 2 * 3 * parity.levels


def test_training_step(parity):
    """Losses, loss normaliser, and the gradient norm of every parameter."""
    assert parity.check_training() > 20


def test_detections(parity):
    """Segments in seconds, scores and labels after suppression."""
    parity.check_detections()
