import gzip
import json

import numpy as np
import pytest

from cltdr_mm.datasets import TALDataError
from cltdr_mm.evaluation import (
    Detections,
    evaluate_detections,
    get_protocol,
    load_ground_truth,
    read_results,
    results_of,
)
from cltdr_mm.utils import write_json


def one(**change):
    entry = {**dict(label='run', segment=[1., 9.], score=0.5), **change}
    return {'one': [{k: v for k, v in entry.items() if v is not None}]}


def test_read(ann_file, write_results):
    truth = load_ground_truth(ann_file, 'test')
    results = {'two': [dict(label='run', segment=[1, 9], score=1)], 'three': [],
               'one': [dict(label=2, segment=[1.5, 9], score=0.5),
                       dict(label='5', segment=[2, 2], score=-3.5)],
               'four': [dict(label='sit', segment=[0, 1], score=0.1)]}
    found = read_results(write_results(results), truth)
    d = found.detections
    assert d.segments.tolist() == [[1., 9.], [1.5, 9.], [2., 2.], [0., 1.]]
    assert d.scores.tolist() == [1., 0.5, -3.5, 0.1]
    assert d.labels.tolist() == [1, 0, 1, 0] and d.labels.dtype == np.int64
    assert d.videos.tolist() == [1, 0, 0, 3]
    assert found.unknown_videos == {'three': 0, 'four': 1}
    assert found.videos == {'one', 'two', 'three', 'four'}
    dropped = read_results(write_results(results), truth, unknown_videos='drop')
    assert len(dropped.detections) == 3 and dropped.unknown_videos == {'three': 0, 'four': 1}


def test_compressed_and_empty(ann_file, tmp_path):
    truth = load_ground_truth(ann_file, 'test')
    path = tmp_path / 'results.json.gz'
    path.write_bytes(gzip.compress(json.dumps(dict(results=one())).encode()))
    assert len(read_results(str(path), truth).detections) == 1
    path.write_bytes(gzip.compress(b'{"results": {}}'))
    empty = read_results(str(path), truth).detections
    assert empty.segments.shape == (0, 2)
    report = evaluate_detections(empty, truth, get_protocol('thumos14'))
    assert report['average_mAP'] == 0 and report['detections']['count'] == 0


NAN = float('nan')


@pytest.mark.parametrize('results, field, message', [
    (one(segment=[9., 1.]), 'segment', 'end 1 s is before start 9 s'),
    (one(segment=[NAN, 1.]), 'segment', 'must be finite, got nan'),
    (one(segment=[0., float('inf')]), 'segment', 'must be finite'),
    (one(segment=[0.]), 'segment', r'must be \[start, end\]'),
    (one(segment='0-1'), 'segment', r'must be \[start, end\]'),
    (one(segment=['0', 1]), 'segment', "must be a number, got str '0'"),
    (one(segment=[0, 10**400]), 'segment', 'must be finite, got 1000'),
    (one(score=NAN), 'score', 'must be finite, got nan'),
    (one(score=-10**400), 'score', 'must be finite, got -1000'),
    (one(score='high'), 'score', "must be a number, got str 'high'"),
    (one(score=True), 'score', 'must be a number'),
    (one(label='fly'), 'label', "unknown label 'fly', not among the 3 classes"),
    (one(label=3), 'label', 'unknown label 3'),
    (one(label='5' * 5000), 'label', r"unknown label '5+\.\.\.5+', not among"),
    (one(label=10**4000), 'label', r'unknown label 10+\.\.\.0+, not among'),
    (one(label='²'), 'label', 'unknown label'),
    (one(label=[1]), 'label', r'unknown label \[1\]'),
    (one(label=True), 'label', 'unknown label True'),
    (one(label=None), 'label', 'is missing'),
    (one(score=None), 'score', 'is missing'),
    (one(segment=None), 'segment', 'is missing'),
])
def test_bad_detections(ann_file, write_results, results, field, message):
    truth = load_ground_truth(ann_file, 'test')
    with pytest.raises(TALDataError, match=rf"results\.json: video 'one': results\[0\]\.{field}: "
                       rf'{message}'):
        read_results(write_results(results), truth)


