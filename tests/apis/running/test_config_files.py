"""Config files, and what is said of those that cannot be read."""
import pytest

from cltdr_mm.apis.running.config_files import config_from_file


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Write files by name, and read the first."""
    monkeypatch.chdir(tmp_path)

    def written(**files):
        for name, text in files.items():
            (tmp_path / f'{name}.py').write_text(text)
        return config_from_file(f'{next(iter(files))}.py')
    return written


def test_a_config_with_its_base(read):
    assert read(a="_base_ = 'b.py'\nc = dict(d=2)", b='c = dict(d=1, e=3)').c == dict(d=2, e=3)


@pytest.mark.parametrize('files, line', [
    (dict(a='b = 1\nc = (\n'), '^a.py: cannot be read: line 2: SyntaxError: .* was never closed$'),
    (dict(a="_base_ = 'b.py'\nc = (\n", b='d = 1'), '^a.py: cannot be read: line 2: SyntaxError'),
    (dict(a='b = 1\n\ndef f():\n    return 1 / 0\n\nc = f()'),
     '^a.py: cannot be read: line 4: ZeroDivisionError: division by zero'),
    (dict(a="_base_ = 'b.py'", b='\nc = d'), r'^/.*/b.py: cannot be read: line 2: NameError'),
    (dict(a="_base_ = 'gone.py'"), '^a.py: cannot be read: /.*/gone.py: No such file or direct'),
    (dict(a="_base_ = 'b.py'", b="_base_ = 'a.py'"), '^a.py: .*its `_base_` leads back to itself$'),
    (dict(a="custom_imports = dict(imports=['gone_too'])"),
     "^a.py: cannot be read: custom_imports: No module named 'gone_too'$"),
    (dict(a=''), '^a.py: is empty$')])
def test_what_cannot_be_read(read, files, line):
    with pytest.raises(ValueError, match=line):
        read(**files)


@pytest.mark.parametrize('name, text, message', [
    ('labels.csv', 'video,start,end,label', r'^labels.csv: is no config \(.py\); of labels `cltdr '
     r'labels` makes an annotation file \(.json\), which `cltdr check` takes as well'),
    ('mine.json', '{"database": {}}', '^mine.json: is an annotation file, no config: `cltdr')])
def test_labels_and_annotations_are_no_config(name, text, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=message):
        config_from_file(name)


def test_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match='^a.py: cannot be read: No such file or directory, looked '
                                         f'for from {tmp_path}$'):
        config_from_file('a.py')
