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
