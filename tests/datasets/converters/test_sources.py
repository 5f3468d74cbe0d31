"""What is wrong with a published file is said in one line, with its file, place and field."""
import numpy as np
import pytest

from cltdr_mm.datasets import TALDataError
from cltdr_mm.datasets.converters.common import save_annotations, save_feature, whole_folder
from cltdr_mm.datasets.converters.sources import (
    Fields,
    by_name,
    clock_seconds,
    read_csv,
    read_database,
    read_lines,
    read_object,
)
from cltdr_mm.datasets.converters.thumos import convert_multithumos, convert_thumos14


def fields(**values):
    return Fields('some set', 'a.json', values, 'v1', 'annotations[2]')


@pytest.mark.parametrize('method, value, words', [
    ('text', 3, 'must be a text, got 3'), ('text', ' ', 'must be a text'),
    ('number', True, 'must be a number, got bool'), ('number', '3', 'must be a number, got str'),
    ('number', float('nan'), 'must be finite'), ('number', 10**400, 'must be finite'),
    ('items', {}, 'must be a list, got {}'), ('segment', [1], r'must be \[start, end\], got \[1\]'),
    ('segment', [1, None], 'must be a number, got NoneType'), ('segment', 'ab', 'must be a list'),
])
def test_values_by_their_type(method, value, words):
    with pytest.raises(TALDataError, match=rf"a\.json: video 'v1': annotations\[2\]\.x: {words}"):
        getattr(fields(x=value), method)('x')
    with pytest.raises(TALDataError, match=r"video 'v1': annotations\[2\]\.x: is missing"):
        getattr(fields(), method)('x')


def test_good_values():
    row = fields(a=' b', n=2, q='2.5', s=['1', 2.5], t='01:02:03.5')
    assert row.text('a') == ' b' and row.number('n') == 2
    assert row.number('q', quoted=True) == 2.5 and row.segment('s', quoted=True) == (1, 2.5)
    assert clock_seconds(row, 't') == 3723.5
    with pytest.raises(TALDataError, match=r"annotations\[2\]: must be an object, got \[1\]"):
        Fields('some set', 'a.json', [1], 'v1', 'annotations[2]')


@pytest.mark.parametrize('text', ['1:2', '1:2:x', '-1:2:3', '1:60:3', '1:2:nan', '1:2:3:4', 'x'])
def test_times_of_day(text):
    with pytest.raises(TALDataError, match=r't: must be hh:mm:ss, got'):
        clock_seconds(fields(t=text), 't')


def csv_file(tmp_path, text):
    (tmp_path / 'a.csv').write_text(text)
    return str(tmp_path / 'a.csv')


def test_csv_rows(tmp_path):
    path = csv_file(tmp_path, '\ufeffvideo,note,fps\nv1,"two\nlines",30\n\nv2,,25\n')
    rows = read_csv(path, 'some set', ('video', 'fps'))
    assert [row.place for row in rows] == ['line 3', 'line 5']
    assert by_name(rows, 'video', lambda row: row.number('fps', quoted=True)) == dict(v1=30, v2=25)


@pytest.mark.parametrize('text, words', [
    ('', r"header: lacks the column\(s\) \['video', 'fps'\]"),
    ('video,fps\n', 'file: has a header and no row'),
    ('video\nv1\n', r"header: lacks the column\(s\) \['fps'\]"),
    ('video,fps,fps\nv1,1,2\n', r"header: has the column\(s\) \['fps'\] twice"),
    ('video,duration,fps\nv1,10\n', 'line 2: has 2 cells, the header 3'),
    ('video,fps\nv1,1,2\n', 'line 2: has 3 cells, the header 2'),
    ('video,fps\nv1,"1\n', 'file: cannot be read'),
])
def test_bad_csv(tmp_path, text, words):
    with pytest.raises(TALDataError, match=rf'a\.csv: {words}'):
        read_csv(csv_file(tmp_path, text), 'some set', ('video', 'fps'))


def test_a_name_in_two_rows(tmp_path):
    rows = read_csv(csv_file(tmp_path, 'video,fps\nv1,1\nv2,1\nv1,2\n'), 'some set', ('video',))
    with pytest.raises(TALDataError, match="a.csv: line 4, video: 'v1' has a row before this one"):
        by_name(rows, 'video', lambda row: row)


def test_json_in_which_a_key_is_there_twice(tmp_path):
    (tmp_path / 'a.json').write_text('{"database": {"v1": {}, "v2": {}, "v1": {}}}')
    for read in (read_object, read_database):
        with pytest.raises(TALDataError, match="a.json: file: is not valid JSON .*'v1' is given"):
            read(tmp_path / 'a.json', 'some set')


