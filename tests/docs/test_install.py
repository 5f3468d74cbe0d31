"""docs/install.md, setup.cfg and the tested versions agree."""
import configparser
import re

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pages import ROOT

PAGE = (ROOT / 'docs/install.md').read_text('utf-8')


def setup_cfg() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / 'setup.cfg', 'utf-8')
    return parser


def requirements(text: str) -> list:
    lines = (line.strip() for line in text.splitlines())
    return [Requirement(line) for line in lines if line and line[0] != '#']


REQUIRED = requirements(setup_cfg()['options']['install_requires'])
PINS = requirements((ROOT / 'requirements/constraints.txt').read_text('utf-8'))


def test_the_rest_beside_full_mmcv_is_what_is_required():
    command = re.search(r'pip install ("mmengine.*?)-c', PAGE, re.DOTALL).group(1)
    words = command.replace('\\\n', ' ').replace('"', '').split()
    listed = {str(Requirement(word)) for word in words}
    for item in REQUIRED:
        item.marker = None
    assert listed == {str(item) for item in REQUIRED} - {
        str(item) for item in REQUIRED if item.name in ('torch', 'mmcv-lite')}


def test_extras_are_those_of_the_page():
    text = PAGE[PAGE.index('## Extras'):PAGE.index('## What was tried')]
    assert set(re.findall(r'^\| `(\w+)` \|', text, re.MULTILINE)) == set(
        setup_cfg()['options.extras_require'])


@pytest.mark.parametrize('python', ['3.10', '3.11', '3.12', '3.13'])
def test_every_python_has_one_tested_version_of_what_is_required(python):
    assert f'Python :: {python}\n' in setup_cfg()['metadata']['classifiers'] + '\n'
    pins = {}
    for pin in PINS:
        if pin.marker is None or pin.marker.evaluate({'python_version': python}):
            versions = pins.setdefault(canonicalize_name(pin.name), [])
            versions.append(str(pin.specifier).removeprefix('=='))
    assert all(len(versions) == 1 for versions in pins.values())
    extras = [item for text in setup_cfg()['options.extras_require'].values()
              for item in requirements(text)]
    for item in [*REQUIRED, *extras]:
        name = canonicalize_name(item.name)
        if name not in ('torch', 'cltdr-mm'):
            assert item.specifier.contains(pins[name][0]), name


def test_papers_in_the_metadata_are_those_of_the_metafiles():
    urls = re.findall(r'= (\S+)', setup_cfg()['metadata']['project_urls'])
    known = {url for file in (ROOT / 'configs').rglob('metafile.yml')
             for url in re.findall(r'URL: (\S+)', file.read_text('utf-8'))}
    page = (ROOT / 'docs/datasets/hapt.md').read_text('utf-8')
    assert known <= set(urls) and all(url in known or url in page for url in urls)
