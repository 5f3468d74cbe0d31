"""The rooms know each other as docs/structure.md says, and no more."""
import ast
import re
from pathlib import Path

import pytest
from pages import ROOT

PACKAGE = ROOT / 'cltdr_mm'


def table() -> dict:
    """Rooms and the rooms they may import, from the page."""
    text = (ROOT / 'docs' / 'structure.md').read_text('utf-8')
    rows = re.findall(r'^\| `(\w+)` \|.*\| ([^|]*) \|$', text, re.MULTILINE)
    return {room: set(re.findall(r'`(\w+)`', names)) for room, names in rows}


def imported_rooms(file: Path) -> set:
    """Rooms that a module imports from."""
    rooms = set()
    for node in ast.walk(ast.parse(file.read_text('utf-8'))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name.split('.') for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parts = list(file.relative_to(ROOT).parts[:-1])
            start = parts[:len(parts) - node.level + 1] if node.level else []
            module = start + (node.module.split('.') if node.module else [])
            names = [module] if len(module) > 1 else [module + [a.name] for a in node.names]
        rooms |= {name[1] for name in names if len(name) > 1 and name[0] == 'cltdr_mm'}
    return rooms


ROOMS = sorted(path.name for path in PACKAGE.iterdir()
               if path.is_dir() and (path / '__init__.py').is_file())


def test_all_rooms_are_on_the_page():
    assert sorted(table()) == ROOMS


@pytest.mark.parametrize('room', ROOMS)
def test_room_knows_what_it_may(room):
    allowed = table()[room] | {room}
    for file in sorted((PACKAGE / room).rglob('*.py')):
        extra = (imported_rooms(file) & set(ROOMS)) - allowed
        assert not extra, f'{file.relative_to(ROOT)} imports from {sorted(extra)}'


def test_nothing_flows_in_circles():
    """Rooms can be put in an order in which each knows earlier ones only."""
    known, left = set(), table()
    while left:
        ready = [room for room, names in left.items() if names <= known]
        assert ready, f'rooms that know each other: {sorted(left)}'
        known.update(ready)
        for room in ready:
            del left[room]


#: Functions that only some files of the models may call, as the page says.
BORDERS = dict(
    pack={'data_preprocessor.py'},
    pack_padded={'parts.py'},
    unpack={'parts.py', 'heads/outputs.py', 'localizers/encoded.py'},
    to_seconds={'localizers/single_stage.py'})


def called(file: Path) -> set:
    """Names that a module calls, methods of an object of its own left out."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text('utf-8'))):
        if isinstance(node, ast.Call):
            function = node.func
            if isinstance(function, ast.Name):
                names.add(function.id)
            elif isinstance(function, ast.Attribute) and function.attr == 'to_seconds':
                names.add(function.attr)
    return names


@pytest.mark.parametrize('name', BORDERS)
def test_who_may_cross_the_border(name):
    models = PACKAGE / 'models'
    callers = {file.relative_to(models).as_posix() for file in models.rglob('*.py')
               if name in called(file)}
    assert callers == BORDERS[name]
    text = (ROOT / 'docs' / 'structure.md').read_text('utf-8')
    for file in callers:
        assert f'`{file}`' in text


def test_convolutions_are_computed_in_one_place():
    for file in (PACKAGE / 'models').rglob('*.py'):
        text = file.read_text('utf-8')
        if file.name != 'convolution.py':
            assert not re.search(r'F\.(conv\w*d|linear)\(|\.addmm|mkldnn', text), file


def test_no_variants():
    """Only what answers to the key of an earlier version names it."""
    for file in (PACKAGE / 'models').rglob('*.py'):
        if file.name != 'parts.py':
            assert 'variant' not in file.read_text('utf-8'), file
