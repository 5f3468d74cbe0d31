"""Every bad input is an error before training that names file, video and field."""
import json

import numpy as np
import pytest

from cltdr_mm.datasets import TALDataError


def test_good_data_pass(mini):
    assert len(mini.build()) == 3


# ---- the annotation file as a whole


def test_absent_annotation_file(mini):
    mini.fails(str(mini.ann_file), 'file: cannot be read', 'FileNotFoundError', write=False)


def test_binary_annotation_file(mini):
    mini.ann_file.write_bytes(b'\x89PNG\xff')
    mini.fails(str(mini.ann_file), 'cannot be read', write=False)


def test_broken_json(mini):
    mini.write('{"database": {"v0": ')
    mini.fails(str(mini.ann_file), 'is not valid JSON', 'line 1 column', write=False)


@pytest.mark.parametrize('text,part', [
    ('[]', 'file: must hold a JSON object, got list'),
    ('{"videos": {}}', "database: is missing; the file has ['videos']"),
    ('{"database": []}', 'database: must be an object, got list'),
    ('{"database": {}, "classes": ["a", "a"]}', 'classes: must be a list of different strings'),
])
def test_wrong_file_layout(mini, text, part):
    mini.write(text)
    mini.fails(str(mini.ann_file), part, write=False, metainfo=None)


def test_no_classes(mini):
    mini.fails('classes: no class names', metainfo=None)


def test_duplicate_video(mini):
    entry = json.dumps(mini.database['v0'])
    mini.write(f'{{"database": {{"v0": {entry}, "v1": {entry}, "v0": {entry}}}}}')
    error = mini.fails(str(mini.ann_file), "video 'v0'", 'duplicate video', write=False,
                  check_features=False)
    assert len(error.problems) == 1


def test_field_given_twice(mini):
    mini.write('{"database": {"v0": {"subset": "training", "duration": 16.4, "duration": 2, '
               '"fps": 10, "annotations": []}}}')
    mini.fails("video 'v0': duration: field given twice", write=False)
    mini.write('{"database": {"v0": {"subset": "training", "duration": 16.4, "fps": 10, '
               '"annotations": [{"segment": [1, 2], "segment": [3, 4], "label": "jump"}]}}}')
    mini.fails("video 'v0': annotations[0].segment: field given twice", write=False)
    mini.write('{"database": {"v0": {}}, "database": {"v1": {}}}')
    mini.fails(str(mini.ann_file), 'database: given twice', write=False)


def test_json_too_deep(mini):
    mini.write('{"database": ' + '[' * 100_000 + ']' * 100_000 + '}')
    mini.fails(str(mini.ann_file), 'is not valid JSON', write=False)


def test_json_with_a_number_too_long(mini):
    mini.write('{"database": {"v0": {"duration": ' + '1' * 5000 + '}}}')
    mini.fails(str(mini.ann_file), 'is not valid JSON', write=False)


def test_absent_subset(mini):
    mini.fails(str(mini.ann_file), "subset: no video of subset ['test']",
          "['training', 'validation']", subset='test')


# ---- an entry


@pytest.mark.parametrize('field', ['subset', 'duration', 'fps', 'annotations'])
def test_missing_field(mini, field):
    del mini.database['v1'][field]
    mini.fails(str(mini.ann_file), f"video 'v1': {field}: is missing", subset='training')


@pytest.mark.parametrize('field,value,part', [
    ('duration', '12', "must be a number, got str '12'"),
    ('duration', True, 'must be a number, got bool'),
    ('duration', None, 'must be a number, got NoneType'),
    ('duration', float('nan'), 'must be finite, got nan'),
    ('duration', float('inf'), 'must be finite, got inf'),
    ('duration', -1, 'must be positive, got -1'),
    ('duration', 10**400, 'must be finite, got 1000'),
    ('fps', 0, 'must be positive, got 0'),
    ('feature_stride', 'x', 'must be a number'),
    ('feature_window', -4, 'must be positive'),
    ('annotations', {}, 'must be a list, got dict'),
    ('subset', 3, 'must be a string, got 3'),
])
def test_wrong_value(mini, field, value, part):
    mini.database['v1'][field] = value
    mini.fails(str(mini.ann_file), f"video 'v1': {field}: {part}", subset='training')


def test_entry_of_wrong_type(mini):
    mini.database['v1'] = [1, 2]
    mini.fails("video 'v1': entry: must be an object, got list")


# ---- an annotation


