"""The console command: it finds its verbs, and each explains itself with commands that work."""
import ast
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from cltdr_mm import __version__, cli

FOLDER = Path(cli.__file__).parent
VERBS = sorted(path.relative_to(FOLDER).with_suffix('').parts for path in FOLDER.rglob('*.py')
               if path.stem != '__init__')


def run(*words):
    with pytest.raises(SystemExit) as end:
        cli.main(words)
    return end.value.code


@pytest.fixture(autouse=True)
def same_program(monkeypatch):
    monkeypatch.setattr(sys, 'argv', ['cltdr'])


def test_help_lists_all_verbs_in_the_order_of_the_work(capsys):
    assert run('-h') == 0
    listed = re.findall(r'^  (\w+) +(\S.*)$', capsys.readouterr().out, re.MULTILINE)
    names = [name for name, _ in listed]
    assert sorted(names) == sorted({verb[0] for verb in VERBS})
    assert names == sorted(names, key=cli.ORDER.index)
    assert dict(listed)['train'] == 'Train a model.'


def test_groups_have_verbs_of_their_own(capsys):
    assert run('convert') == 2  # nothing was asked
    out = capsys.readouterr().out
    assert 'usage: cltdr convert VERB' in out and 'hapt' in out and 'cltdr convert VERB -h' in out
    assert run('convert', 'hpt') == 2
    assert "cltdr convert: error: no verb 'hpt'; did you mean hapt?" in capsys.readouterr().err


def test_version(capsys):
    assert run('--version') == 0
    assert capsys.readouterr().out == f'cltdr_mm {__version__}\n'


def test_unknown_verb(capsys):
    assert run('trian') == 2
    assert capsys.readouterr().err.splitlines()[-1] == (
        "cltdr: error: no verb 'trian'; did you mean train?")
    assert run('xyzzy') == 2
    assert 'there are demo, ' in capsys.readouterr().err


@pytest.mark.parametrize('verb', VERBS, ids=' '.join)
def test_every_verb_explains_itself(verb, capsys):
    assert run(*verb, '-h') == 0
    text = ' '.join(capsys.readouterr().out.split())
    assert text.startswith(f'usage: cltdr {" ".join(verb)} [-h]')
    # a line, then an example of this very command, whose options it has
    doc = ast.get_docstring(ast.parse(FOLDER.joinpath(*verb).with_suffix('.py').read_text()))
    line, *rest = doc.split('\n')
    assert line.endswith('.') and line in text
    examples = re.findall(r'^ +(cltdr .*)$', '\n'.join(rest).replace('\\\n', ' '), re.MULTILINE)
    examples = [words for words in map(shlex.split, examples)
                if tuple(words[1:1 + len(verb)]) == verb]  # others may show what comes next
    assert examples, 'no example'
    for example in examples:
        assert {word for word in example if word.startswith('--')} <= set(
            re.findall(r'--[\w-]+', text))


@pytest.mark.parametrize('start', [['-m', 'cltdr_mm', 'evaluate'], ['tools/evaluate_results.py']])
def test_as_a_module_and_as_a_tool(start, project_root):
    words = ['gone.json', 'x.json', '--protocol', 'custom']
    done = subprocess.run([sys.executable, *start, *words], cwd=project_root, text=True,
                          capture_output=True)
    assert done.returncode == 1
    assert done.stderr.startswith('error: ') and done.stderr.count('\n') == 1


def test_tools_are_verbs(project_root):
    """A tool has no code of its own, but for the comparison of methods."""
    shape = (r'"""The same as ``cltdr ([\w ]+)``\."""\n'
             r'from cltdr_mm\.cli\.([\w.]+) import main\n')
    for tool in project_root.glob('tools/**/*.py'):
        if not tool.name.startswith('benchmark_'):
            verb = re.search(shape, tool.read_text())
            assert verb and verb[1].split() == verb[2].split('.')
            assert tuple(verb[1].split()) in VERBS


def test_configs_of_the_library_by_name(tmp_path, monkeypatch, capsys):
    from cltdr_mm.apis.running.config_files import find_config
    monkeypatch.chdir(tmp_path)
    assert Path(find_config('cltdr_thumos')).samefile(find_config('cltdr_thumos.py'))
    (tmp_path / 'cltdr_thumos.py').write_text('a = 1')
    assert find_config('cltdr_thumos.py') == 'cltdr_thumos.py'  # a file goes first
    assert run('train', 'cltdr_thums') == 2
    assert 'there is no config cltdr_thums' in (err := capsys.readouterr().err)
    assert 'similar: cltdr_thumos.py' in err
