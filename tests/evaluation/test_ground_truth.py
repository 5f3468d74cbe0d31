import hashlib
import json
import tracemalloc

import numpy as np
import pytest

from cltdr_mm.datasets import TALDataError
from cltdr_mm.evaluation import PROTOCOLS, get_protocol, load_ground_truth
from cltdr_mm.evaluation.functional import fingerprint, fingerprint_line
from cltdr_mm.evaluation.ground_truth import DUPLICATE_TOLERANCE
from cltdr_mm.evaluation.protocols import tiou_range
from cltdr_mm.evaluation.structures import IGNORED


def test_read(ann_file):
    truth = load_ground_truth(ann_file, 'test')
    assert truth.classes == ('sit', 'run', 'jump')  # by label_id
    assert truth.label_ids == {2: 0, 5: 1, 9: 2}
    assert truth.video_names == ('one', 'two') and truth.subset == 'Test'
    assert truth.labels.tolist() == [1, 0, 1] and truth.videos.tolist() == [0, 0, 1]
    assert truth.merged == 1 and truth.durations.tolist() == [60., 40.]
    assert truth.present.tolist() == [True, True, False]
    with open(ann_file, 'rb') as file:
        assert truth.sha256 == hashlib.sha256(file.read()).hexdigest()
    assert len(load_ground_truth(ann_file, 'Test', merge_duplicates=False).labels) == 4
    assert load_ground_truth(ann_file).video_names == ('one', 'two', 'three')
    assert load_ground_truth(ann_file, ('testing', 'TEST')).subset == 'Test'


def test_classes(ann_file, tmp_path):
    own = load_ground_truth(ann_file, 'test', classes=['run', 'jump', 'sit', 'fly'])
    assert own.labels.tolist() == [0, 2, 0] and len(own.classes) == 4
    assert own.label_ids == {5: 0, 9: 1, 2: 2}
    with pytest.raises(TALDataError, match=r"annotations\.json: video 'one': .*label 'sit'"):
        load_ground_truth(ann_file, 'test', classes=['run'])
    # without usable ids: by name
    content = json.loads(open(ann_file).read())
    content['database']['one']['annotations'][0]['label_id'] = 2
    path = tmp_path / 'other.json'
    path.write_text(json.dumps(content))
    assert load_ground_truth(str(path), 'test').classes == ('jump', 'run', 'sit')
    content['classes'] = ['sit', 'jump', 'run']
    path.write_text(json.dumps(content))
    assert load_ground_truth(str(path), 'test').classes == ('sit', 'jump', 'run')


def test_problems(ann_file, tmp_path):
    with pytest.raises(TALDataError, match=r"subset 'train' or 'x'; .*\['Test', 'Validation'\]"):
        load_ground_truth(ann_file, ('train', 'x'))
    content = json.loads(open(ann_file).read())
    content['database']['two']['annotations'].append(dict(label='run', segment=[9., 8.]))
    path = tmp_path / 'bad.json'
    path.write_text(json.dumps(content))
    with pytest.raises(TALDataError, match=r"bad\.json: video 'two': annotations\[1\]\.segment"):
        load_ground_truth(str(path), 'test')
    truth = load_ground_truth(str(path), 'test', on_error='skip')
    assert len(truth.labels) == 3 and truth.unused == 1
    content['database']['two']['annotations'] = 5
    path.write_text(json.dumps(content))
    with pytest.raises(TALDataError, match=r"bad\.json: video 'two': annotations: must be a list"):
        load_ground_truth(str(path), 'test')


def test_fingerprint(ann_file):
    truth = load_ground_truth(ann_file, 'test')
    values = fingerprint(truth, (0.3, 0.5))
    assert values == dict(videos=2, instances=3, classes=2, subset='Test', merged_duplicates=1,
                          tious=[0.3, 0.5], sha256=truth.sha256)
    line = fingerprint_line(values)
    for part in ('2 videos', "'Test'", '3 instances', '2 classes', '0.3, 0.5', truth.sha256[:12]):
        assert part in line


