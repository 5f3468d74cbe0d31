"""Challenges' files: what is written is what was found, and whatever is wrong is named."""
import copy
import json
import re
import zipfile

import pytest

from cltdr_mm.cli.submission import main
from cltdr_mm.datasets.classes import class_names
from cltdr_mm.evaluation import check_submission, read_submission
from cltdr_mm.evaluation.submissions import (
    ego4d_mq_submission,
    epic_action_submission,
    epic_sounds_submission,
    write_submission,
)
from cltdr_mm.utils import TALDataError

MOMENTS, SOUNDS = class_names('ego4d_mq'), class_names('epic_sounds')


def entry(label, score, segment=(1., 2.5)):
    return dict(label=label, score=score, segment=list(segment))


def makers():
    return dict(
        action=epic_action_submission({'P01_11': [entry('3,250', 0.2), entry('96,0', 0.9)]}),
        sounds=epic_sounds_submission({'P01_11': [entry(SOUNDS[5], 0.2), entry(43, 0.4)]}),
        moments=ego4d_mq_submission({'clip': [entry(MOMENTS[0], 0.2), entry(7, 0.4)]}))


def test_actions():
    content = makers()['action']
    assert {key: content[key] for key in content if key != 'results'} == dict(
        version='0.2', challenge='action_detection', sls_pt=2, sls_tl=3, sls_td=4)
    assert content['results']['P01_11'] == [
        dict(verb=96, noun=0, action='96,0', score=0.9, segment=[1., 2.5]),
        dict(verb=3, noun=250, action='3,250', score=0.2, segment=[1., 2.5])]
    with pytest.raises(TALDataError, match="video 'a': label: must be 'verb,noun'.*'wash'"):
        epic_action_submission({'a': [entry('wash', 0.1)]})


def test_sounds():
    content = makers()['sounds']
    assert (content['version'], content['challenge'], content['t_mod']) == (
        '0.1', 'audio_based_interaction_detection', 0)
    assert content['results']['P01_11'] == [
        dict(interaction=43, score=0.4, segment=[1., 2.5]),
        dict(interaction=5, score=0.2, segment=[1., 2.5])]
    assert len(SOUNDS) == 44
    with pytest.raises(TALDataError, match="video 'a': label: 'bang' is no class"):
        epic_sounds_submission({'a': [entry('bang', 0.1)]})


def test_moments_have_two_lists_sorted_by_score():
    detect = {'a': [entry(MOMENTS[1], 0.1), entry(MOMENTS[2], 0.8)], 'b': [entry(0, 0.5)]}
    retrieve = {'a': [entry(MOMENTS[3], 0.3)], 'b': [entry(0, 0.6)]}
    content = ego4d_mq_submission(detect, retrieve)
    assert (content['version'], content['challenge']) == ('1.0', 'ego4d_moment_queries')
    assert [e['label'] for e in content['detect_results']['a']] == [MOMENTS[2], MOMENTS[1]]
    assert content['retrieve_results'] == {
        'a': [dict(label=MOMENTS[3], segment=[1., 2.5], score=0.3)],
        'b': [dict(label=MOMENTS[0], segment=[1., 2.5], score=0.6)]}
    assert ego4d_mq_submission(detect)['retrieve_results'] == content['detect_results']
    check_submission(content, 'x.json')
    with pytest.raises(TALDataError, match="x.json: video 'b': retrieve_results: lacks it"):
        check_submission(ego4d_mq_submission(detect, {'a': retrieve['a']}), 'x.json')
    with pytest.raises(TALDataError, match="video 'a': detect_results: has no detection"):
        check_submission(ego4d_mq_submission({'a': []}), 'x.json')


def broken(kind, change):
    content = copy.deepcopy(makers()[kind])
    change(content)
    return content


def first(content):
    key = 'results' if 'results' in content else 'detect_results'
    return next(iter(content[key].values()))[0]