def test_lines(tmp_path):
    (tmp_path / 'a.txt').write_text('one\n\n two\n')
    assert read_lines(tmp_path / 'a.txt', 'some set') == [(1, 'one'), (3, ' two')]
    (tmp_path / 'a.txt').write_bytes(b'\xff\xfe\xff')
    for path in (tmp_path / 'a.txt', tmp_path / 'none.txt', tmp_path):
        with pytest.raises(TALDataError, match='file: cannot be read'):
            read_lines(path, 'some set')


# ---- the files of the field's bug reports


def test_a_short_row_of_thumos(shared_data, tmp_path):
    (tmp_path / 'text').mkdir()
    (tmp_path / 'text' / 'Diving_val.txt').write_text('v1 1 2\n')
    source = shared_data / 'fixtures/bugs/files/thumos_short_row.csv'
    with pytest.raises(TALDataError, match=r'thumos_short_row\.csv: line 2: has 2 cells'):
        convert_thumos14(str(tmp_path / 'text'), str(tmp_path / 'o.json'), str(source))


@pytest.mark.parametrize('text, words', [
    (None, "line 1: must be a number and a name, such as '7 BaseballPitch', got 'one two'"),
    ('1\n', 'line 1: must be a number and a name'), ('1 A\n1 B\n', 'line 2: gives number 1 a sec'),
    ('1\tA\n2 A\n', 'lines: must number 65 classes from 1'),
    (''.join(f'{i} A\n' for i in range(1, 66)), r"lines: give several numbers one name: \['A'\]"),
])
def test_a_class_list_of_multithumos(shared_data, tmp_path, text, words):
    path = shared_data / 'fixtures/bugs/files/multithumos_class_list.txt'
    if text is not None:
        path = tmp_path / path.name
        path.write_text(text)
    (tmp_path / 'm.json').write_text('{}')
    with pytest.raises(TALDataError, match=rf'multithumos_class_list\.txt: {words}'):
        convert_multithumos(str(tmp_path / 'm.json'), str(tmp_path / 'o.json'),
                            class_list=str(path))


@pytest.mark.parametrize('number', [0, -1, 66, 1.5, True, '1', None])
def test_a_class_number_that_is_none(tmp_path, number):
    import json
    (tmp_path / 'm.json').write_text(json.dumps(dict(
        v=dict(subset='training', duration=9.0, actions=[[number, 1, 2]]))))
    with pytest.raises(TALDataError, match=r"video 'v': actions\[0\].(class|number): must be "):
        convert_multithumos(str(tmp_path / 'm.json'), str(tmp_path / 'o.json'))


# ---- whole or not at all


def files(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob('*')}


def test_a_folder_is_filled_when_all_is_written(tmp_path):
    out = tmp_path / 'deep' / 'out'
    with whole_folder(str(out)) as folder:
        save_feature(f'{folder}/features', 'cam1/v1', np.zeros((2, 3)))
        save_annotations(f'{folder}/annotations.json', dict(v=dict(
            subset='x', duration=3, fps=1, annotations=[])), ('a', ), 'test')
        assert not out.exists()
    assert files(tmp_path) == {'deep', 'deep/out', 'deep/out/annotations.json', 'deep/out/features',
                               'deep/out/features/cam1', 'deep/out/features/cam1/v1.npy'}
    with whole_folder(str(out)) as folder:
        save_feature(f'{folder}/features', 'v2', np.zeros((2, 3)))
    assert len(files(out)) == 5, 'beside what was there'


def test_a_folder_is_left_as_it_was(tmp_path):
    (tmp_path / 'there').mkdir()
    (tmp_path / 'there' / 'old.txt').write_text('old')
    for out in ('there', 'new', 'new/deep'):
        before = files(tmp_path)
        with pytest.raises(RuntimeError, match='stop'):
            with whole_folder(str(tmp_path / out)) as folder:
                save_feature(f'{folder}/features', 'v1', np.zeros((2, 3)))
                raise RuntimeError('stop')
        assert files(tmp_path) == before
    with pytest.raises(TALDataError, match='old.txt: folder: is a file'):
        with whole_folder(str(tmp_path / 'there' / 'old.txt')):
            pytest.fail('worked for nothing')


def test_what_is_not_looked_at_is_no_json_either(tmp_path):
    entry = dict(subset='x', duration=3, fps=1, annotations=[], extra=[float('nan')])
    for database, words in ((dict(v=entry), "video 'v': entry: holds NaN or infinity"),
                            (dict(v=dict(entry, subset=None, extra=0)), "video 'v': subset: is m"),
                            ({}, 'database: there is no video')):
        with pytest.raises(TALDataError, match=f'^converting: in.json: {words}'):
            save_annotations(str(tmp_path / 'a.json'), database, ('a', ), 'test',
                             source='in.json')
    assert files(tmp_path) == set()
