"""Samples between MMAction2's ActivityNetDataset and ours."""
import numpy as np
import pytest
import torch
from mmaction.registry import TRANSFORMS

from cltdr_mm.datasets import ActivityNetToTAL, PackTALInputs, TALDataError, TALToActivityNet
from cltdr_mm.structures import FeatureGrid

KEYS = ('duration_second', 'duration_frame', 'feature_frame', 'annotations')


def theirs(**changes):
    """What LoadLocalizationFeature leaves: 20 steps of 3 channels over 32 of 40 seconds."""
    rows = np.arange(60, dtype=np.float32).reshape(20, 3)
    sample = dict(
        video_name='v_a', feature_path='csv/v_a.csv', raw_feature=rows.T, duration_second=40.,
        duration_frame=1000, feature_frame=800, annotations=[
            dict(segment=[4., 12.], label='run'), dict(segment=[30., 39.], label='jump')])
    sample.update(changes)
    return {key: value for key, value in sample.items() if value is not None}


def ours(num_steps=20, window=16, **changes):
    """What LoadTALFeature leaves: steps of 16 frames at 32 fps."""
    grid = FeatureGrid(fps=32., stride=16, window=window, num_steps=num_steps)
    seconds = np.array([[1., 3.5], [4., 9.]])
    return dict(dict(
        video_name='a', rows=np.arange(3. * num_steps, dtype=np.float32).reshape(-1, 3), grid=grid,
        duration=11., gt_segments=grid.to_grid(seconds).astype(np.float32),
        gt_labels=np.array([1, 0])), **changes)


def boxes(sample):
    """What MMAction2 makes of its sample."""
    return TRANSFORMS.build(dict(type='GenerateLocalizationLabels')).transform(
        dict(sample))['gt_bbox']


def test_a_sample_of_theirs_is_one_of_ours():
    sample = ActivityNetToTAL(classes=['jump', 'run']).transform(theirs())
    assert np.array_equal(sample['rows'], theirs()['raw_feature'].T)
    assert sample['rows'].flags.c_contiguous and sample['gt_labels'].tolist() == [1, 0]
    assert sample['grid'].extent == pytest.approx(32.) and sample['duration'] == 40.
    seconds = sample['grid'].to_seconds(sample['gt_segments'].astype(float))
    assert np.allclose(seconds, [[4, 12], [30, 39]], atol=1e-5)
    packed = PackTALInputs().transform(sample)
    assert packed['inputs'].rows.shape == (20, 3)
    meta = packed['data_samples'].metainfo
    assert (meta['video_name'], meta['class_agnostic']) == ('v_a', False)
    assert meta['annotations'] == theirs()['annotations']  # for ANetMetric


def test_segments_are_where_mmaction_has_them():
    """Grid steps as fractions of the sequence, cut to it, are its gt_bbox."""
    sample = ActivityNetToTAL().transform(theirs())
    fractions = ((sample['gt_segments'] + 0.5) / 20).clip(0, 1)
    assert np.allclose(fractions, boxes(theirs()), atol=1e-6)
    assert fractions[0].tolist() == pytest.approx([0.125, 0.375])


def test_without_classes_actions_have_none():
    sample = ActivityNetToTAL().transform(theirs())
    assert sample['class_agnostic'] and sample['gt_labels'].tolist() == [0, 0]
    unnamed = [dict(segment=[1., 2.])]
    assert len(ActivityNetToTAL().transform(theirs(annotations=unnamed))['gt_segments']) == 1


def test_a_hidden_test_set_has_no_annotations():
    sample = ActivityNetToTAL().transform(theirs(annotations=None))
    assert 'gt_segments' not in sample
    assert 'gt_instances' not in PackTALInputs().transform(sample)['data_samples']
    empty = ActivityNetToTAL().transform(theirs(annotations=[]))
    assert empty['gt_segments'].shape == (0, 2)


def test_classes_of_a_file(tmp_path):
    (tmp_path / 'classes.txt').write_text('jump\nrun\n')
    sample = ActivityNetToTAL(classes=str(tmp_path / 'classes.txt')).transform(theirs())
    assert sample['gt_labels'].tolist() == [1, 0]


