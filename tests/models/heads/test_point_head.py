"""What all point heads share beside their training: candidates and wrong arguments."""
import pytest
import torch
from head_batteries import RANGES, build_head, candidates_of, make_pyramid, make_samples
from mmaction.registry import MODELS

from cltdr_mm.postprocessing.functional.checks import check_candidates


@pytest.mark.parametrize('min_length, kept', [(0.5, False), (0.4999, True)])
def test_a_candidate_of_the_least_length_goes(min_length, kept):
    """Only longer ones stay: here those of the finest level are half a step long, exactly."""
    head = build_head(type='ActionFormerHead')
    head.test_cfg.update(score_thr=0., min_length=min_length)
    head.decode = lambda outs, pairs: torch.full((len(pairs.row), 2), 0.25)
    lengths = candidates_of(head, [53])[0].segments.diff(dim=1)
    assert set(lengths.flatten().tolist()) == {0.5, 1., 2.} - (set() if kept else {0.5})


def test_no_candidate_at_padding():
    head = build_head(type='ActionFormerHead', test_cfg=dict(score_thr=0.)).eval()
    found = head.predict(*make_pyramid([3], 40), make_samples([(3, [], [])]))[0]
    assert len(found) <= (3 + 2 + 1) * 3 and len(found) > 0


@pytest.mark.parametrize('branch', ['cls', 'reg'])
def test_nan_is_not_dropped(branch):
    """Else a model that diverged would find nothing, and nobody would know why."""
    head = build_head(type='ActionFormerHead').eval()
    with torch.no_grad():
        next(p for name, p in head.named_parameters() if branch in name)[:] = float('nan')
    found = head.predict(*make_pyramid([30]), make_samples([(30, [], [])]))[0]
    with pytest.raises(ValueError, match='video_30'):
        check_candidates(found.segments, found.scores, found.labels, 'video_30')


@pytest.mark.parametrize('change, message', [
    (dict(num_classes=0), 'num_classes must be positive, got 0'),
    (dict(regression_ranges=[(0, 4), (8, 4)]), r'regression_ranges\[1\] must be \(low, high\)'),
    (dict(regression_ranges=[(-1, 4)]), r'regression_ranges\[0\] must be'),
    (dict(regression_ranges=[(0, 4, 8)]), r'regression_ranges\[0\] must be'),
    (dict(regression_ranges=None), 'give num_levels or regression_ranges'),
    (dict(num_levels=4), 'regression_ranges names 3 levels, but there are 4'),
    (dict(num_levels=0, regression_ranges=None), 'num_levels must be positive, got 0'),
    (dict(test_cfg=dict(threshold=0.1)), r"test_cfg does not know \['threshold'\]"),
])
def test_wrong_arguments(change, message):
    cfg = dict(type='ActionFormerHead', num_classes=3, in_channels=8, regression_ranges=RANGES)
    with pytest.raises(ValueError, match=f'ActionFormerHead: {message}'):
        MODELS.build({**cfg, **change})


def test_unknown_arguments():
    with pytest.raises(TypeError, match='ActionFormerHead has no argument .*colour'):
        build_head(type='ActionFormerHead', colour='red')
    for variant, instead in (('release', 'detach_iou=False'), ('paper', 'nothing in its place')):
        with pytest.raises(TypeError, match='ActionFormerHead: `variant` is gone: '
                           f'write {instead}'):
            build_head(type='ActionFormerHead', variant=variant)


def test_ranges_double_by_default():
    head = build_head(type='ActionFormerHead', regression_ranges=None, num_levels=4)
    assert head.regression_ranges == [(0, 4), (4, 8), (8, 16), (16, 10000)]
    assert head.num_levels == 4
    assert build_head(type='ActionFormerHead', num_levels=3).regression_ranges == RANGES