@pytest.mark.parametrize('name, tious', [
    ('thumos14', [.3, .4, .5, .6, .7]), ('multithumos', [.1, .2, .3, .4, .5, .6, .7, .8, .9]),
    ('epic100', [.1, .2, .3, .4, .5]), ('hapt', [.3, .4, .5, .6, .7]),
    ('charades', [.1, .2, .3, .4, .5, .6, .7, .8, .9]), ('ego4d_mq', [.1, .2, .3, .4, .5]),
    ('ego4d_mq_official', [.1, .2, .3, .4, .5]),
    ('epic_sounds', [.1, .2, .3, .4, .5]),
    ('fineaction', [.5, .55, .6, .65, .7, .75, .8, .85, .9, .95]),
    ('anet13', [.5, .55, .6, .65, .7, .75, .8, .85, .9, .95]),
    ('hacs', [.5, .55, .6, .65, .7, .75, .8, .85, .9, .95])])
def test_protocols(name, tious):
    protocol = get_protocol(name)
    assert list(protocol.tious) == tious
    assert set(protocol.shown_tious) <= set(protocol.all_tious)
    np.testing.assert_array_equal(get_protocol(name, [0.5, 0.25]).tious, [0.25, 0.5])


def test_protocol_names_and_errors():
    assert set(PROTOCOLS) == {
        'thumos14', 'multithumos', 'epic100', 'anet13', 'hacs', 'hapt', 'charades', 'ego4d_mq',
        'ego4d_mq_official', 'fineaction', 'epic_sounds', 'custom'}
    hapt = get_protocol('hapt')
    assert hapt.extra == {'0.5:0.95': tiou_range(0.5, 0.95, 0.05)} and 0.95 in hapt.all_tious
    for name in ('anet13', 'fineaction'):
        assert get_protocol(name).shown_tious == (0.5, 0.75, 0.95)
    assert get_protocol('charades').shown_tious == (0.2, 0.5, 0.7)
    assert 'testing' in get_protocol('charades').subsets  # as Charades calls it
    assert all('val' in get_protocol(name).subsets for name in ('ego4d_mq', 'epic_sounds'))
    with pytest.raises(ValueError, match="unknown protocol 'thumos', expected one of"):
        get_protocol('thumos')
    for bad in ([], [0.], [1.2]):
        with pytest.raises(ValueError, match='must be in'):
            get_protocol('hapt', bad)


@pytest.fixture
def write(tmp_path):
    """Function that writes an annotation file and returns its path."""

    def write_file(annotations, **top):
        database = {name: dict(subset='test', duration=60., annotations=found)
                    for name, found in annotations.items()}
        path = tmp_path / 'own.json'
        path.write_text(json.dumps(dict(top, database=database)))
        return str(path)

    return write_file


def instance(label, start=0., end=9., **more):
    return dict(label=label, segment=[start, end], **more)


THUMOS = get_protocol('thumos14')


def test_classes_of_a_protocol():
    assert {name: len(p.classes or ()) for name, p in PROTOCOLS.items()} == dict(
        thumos14=20, multithumos=0, epic100=0, anet13=200, hacs=200, hapt=12, charades=0,
        ego4d_mq=110, ego4d_mq_official=110, fineaction=0, epic_sounds=44, custom=0)
    assert THUMOS.ignored == ('Ambiguous', ) and 'Ambiguous' not in THUMOS.classes
    assert get_protocol('thumos14', [0.5]).classes == THUMOS.classes


