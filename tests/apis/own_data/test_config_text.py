"""Text of a config: what is written is read back."""
from mmengine.config import Config

from cltdr_mm.apis.own_data.config_text import Name, assignment, comment
from cltdr_mm.apis.own_data.suggestions import Suggestion


def read(lines, tmp_path):
    path = tmp_path / 'config.py'
    path.write_text('\n'.join(lines) + '\n')
    return Config.fromfile(path)


def test_values_come_back(tmp_path):
    classes = [f"a 'quoted' class number {i} # {'x' * i}" for i in range(40)]
    value = dict(
        lr=Suggestion(3e-5, 'because of this and that ' * 8), none=None, flag=True,
        text='C:\\x', classes=classes, inner=dict(a=Suggestion(1, 'one'), b=(0.9, 1.0), empty={}),
        steps=[dict(type='Load'), dict(type='Pack', keys=['x' * 30] * 8)])
    lines = assignment('value', value)
    found = read(lines, tmp_path).value.to_dict()
    assert found['classes'] == classes and found['steps'][1]['keys'] == ['x' * 30] * 8
    assert found['inner'] == dict(a=1, b=[0.9, 1.0], empty={})
    assert (found['lr'], found['none'], found['flag'], found['text']) == (3e-5, None, True, 'C:\\x')
    assert max(map(len, lines)) <= 98
    reason = next(i for i, line in enumerate(lines) if line.strip() == '# one')
    assert lines[reason + 1].strip() == 'a=1,'


def test_names_are_not_quoted(tmp_path):
    lines = assignment('ann_file', 'a.json') + assignment('features', dict(
        ann_file=Name('ann_file'))) + assignment('loader', dict(
            dataset={'subset': 'train', '**features': None}))
    found = read(lines, tmp_path)
    assert found.loader.dataset == dict(subset='train', ann_file='a.json')


def test_comments_are_wrapped():
    lines = comment('word ' * 60, 4)
    assert len(lines) > 2 and all(line.startswith('    # word') for line in lines)