@pytest.mark.parametrize('content, message', [
    ('{"results": {"one": [', 'file: is not valid JSON'),
    ('{"results": ' + '[' * 100_000, 'file: is not valid JSON'),
    ('{"results": ' + '1' * 5000 + '}', 'file: is not valid JSON'),
    ('{"database": {}}', r"results: is missing; the file has \['database'\]"),
    ('[]', 'file: must hold a JSON object, got list'),
    ('{"results": []}', 'results: must be an object'),
    ('{"results": {"one": {}}}', "video 'one': results: must be a list, got dict"),
    ('{"results": {"one": [7]}}', r"video 'one': results\[0\]: must be an object, got int"),
    ('{"results": {"one": [], "one": []}}', "results: 'one' is given twice"),
    ('{"results": {}, "results": {}}', "results: 'results' is given twice"),
    ('{"results": {"one": [{"score": 1, "score": 2}]}}',
     r"video 'one': results\[0\]\.score: field given twice"),
], ids=lambda text: text[:40])
def test_bad_files(ann_file, tmp_path, content, message):
    path = tmp_path / 'bad.json'
    path.write_text(content)
    with pytest.raises(TALDataError, match=r'bad\.json: ' + message):
        read_results(str(path), load_ground_truth(ann_file, 'test'))


def test_unreadable(ann_file, tmp_path):
    truth = load_ground_truth(ann_file, 'test')
    damaged = bytearray(gzip.compress(json.dumps(dict(results=one())).encode()))
    damaged[10] = 0xff  # no kind of block that zlib knows
    for name, content in (('none.json', None), ('not.json.gz', b'plain'), ('bytes.json', b'\xff'),
                          ('damaged.json.gz', damaged), ('half.json.gz', damaged[:15])):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(TALDataError, match=f'{name}: file: cannot be read'):
            read_results(str(tmp_path / name), truth)


def test_unknown_on_request(ann_file, write_results):
    truth = load_ground_truth(ann_file, 'test')
    found = read_results(write_results(one(label='fly')), truth, unknown_labels='drop')
    assert len(found.detections) == 0 and found.unknown_labels == {'fly': 1}
    path = write_results({'four': []})
    with pytest.raises(TALDataError, match="video 'four': results: is no video of subset 'Test'"):
        read_results(path, truth, unknown_videos='error')
    for argument in ('unknown_videos', 'unknown_labels'):
        with pytest.raises(ValueError, match=f'{argument} must be one of'):
            read_results(path, truth, **{argument: 'maybe'})


def test_proposals_are_told_from_detections(ann_file, write_results):
    truth = load_ground_truth(ann_file, 'test')
    entries = [dict(segment=[0., 1.], score=0.5)] * 30
    path = write_results({'two': [], 'one': entries})
    with pytest.raises(TALDataError) as caught:
        read_results(path, truth)
    assert [str(p) for p in caught.value.problems] == [
        f"{path}: video 'one': results[0].label: is missing, as in every entry of the file: these "
        'are proposals, which have no class; ProposalMetric judges them, by AR@AN']
    # one label makes the others' absence a fault of each
    path = write_results({'one': [*entries, dict(entries[0], label='run')]})
    with pytest.raises(TALDataError, match=r'30 problems') as caught:
        read_results(path, truth)
    assert 'ProposalMetric' not in str(caught.value)
    assert len(read_results(write_results({'one': []}), truth).detections) == 0


