"""Names of videos as parts of paths: none leaves its folder, none shares a file with another."""
import os
import unicodedata

import pytest

from cltdr_mm.utils import file_name, matching_name, name_problem

KITCHEN = 'K\u00fcche_01'  # composed, as it is typed; a Mac unpacks it decomposed
DECOMPOSED = unicodedata.normalize('NFD', KITCHEN)


@pytest.mark.parametrize('name', [
    'v1', 'a/b', 'cam 1/day-2/v.1', '..a', 'a..b', KITCHEN, DECOMPOSED, 'cam1:take2', '-x',
    'x' * 251, 'v_--abc', '\u7247\u6bb5'])
def test_names_that_stay(name):
    assert name_problem(name) is None


@pytest.mark.parametrize('name, words', [
    ('../../x', 'leave the folder'), ('/abs/x', 'leave the folder'), ('a/../../x', 'leave'),
    ('..', 'leave'), ('a/..', 'leave'), ('.', 'leave'), ('', 'leave'), ('a//b', 'empty part'),
    ('a/', 'empty part'), ('C:\\x', 'backslash or a drive'), ('c:x', 'backslash or a drive'),
    ('..\\x', 'backslash'), ('a\0b', 'NUL'), ('x' * 252, '252 bytes are too long'),
    ('a/' + '\u7247' * 90, '270 bytes are too long')])
def test_names_that_leave_are_no_paths(name, words):
    assert words in name_problem(name)


@pytest.mark.parametrize('name', ['v1', 'clip 7', 'video_test_0000793', 'a.b', 'v-1', KITCHEN])
def test_plain_names_are_kept(name):
    assert file_name(name, '.png') == f'{name}.png'


def test_no_two_names_share_a_file(tmp_path):
    names = ['a/b', 'a:b', 'a_b', 'a\\b', 'a b', ' a b', 'a b ', '', '.', '..', '...', '../../x',
             '/abs/x', 'C:x', 'a\0b', 'a\nb', 'CON', 'con.txt', 'NUL', '\ud800', KITCHEN,
             DECOMPOSED, 'x' * 300, 'x' * 299, '\u7247' * 300, '\u7247' * 299]
    names += [file_name('a/b', '')]  # a video that is called what another's file is
    made = [file_name(name, '_window12_300.png') for name in names]
    assert len(set(made)) == len(names)
    for name in made:
        assert len(os.fsencode(name)) <= 255 and os.path.basename(name) == name
        (tmp_path / name).write_text('x')  # a file system takes it
    assert {path.name for path in tmp_path.iterdir()} == set(made)


def test_names_in_another_unicode_form():
    assert matching_name(KITCHEN, [DECOMPOSED, 'b']) == DECOMPOSED
    assert matching_name(DECOMPOSED, {KITCHEN: 1}) == KITCHEN
    assert matching_name(KITCHEN, [DECOMPOSED, KITCHEN]) == KITCHEN, 'its own goes first'
    assert matching_name(KITCHEN, ['Kuche_01']) is None and matching_name('a', ['b']) is None
    # a form in between: of two accents one is composed
    half = '\u00e9e\u0301'
    with pytest.raises(ValueError, match='2 names differ from .* in their Unicode form only'):
        matching_name('\u00e9\u00e9', [half, unicodedata.normalize('NFD', half)])