@pytest.mark.parametrize('change,field,part', [
    (dict(segment=[3.0, 3.0]), 'segment', 'end 3 s is not after start 3 s'),
    (dict(segment=[3.0, 2.0]), 'segment', 'end 2 s is not after start 3 s'),
    (dict(segment=[3.0, 99.0]), 'segment', 'end 99 s is beyond the duration 24.4 s'),
    (dict(segment=[-3.0, 2.0]), 'segment', 'starts at -3 s, before the video'),
    (dict(segment=[1.0, float('nan')]), 'segment', 'must be finite, got nan'),
    (dict(segment=[float('-inf'), 1.0]), 'segment', 'must be finite, got -inf'),
    (dict(segment=['1', 2]), 'segment', "must be a number, got str '1'"),
    (dict(segment=[1.0]), 'segment', 'must be a list [start, end] in seconds'),
    (dict(segment='1 2'), 'segment', 'must be a list [start, end] in seconds'),
    (dict(segment=None), 'segment', 'is missing'),
    (dict(label='swim'), 'label', "unknown label 'swim', not among the 3 classes"),
    (dict(label=None), 'label', 'is missing'),
    (dict(label=7), 'label', 'must be a string, got 7'),
    (dict(label_id=2), 'label_id', "is 2, but 'jump' is class 0 of the dataset"),
    (dict(label_id='0'), 'label_id', "must be an integer, got '0'"),
])
def test_bad_annotation(mini, change, field, part):
    mini.database['v1']['annotations'][0].update(change)
    error = mini.fails(str(mini.ann_file), f"video 'v1': annotations[0].{field}: {part}")
    assert len(error.problems) == 1


def test_annotation_of_wrong_type(mini):
    mini.database['v1']['annotations'][1] = 'jump'
    mini.fails("video 'v1': annotations[1]: must be an object, got str")


def test_tolerances_and_exceptions(mini):
    segment = mini.database['v1']['annotations'][1]['segment']
    segment[1] = mini.database['v1']['duration'] + 0.5
    mini.fails('beyond the duration', '(tolerance 0.1 s)')
    kept = mini.build(duration_tolerance=0.5)
    assert kept.get_data_info(1)['gt_segments'][1, 1] == segment[1]  # as it is, not clipped
    assert len(mini.build(exempt_videos=['v1'])) == 3
    mini.database['v1']['annotations'][0]['label_id'] = 9
    assert len(mini.build(exempt_videos=['v1'], check_label_id=False)) == 3


# ---- reports


def spoil(mini):
    """One bad annotation, one bad entry, one bad feature."""
    mini.database['v0']['annotations'][0]['label'] = 'swim'
    del mini.database['v1']['duration']
    np.save(mini.feature('v2'), np.zeros((0, 6), np.float32))


def test_all_problems_at_once(mini):
    spoil(mini)
    error = mini.fails('3 problems', 'swim', 'duration: is missing', 'zero-length')
    assert [p.video for p in error.problems] == ['v0', 'v1', 'v2']


def test_long_reports_are_cut(mini):
    mini.database['v0']['annotations'] = [dict(segment=[2, 1], label='jump')] * 50
    error = mini.fails('50 problems', '... and 30 more')
    assert len(error.problems) == 50


def test_skip_is_opt_in_and_says_what_it_skips(mini, mm_log):
    spoil(mini)
    dataset = mini.build(on_error='skip')
    assert [dataset.get_data_info(i)['video_name'] for i in range(len(dataset))] == ['v0']
    assert dataset.get_data_info(0)['gt_labels'].tolist() == [2]  # the other annotation stays
    text = mm_log.text
    for part in ('skipped 3 item(s)', 'annotations[0].label', "unknown label 'swim'", 'v1',
                 'is missing', str(mini.feature('v2')), 'zero-length'):
        assert part in text


@pytest.mark.parametrize('test_mode', [False, True])
def test_skip_of_everything_is_an_error(mini, test_mode):
    for name in mini.database:
        mini.feature(name).unlink()
    with pytest.raises(ValueError, match=r'\.json: no sample is left'):
        mini.build(on_error='skip', test_mode=test_mode)


def test_skip_never_hides_an_unreadable_file(mini):
    mini.fails('cannot be read', write=False, on_error='skip')


def test_loading_notices_what_was_not_checked(mini):
    pipeline = [dict(type='LoadTALFeature')]
    np.save(mini.feature('v1'), np.full((60, 6), np.nan, np.float32))
    dataset = mini.build(check_features=False, pipeline=pipeline)
    with pytest.raises(TALDataError, match="v1.npy: video 'v1': feature values: NaN or inf"):
        dataset[1]
    mini.feature('v0').unlink()
    with pytest.raises(TALDataError, match="v0.npy: video 'v0': feature: missing feature"):
        dataset[0]


@pytest.mark.parametrize('kwargs,part', [
    (dict(layout='tc'), 'layout'), (dict(on_error='ignore'), 'on_error'),
    (dict(check_features='yes'), 'check_features'), (dict(feature_stride=0), 'feature_stride'),
    (dict(fps=-1), 'fps'), (dict(window=dict(size=0)), 'windows of 0 steps'),
    (dict(window=dict(length=8)), 'window takes'), (dict(filter_cfg=dict(x=1)), 'filter_cfg'),
    (dict(filter_cfg=dict(min_steps=999)), 'no sample is left'),
])
def test_bad_arguments(mini, kwargs, part):
    with pytest.raises(ValueError, match=part):
        mini.build(**kwargs)


@pytest.mark.parametrize('classes', ['walk', 'none/classes.txt', '.'])
def test_a_word_is_no_list_of_classes(mini, classes):
    mini.fails(f"{classes}: metainfo['classes']: no text file of class names",
          f"classes=['{classes}']", metainfo=dict(classes=classes))