@pytest.mark.parametrize('kind, change, message', [
    ('action', lambda c: first(c).pop('noun'), r"video 'P01_11': results\[0\].noun: is missing"),
    ('action', lambda c: first(c).update(verb=97), r'results\[0\].verb: .* from 0 to 96, got 97'),
    ('action', lambda c: first(c).update(noun=300), r'results\[0\].noun: .* from 0 to 299'),
    ('action', lambda c: first(c).update(verb=True), r'results\[0\].verb: .*got True'),
    ('action', lambda c: first(c).update(action='1,2'), r"\.action: must be '96,0', got '1,2'"),
    ('action', lambda c: first(c).update(score=float('nan')), r'\.score: must be finite, got nan'),
    ('action', lambda c: first(c).update(segment=[3., 1.]), r'\.segment: end 1 s is before'),
    ('action', lambda c: first(c).update(segment=[3.]), r'\.segment: must be \[start, end\]'),
    ('action', lambda c: c.update(sls_td=6), r'sls_td: must be a whole number from 0 to 5, got 6'),
    ('action', lambda c: c.pop('sls_pt'), r'sls_pt: must be .* got None'),
    ('action', lambda c: c.update(version='0.1'), r"version: must be '0.2', got '0.1'"),
    ('action', lambda c: c.update(challenge='x'), r'challenge: must be one of'),
    ('action', lambda c: c.update(results={}), r'results: must be an object .* without any'),
    ('action', lambda c: c['results'].update(P01_11={}), r"'P01_11': results: must be a list"),
    ('sounds', lambda c: first(c).update(interaction=44), r'\.interaction: .* from 0 to 43'),
    ('sounds', lambda c: c.pop('t_mod'), r't_mod: must be'),
    ('moments', lambda c: first(c).update(label='nap'), r"\.label: 'nap' is no class"),
    ('moments', lambda c: c.pop('retrieve_results'), r'retrieve_results: must be an object'),
])
def test_what_is_wrong_is_named(tmp_path, kind, change, message):
    content, path = broken(kind, change), tmp_path / 'test.json'
    with pytest.raises(TALDataError, match='test.json: .*' + message):
        check_submission(content, path)
    with pytest.raises(TALDataError):
        write_submission(content, path)
    assert not path.exists()


@pytest.mark.parametrize('kind', sorted(makers()))
def test_written_and_read_again(tmp_path, kind):
    content = makers()[kind]
    write_submission(content, tmp_path / 'a' / 'test.json')
    assert read_submission(tmp_path / 'a' / 'test.json') == content
    write_submission(content, tmp_path / 'test.zip')
    with zipfile.ZipFile(tmp_path / 'test.zip') as archive:
        assert archive.namelist() == ['test.json']
        assert json.loads(archive.read('test.json')) == content
    assert sorted(path.name for path in tmp_path.iterdir()) == ['a', 'test.zip']
    assert read_submission(tmp_path / 'test.zip') == content


def test_archives_that_hold_none(tmp_path):
    path = tmp_path / 'test.zip'
    with zipfile.ZipFile(path, 'w') as archive:
        archive.writestr('mine.json', '{}')
    with pytest.raises(TALDataError, match=r"test.zip: file: .*no test.json .*'mine.json'"):
        read_submission(path)
    path.write_text('{}')
    with pytest.raises(TALDataError, match='test.zip: file: .*not a zip file'):
        read_submission(path)


def test_command(tmp_path, write_results, capsys):
    detect = write_results({'clip': [entry(MOMENTS[4], 0.7)]}, 'detect.json')
    other = write_results({'clip': [entry(MOMENTS[4], 0.6)]}, 'other.json')
    out = str(tmp_path / 'mq.json')
    main(['ego4d_mq', detect, '--retrieval', other, '--out', out])
    main(['check', out])
    text = capsys.readouterr().out
    assert text.count('retrieve_results: 1 videos, 1 detections') == 2
    for words, line in ((['check', out, '--out', out], 'check writes nothing'),
                        (['ego4d_mq', detect], '--out names the file'),
                        (['epic_sounds', detect, '--retrieval', other, '--out', out], 'ego4d_mq'),
                        (['ego4d_mq', detect, '--supervision', '1', '2', '3', '--out', out],
                         '--supervision is for epic_')):
        with pytest.raises(SystemExit):
            main(words)
        assert line in capsys.readouterr().err
    with pytest.raises(SystemExit) as end:
        main(['epic_sounds', detect, '--out', out])
    assert re.search(r"submission: results: video 'clip': label: .* is no class", str(end.value))