def test_detections_of_ignored_labels_are_dropped(tmp_path, write_results):
    path = tmp_path / 'ann.json'
    path.write_text(json.dumps(dict(database=dict(x=dict(subset='test', annotations=[
        dict(label='Diving', segment=[1, 5], label_id=7),
        dict(label='Ambiguous', segment=[1, 5], label_id=0)])))))
    truth = load_ground_truth(str(path), 'test', protocol=get_protocol('thumos14'))
    results = write_results({'x': [
        dict(label=label, segment=[1, 5], score=0.5)
        for label in ('Ambiguous', 'Diving', 0, '0', 7, 'Shotput')]})
    found = read_results(results, truth)
    assert found.ignored_labels == {'Ambiguous': 1, '0': 2} and found.unknown_labels == {}
    assert [truth.classes[c] for c in found.detections.labels] == ['Diving', 'Diving', 'Shotput']
    assert found.remarks == ["1 detections labelled 'Ambiguous' are left out: it is no class",
                             "2 detections labelled '0' are left out: it is no class"]
    # where no protocol ignores it, it is a label as any other
    with pytest.raises(TALDataError, match="unknown label 'Shotput', not among the 2 classes"):
        read_results(results, load_ground_truth(str(path), 'test'))


def test_many_problems_are_counted(ann_file, write_results):
    results = {'one': one(score=NAN)['one'] * 50}
    with pytest.raises(TALDataError, match=r'50 problems(.|\n)*and 30 more'):
        read_results(write_results(results), load_ground_truth(ann_file, 'test'))


def test_what_is_written_is_read_back(ann_file, tmp_path, write_results):
    truth = load_ground_truth(ann_file, 'test')
    given = read_results(write_results({
        'one': [dict(label='sit', segment=[1 / 3, 9], score=0.1 + 0.2)] * 2,
        'two': [dict(label='run', segment=[0, 1e-9], score=1e-300)]}), truth).detections
    path = tmp_path / 'deep' / 'out.json'
    write_json(results_of(given, truth), path)
    again = read_results(str(path), truth).detections
    for field in ('segments', 'scores', 'labels', 'videos'):
        np.testing.assert_array_equal(getattr(given, field), getattr(again, field))
    assert set(json.loads(path.read_text())) == {'version', 'results', 'external_data'}


def test_everything_that_json_can_hold_is_written(ann_file):
    """Whatever is wrong with some detections, the others are kept."""
    truth = load_ground_truth(ann_file, 'test')
    given = Detections(
        np.array([[0., 1.], [2., np.nan], [3., 4.], [5., 6.], [7., 8.]]),
        np.array([.5, .5, np.inf, .4, .3]), np.array([0, 0, 0, 7, -1]), np.array([0, 0, 0, 2, 1]))
    results = results_of(given, truth, video_names=(*truth.video_names, 'stranger'))['results']
    assert results == {
        'one': [dict(label='sit', segment=[0., 1.], score=.5)],
        'two': [dict(label=-1, segment=[7., 8.], score=.3)],
        'stranger': [dict(label=7, segment=[5., 6.], score=.4)]}


def test_videos_in_another_unicode_form(tmp_path, write_results):
    """The same name with composed and decomposed accents is the same video."""
    composed, decomposed = 'K\u00fcche', 'Ku\u0308che'
    ann_file = tmp_path / 'accents.json'
    ann_file.write_text(json.dumps(dict(database={composed: dict(
        subset='test', duration=9., annotations=[dict(segment=[1, 2], label='run')])})))
    truth = load_ground_truth(str(ann_file), 'test')
    entry = dict(label='run', segment=[1, 2], score=1)
    found = read_results(write_results({decomposed: [entry]}), truth)
    assert found.videos == {composed} and not found.unknown_videos
    report = evaluate_detections(found.detections, truth, get_protocol('thumos14'))
    assert report['average_mAP'] == 1
    both = read_results(write_results({decomposed: [entry], composed: []}), truth)
    assert both.unknown_videos == {decomposed: 1} and both.videos == {composed, decomposed}


def test_an_unknown_label_is_answered_with_the_nearest_classes(ann_file, write_results):
    truth = load_ground_truth(ann_file, 'test')
    for label, first in (('runs', 'run'), (['run'], 'run'), ('site', 'sit')):
        with pytest.raises(TALDataError, match=r"unknown label .* not among the 3 classes of the "
                           rf"annotations \('{first}', "):
            read_results(write_results(one(label=label)), truth)