def test_ignored_labels_are_no_class(write):
    found = [instance('Diving'), instance('Ambiguous', 8., 7.), instance('HighJump', 2., 3.)]
    path = write(dict(x=found, y=found[1:2]))
    truth = load_ground_truth(path, 'test', protocol=THUMOS)
    assert truth.classes == THUMOS.classes and truth.ignored == dict(Ambiguous=2)
    assert [truth.classes[c] for c in truth.labels] == ['Diving', 'HighJump']
    assert truth.video_names == ('x', 'y') and truth.unused == 0
    # also with the data set's classes, unless it is one of them
    truth = load_ground_truth(path, 'test', ['HighJump', 'Diving'], protocol=THUMOS)
    assert truth.labels.tolist() == [1, 0] and truth.ignored == dict(Ambiguous=2)
    path = write(dict(x=[instance('Ambiguous')]))
    truth = load_ground_truth(path, 'test', ['Ambiguous'], protocol=THUMOS)
    assert truth.labels.tolist() == [0] and truth.ignored == {}
    # without a protocol every label is a class
    assert load_ground_truth(path, 'test').classes == ('Ambiguous', )


def test_labels_beside_the_protocols_are_an_error(write):
    annotations = dict(x=[instance('Diving'), instance('Run'), instance('Ambiguous')],
                       y=[instance('Walk')])
    with pytest.raises(TALDataError, match=r"own\.json: label: 'Run', 'Walk': no class of protocol "
                       "'thumos14'"):
        load_ground_truth(write(annotations), 'test', protocol=THUMOS)
    assert len(load_ground_truth(write(annotations), 'test').classes) == 4
    # of a subset that is not judged they are none
    content = json.loads(open(write(annotations)).read())
    content['database']['x']['subset'] = content['database']['y']['subset'] = 'training'
    content['database']['z'] = dict(subset='test', annotations=[instance('HighJump')])
    path = write({})
    with open(path, 'w') as file:
        json.dump(content, file)
    assert len(load_ground_truth(path, 'TEST', protocol=THUMOS).labels) == 1


def test_other_data_under_a_protocols_name(write):
    path = write(dict(x=[instance('sit'), instance('run'), instance('Ambiguous')]))
    truth = load_ground_truth(path, 'test', protocol=THUMOS)
    assert truth.classes == ('run', 'sit') and truth.ignored == dict(Ambiguous=1)
    # a list of the file's own goes before the protocol's
    path = write(dict(x=[instance('sit'), instance('Diving'), instance('Ambiguous')]),
                 classes=['sit', 'Ambiguous', 'Diving'])
    truth = load_ground_truth(path, 'test', protocol=THUMOS)
    assert truth.classes == ('sit', 'Diving') and truth.labels.tolist() == [0, 1]
    assert truth.label_ids == {0: 0, 1: IGNORED, 2: 1}  # positions in that list


def test_few_classes_of_a_benchmark_keep_their_ids(write):
    """A miniature numbers its few classes as it likes."""
    diving, jump = (THUMOS.classes.index(c) for c in ('Diving', 'HighJump'))
    found = [instance('HighJump', label_id=0), instance('Diving', label_id=1),
             instance('Ambiguous', label_id=2)]
    truth = load_ground_truth(write(dict(x=found)), 'test', protocol=THUMOS)
    assert truth.label_ids == {0: jump, 1: diving, 2: IGNORED}
    assert truth.present.sum() == 2
    # ids that are the benchmark's own hold for all of its classes
    found = [instance('Diving', label_id=diving), instance('Ambiguous')]
    truth = load_ground_truth(write(dict(x=found)), 'test', protocol=THUMOS)
    assert truth.label_ids == {i: i for i in range(20)}
    # a hidden test set names no class at all
    assert load_ground_truth(write(dict(x=[])), protocol=THUMOS).classes == THUMOS.classes


def test_published_files_say_less(tmp_path):
    """No fps, no or empty durations, numbers in quotes, no annotations of videos."""
    path = tmp_path / 'published.json'
    path.write_text(json.dumps(dict(database=dict(
        a=dict(subset='test', duration='12.5', annotations=[instance('x', '1.25', '3e0')]),
        b=dict(subset='test', annotations=[instance('x', 2, '4')]),
        c=dict(subset='test', duration=None, feature_stride='?', annotations=None),
        d=dict(subset='test')))))
    truth = load_ground_truth(str(path), 'test')
    assert truth.segments.tolist() == [[1.25, 3.], [2., 4.]]
    assert truth.durations[0] == 12.5 and np.isnan(truth.durations[1:]).all()
    for value in ('long', 'nan', '', True, [3]):
        path.write_text(json.dumps(dict(database=dict(
            a=dict(subset='test', annotations=[instance('x', 1, value)])))))
        with pytest.raises(TALDataError, match=r"video 'a': annotations\[0\]\.segment: must be"):
            load_ground_truth(str(path), 'test')


