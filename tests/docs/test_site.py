"""The pages make a site without a warning, and every page is in its menu."""
import re
import subprocess
import sys

import pytest
from pages import ROOT, name_of, pages

import cltdr_mm

SPHINX = ('sphinx', 'myst_parser', 'furo')


@pytest.fixture(scope='module')
def site(tmp_path_factory):
    for name in SPHINX:
        pytest.importorskip(name, reason=f'{name} is not installed: pip install "cltdr-mm[docs]"')
    out = tmp_path_factory.mktemp('site')
    built = subprocess.run(
        [sys.executable, '-m', 'sphinx', '-q', '-W', '--keep-going', '-c', 'docs', '.', out],
        cwd=ROOT, text=True, capture_output=True)
    assert built.returncode == 0, built.stdout + built.stderr
    return out


def test_every_page_is_built_and_in_the_menu(site):
    assert 'url=docs/index.html' in (site / 'index.html').read_text('utf-8')
    menu = (site / 'docs/index.html').read_text('utf-8')
    for page in map(name_of, pages()):
        if page.startswith('docs/'):
            assert (site / page).with_suffix('.html').is_file()
    for page in ROOT.glob('docs/*.md'):
        assert f'href="{page.stem}.html"' in menu or page.stem == 'index', page


def test_links_between_pages_lead_to_their_headings(site):
    html = (site / 'docs/get_started.html').read_text('utf-8')
    file, anchor = re.search(r'href="([\w/]+\.html)#(what-is-checked)"', html).groups()
    assert f'id="{anchor}"' in (site / 'docs' / file).read_text('utf-8')


@pytest.mark.parametrize('room', [name for name in cltdr_mm.__all__ if name[0] != '_'])
def test_reference_has_every_public_name(site, room):
    html = (site / f'docs/api/{room}.html').read_text('utf-8')
    listed = set(re.findall(r'id="cltdr_mm\.[\w.]*\b(\w+)"', html))
    module = getattr(cltdr_mm, room)
    public = getattr(module, '__all__', None) or {
        name for name in vars(module) if hasattr(getattr(module, name), '__mro__')}
    elsewhere = {'Problem', 'TALDataError'} if room == 'datasets' else set()  # of utils
    functions = {name for name in public if callable(getattr(module, name))}
    assert functions and functions - elsewhere <= listed
