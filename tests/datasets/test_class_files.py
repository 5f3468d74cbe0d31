"""Class files: one name a line, and what else they hold is said."""
import pytest

from cltdr_mm.datasets import TALDataError
from cltdr_mm.datasets.annotations import read_class_file


def read(tmp_path, text):
    (tmp_path / 'classes.txt').write_text(text, encoding='utf-8')
    return read_class_file(str(tmp_path / 'classes.txt'))


@pytest.mark.parametrize('text', ['open\nclose', 'open\nclose\n', 'open\nclose\n\n \n\t\n',
                                  '\ufeffopen\r\nclose\r\n', ' open \nclose\t\n'])
def test_names(tmp_path, text):
    assert read(tmp_path, text) == ['open', 'close']


@pytest.mark.parametrize('text, words', [
    ('open\n\nclose\n', 'line 2: is empty, and other names follow'), ('', 'file: names no class'),
    ('\n\n', 'file: names no class'), ('\nopen\n', 'line 1: is empty'),
    ('open\nclose\nopen\n', "line 3: 'open' is a class already, in line 1"),
    ('open\nopen \n', "line 2: 'open' is a class already"),
    ('0 open\n1 close\n', "line 1: must be a name alone, such as 'open'; got '0 open', and all"),
    ('7 Baseball Pitch\n9\tBasketballDunk\n',
     "line 1: must be a name alone, such as 'Baseball Pitch'; got '7 Baseball Pitch'"),
])
def test_what_is_no_list_of_names(tmp_path, text, words):
    with pytest.raises(TALDataError, match=rf'classes\.txt: {words}'):
        read(tmp_path, text)


def test_names_that_begin_with_a_number(tmp_path):
    assert read(tmp_path, '3 point shot\ndunk\n') == ['3 point shot', 'dunk']
    assert read(tmp_path, '100\n200\n') == ['100', '200']


def test_the_files_that_were_reported(shared_data, mini):
    folder = shared_data / 'fixtures/bugs/class_file'
    assert read_class_file(str(folder / 'classes_blank.txt')) == ['open', 'close']
    mini.fails('classes_numbered.txt: line 1: must be a name alone',
               metainfo=dict(classes=str(folder / 'classes_numbered.txt')))


def test_an_unknown_label_is_answered_with_the_nearest_classes(mini):
    mini.database['v1']['annotations'][0]['label'] = 'jumps'
    names = ['throw', 'run', *(f'sport {i}' for i in range(20)), 'jump']
    mini.fails("unknown label 'jumps', not among the 23 classes ('jump', ", ', ...)',
               metainfo=dict(classes=names), check_label_id=False)
    mini.database['v1']['annotations'][0]['label'] = 'x' * 10**6  # takes no time
    mini.fails("not among the 3 classes ('", write=True)


def test_classes_of_a_config_given_twice(mini):
    mini.fails("ann.json: classes: are given twice: ['run']",
               metainfo=dict(classes=('jump', 'run', 'throw', 'run')), check_label_id=False)