@pytest.mark.parametrize('changes, message', [
    (dict(raw_feature=None), "raw_feature: is missing: put .*LoadLocalizationFeature"),
    (dict(raw_feature=np.array([[1., np.nan]])), 'feature values: NaN or inf at step 1, channel 0'),
    (dict(feature_frame=None), 'feature_frame: is missing'),
    (dict(duration_second=0.), 'duration_second: must be positive, got 0'),
    (dict(duration_frame='9'), "duration_frame: must be a number, got str '9'"),
    (dict(annotations=[dict(segment=[3., 1.], label='run')]),
     r'annotations\[0\].segment: end 1 s is before start 3 s'),
    (dict(annotations=[dict(segment=[1., 3.])]), r'annotations\[0\].label: is missing'),
    (dict(annotations=[dict(segment=[1., 3.], label='runs')]),
     r"annotations\[0\].label: 'runs' is none of the 2 classes \('run', 'jump'\)"),
])
def test_what_cannot_be_used_is_named(changes, message):
    with pytest.raises(TALDataError, match=f"csv/v_a.csv: video 'v_a': {message}"):
        ActivityNetToTAL(classes=['jump', 'run']).transform(theirs(**changes))


def test_a_sample_of_ours_is_one_of_theirs():
    sample = TALToActivityNet().transform(ours())
    assert np.array_equal(sample['raw_feature'], ours()['rows'].T)
    assert [sample[key] for key in KEYS[:3]] == [10., 320, 320]
    assert [a['label'] for a in sample['annotations']] == [1, 0]
    assert np.allclose([a['segment'] for a in sample['annotations']], [[1, 3.5], [4, 9]])
    assert np.allclose(boxes(sample), [[.1, .35], [.4, .9]], atol=1e-6)


def test_there_and_back():
    """Also where the last second of a video has no features, and windows overlap."""
    for window in (16, 40):
        start = ours(window=window)
        start['grid'] = start['grid'].resize(20)
        back = ActivityNetToTAL(classes=[0, 1]).transform(TALToActivityNet().transform(dict(start)))
        assert np.array_equal(back['rows'], start['rows'])
        assert back['grid'].extent == pytest.approx(start['grid'].extent)
        assert np.allclose(back['gt_segments'], start['gt_segments'], atol=1e-5)
        assert np.array_equal(back['gt_labels'], start['gt_labels'])


@pytest.mark.parametrize('interval', [1, 16, 7])
def test_seconds_of_mmaction_are_those_of_the_features(interval):
    """Its post-processing cuts a video to whole intervals: here that cuts nothing."""
    from mmaction.models.localizers.utils import post_processing
    sample = TALToActivityNet(interval).transform(ours())
    found, = post_processing(np.array([[.25, .5, .9]]), sample, .4, .5, .9, 10, interval)
    assert found['segment'] == pytest.approx([2.5, 5.])


def test_packed_as_mmaction_does():
    keys = dict(keys=('gt_bbox', 'proposals'), meta_keys=('video_name', *KEYS))
    sample = TALToActivityNet().transform(ours(proposals=np.array([[0, .5, .9]], np.float32)))
    sample['gt_bbox'] = boxes(sample)
    packed = TRANSFORMS.build(dict(type='PackLocalizationInputs', **keys)).transform(sample)
    assert packed['inputs'].shape == (3, 20) and packed['inputs'].dtype == torch.float32
    assert packed['data_samples'].gt_instances.gt_bbox.shape == (2, 2)
    assert packed['data_samples'].proposals.proposals.shape == (1, 3)


@pytest.mark.parametrize('changes', [
    dict(grid=FeatureGrid(fps=32., stride=16, window=16, num_steps=40).crop(5, 20)),
    dict(window_index=0, num_windows=3)])
def test_crops_and_windows_are_refused(changes):
    with pytest.raises(ValueError, match="video 'a' comes as a crop or window.*RandomCropFeature"):
        TALToActivityNet().transform(ours(**changes))


def test_bad_interval():
    with pytest.raises(ValueError, match='interval must be positive, got 0'):
        TALToActivityNet(interval=0)


def test_shown():
    assert repr(ActivityNetToTAL(['a', 'b'])) == 'ActivityNetToTAL(classes=2)'
    assert repr(TALToActivityNet()) == 'TALToActivityNet(interval=16)'
