"""Actions of EPIC-KITCHENS-100 from files alone: one list, judged three times."""
import json

import pytest

from cltdr_mm.cli import evaluate
from cltdr_mm.datasets.classes import class_names

#: Segments with the numbers of verb and noun; the third repeats the second.
ACTIONS = [([1., 5.], 0, 7), ([6., 9.], 3, 7), ([6., 9.], 3, 7), ([20., 30.], 3, 290)]


@pytest.fixture
def files(tmp_path):
    """Annotations of both tasks, and detections: one whole, one of another noun."""
    for task, number in (('verb', 1), ('noun', 2)):
        names = class_names(f'epic100_{task}')
        annotations = [dict(segment=one[0], label=names[one[number]]) for one in ACTIONS]
        (tmp_path / f'{task}.json').write_text(json.dumps(dict(database={
            'P01_11': dict(subset='validation', duration=60., annotations=annotations)})))
    (tmp_path / 'found.json').write_text(json.dumps(dict(results={'P01_11': [
        dict(label='0,7', segment=[1., 5.], score=.9),
        dict(label='3,7', segment=[20., 30.], score=.8)]})))
    return tmp_path


def judge(files, *words):
    evaluate.main([str(files / 'found.json'), str(files / 'verb.json'), '--nouns',
                   str(files / 'noun.json'), '--protocol', 'epic100', '--out',
                   str(files / 'out.json'), *words])
    return json.loads((files / 'out.json').read_text())


def test_by_verbs_nouns_and_pairs(files, capsys):
    report = judge(files)
    # verb 0 and one of three of verb 3; one of three of noun 7, before a wrong one; pair 0,7
    expected = dict(verb=(1 + 1 / 3) / 2, noun=(1 / 3 + 0) / 2, action=1 / 3)
    for task, value in expected.items():
        assert report[task]['average_mAP'] == pytest.approx(value)
        assert list(report[task]['mAP']) == ['0.1', '0.2', '0.3', '0.4', '0.5']
    assert report['action']['AP'] == {
        name: {key: float(name == '0,7') for key in report['action']['mAP']}
        for name in ('0,7', '3,7', '3,290')}
    assert report['fingerprint']['instances'] == 4  # one that repeats another counts
    printed = capsys.readouterr().out
    assert 'action (3 classes)' in printed and '66.67' in printed and '33.33' in printed


def test_a_label_that_is_no_action(files):
    path = files / 'found.json'
    path.write_text(path.read_text().replace('3,7', '97,7'))
    with pytest.raises(SystemExit) as end:
        judge(files)
    assert "found.json: video 'P01_11'" in str(end.value.code) and '97,7' in str(end.value.code)
    assert judge(files, '--unknown-labels', 'drop')['videos']['unknown_labels'] == {'97,7': 1}


def test_nouns_of_other_segments(files):
    path = files / 'noun.json'
    path.write_text(path.read_text().replace('9.0', '9.5'))
    with pytest.raises(SystemExit) as end:
        judge(files)
    line = str(end.value.code)
    assert "noun.json: video 'P01_11': annotations: has other segments than in" in line


@pytest.mark.parametrize('words', [('--protocol', 'thumos14'), ('--recall', 'micro')])
def test_what_does_not_go_with_actions(files, words, capsys):
    with pytest.raises(SystemExit):
        judge(files, *words)
    assert '--nouns goes with --protocol epic100' in capsys.readouterr().err
