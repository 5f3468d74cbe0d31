"""Result files of detections and of proposals; tests/evaluation has every way to spoil one."""
import json

import pytest

from cltdr_mm.utils import TALDataError, read_result_file, result_content, write_json

PROPOSALS = {'v1': [dict(segment=[0, 2.5], score=0.5)], 'v0': []}


def test_proposals_have_no_label(tmp_path):
    path = tmp_path / 'proposals.json'
    write_json(result_content(PROPOSALS), path)
    assert read_result_file(path, ('segment', 'score')) == PROPOSALS
    assert list(read_result_file(path, ('segment', 'score'))) == ['v1', 'v0']
    with pytest.raises(TALDataError, match=r"proposals.json: video 'v1': results\[0\].label: is m"):
        read_result_file(path)


def test_all_bad_entries_are_named(tmp_path):
    path = tmp_path / 'bad.json'
    path.write_text(json.dumps(dict(results={
        'v0': [dict(segment=[3, 2], score=1)], 'v1': 7, 'v2': [dict(segment=[0, 1], score='1')]})))
    with pytest.raises(TALDataError) as caught:
        read_result_file(path, ('segment', 'score'))
    assert [(p.video, p.field) for p in caught.value.problems] == [
        ('v0', 'results[0].segment'), ('v1', 'results'), ('v2', 'results[0].score')]