@pytest.mark.parametrize('name', ['anet13', 'hacs'])
def test_empty_annotations_count_where_the_toolkit_counts_them(write, name):
    path = write(dict(x=[instance('a', 0, 0), instance('a', 1, 2)]))
    truth = load_ground_truth(path, protocol=get_protocol(name))
    assert truth.segments.tolist() == [[0., 0.], [1., 2.]]
    for protocol in ('custom', 'thumos14'):
        with pytest.raises(TALDataError, match=r'annotations\[0\]\.segment: end 0 s is not after'):
            load_ground_truth(path, protocol=get_protocol(protocol))
    with pytest.raises(TALDataError, match='end 1 s is not after start 2 s'):
        load_ground_truth(write(dict(x=[instance('a', 2, 1)])), protocol=get_protocol(name))


# duplicates


def first_of(segments, labels):
    """The rule as it reads: each against all that were kept before it."""
    kept = []
    for i, (start, end) in enumerate(segments):
        if not any(labels[i] == labels[j] and abs(start - segments[j][0]) <= 1e-3
                   and abs(end - segments[j][1]) <= 1e-3 for j in kept):
            kept.append(i)
    return [segments[i] for i in kept]


@pytest.mark.parametrize('seed', range(40))
def test_duplicates_equal_the_quadratic_loop(write, seed):
    g = np.random.default_rng(seed)
    # crowds of near duplicates around a few segments, chains of them, and equal numbers
    spread, grain = 10.**g.uniform(-4, -2), 10.**g.uniform(-4.5, -2.5)
    centres = np.sort(g.uniform(-5, 5, (4, 2)), axis=1) * [1, 2]
    segments = centres[g.integers(0, 4, 150)] + g.uniform(-spread, spread, (150, 2))
    segments = np.round(segments / grain) * grain + [0, 20]
    labels = g.integers(0, 2, 150)
    found = [instance('ab'[label], *segment) for label, segment in zip(labels, segments.tolist())]
    truth = load_ground_truth(write(dict(x=found)))
    expected = first_of(segments.tolist(), labels)
    assert truth.segments.tolist() == expected
    assert truth.merged == 150 - len(expected) > 0


@pytest.mark.parametrize('shift, number', [
    (DUPLICATE_TOLERANCE, 1), (float(np.nextafter(DUPLICATE_TOLERANCE, 1)), 2)])
def test_a_difference_of_the_tolerance_is_a_duplicate(write, shift, number):
    """At the start as at the end, and not a hair more."""
    for one, other in (((0., 5.), (shift, 5.)), ((-5., 0.), (-5., shift))):
        for first, second in ((one, other), (other, one)):
            found = [instance('a', *first), instance('a', *second)]
            truth = load_ground_truth(write(dict(x=found)))
            assert len(truth.labels) == number and truth.segments[0].tolist() == list(first)


def test_twenty_thousand_instances_of_one_video(write):
    starts = (np.arange(20_000) // 2 * 0.01).tolist()  # each twice
    path = write(dict(x=[instance('a', s, s + 1.5) for s in starts]))
    tracemalloc.start()
    truth = load_ground_truth(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert truth.segments[:, 0].tolist() == starts[::2] and truth.merged == 10_000
    assert peak < 200 * 2**20, 'all pairs would take 6 GiB'


def test_real_annotations(shared_data):
    truth = load_ground_truth(str(shared_data / 'data/annotations/thumos14.json'),
                              get_protocol('thumos14').subsets)
    assert len(truth.video_names) == 212 and len(truth.labels) == 3358 and len(truth.classes) == 20
