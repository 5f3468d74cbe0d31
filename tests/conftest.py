"""Fixtures shared by all tests."""
import os
import shutil
from pathlib import Path

import pytest
from mmengine.logging import MMLogger
from mmengine.registry import DefaultScope

import cltdr_mm  # noqa: F401  (registers what a file may build without importing its module)

ROOT = Path(__file__).resolve().parent.parent


def pytest_addoption(parser):
    parser.addoption('--faults', choices=('some', 'full'), default='some',
                     help='how many wrong files tests/faults makes; "full" takes ten minutes')


def pytest_terminal_summary(terminalreporter):
    """Say what became of the wrong files, where all of them were made."""
    if terminalreporter.config.getoption('faults') != 'full':
        return
    reports = [report for outcome in ('passed', 'failed')
               for report in terminalreporter.getreports(outcome)]
    rows = [value for report in reports for key, value in report.user_properties
            if key == 'faults' and report.when == 'call']
    if rows:
        terminalreporter.section('wrong files')
        rows.append(('all', *map(sum, list(zip(*rows))[1:])))
        for name, mutants, read, refused in rows:
            terminalreporter.line(f'{name:<28}{mutants:>8,} mutants{read:>8,} read'
                                  f'{refused:>8,} refused')


@pytest.fixture(autouse=True)
def no_scope_left_behind():
    """Every test starts without a default scope, as a new process does.

    A Runner sets the scope for good, and what builds only within it would pass or fail with the
    tests that happen to run before in the same process.
    """
    DefaultScope._instance_dict.clear()


@pytest.fixture
def mm_log(caplog):
    """What MMEngine's logger says, which the logging module does not know of."""
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    yield caplog
    logger.removeHandler(caplog.handler)


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


@pytest.fixture(scope='session')
def driver(tmp_path_factory):
    """A browser, driven by Selenium; skips where there is none."""
    pytest.importorskip('selenium', reason='selenium is not installed: pip install selenium')
    if not (shutil.which('chromium') and shutil.which('chromedriver')):
        pytest.skip('no browser: apt-get install chromium chromium-driver')
    from browser_pages import open_browser
    driver = open_browser(tmp_path_factory.mktemp('profile'), tmp_path_factory.mktemp('downloads'))
    yield driver
    driver.quit()
