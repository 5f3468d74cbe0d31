"""Settings that fit a data set: what they are for benchmarks' sizes, and at the edges."""
import math

import numpy as np
import pytest

from cltdr_mm.apis.own_data.data_remarks import remarks
from cltdr_mm.apis.own_data.suggestions import regression_ranges, suggest
from cltdr_mm.datasets.statistics import SubsetStatistics, level_shares
from cltdr_mm.models.task_modules.ranges import checked_ranges


def make(videos=40, steps=400, per_video=5, lengths=(10., ), classes=('run', 'sit'), labels=None):
    """Videos of one length; instances of the lengths in turn, in grid steps, 2 steps a second."""
    infos, number = [], 0
    for _ in range(videos):
        segments, own = [], []
        for i in range(per_video):
            length = lengths[number % len(lengths)]
            start = (i + 0.25) * steps / max(per_video, 1)
            segments.append((start / 2, (start + length) / 2))
            own.append(number % len(classes) if labels is None else labels[number % len(labels)])
            number += 1
        infos.append(dict(duration=steps / 2, fps=10., stride=5, window=5, num_steps=steps,
                          gt_segments=np.array(segments, np.float64).reshape(-1, 2),
                          gt_labels=np.array(own, np.int64)))
    return SubsetStatistics.of(infos, classes)


def values(found):
    return {name: value for name, value, _ in found.rows()}


def test_recipes_of_the_benchmarks_are_met():
    """The sizes of THUMOS14, HAPT and the generated sequences ask for what is used there."""
    thumos = suggest(make(200, 1600, 15, (10, 25, 60)), 2048, 'cuda')
    assert thumos.width.value == 512 and thumos.batch_size.value == 2
    assert thumos.lr.value == pytest.approx(1e-4)
    assert thumos.epochs.value == 40
    assert thumos.epochs.reason.startswith('4000 steps in all')
    hapt = suggest(make(42, 750, 20, (8, 25, 50)), 150, 'cpu', epochs=35)
    assert hapt.width.value == 128 and hapt.batch_size.value == 2
    assert hapt.epochs.reason == 'as asked for; 735 steps in all'
    assert hapt.lr.value == pytest.approx(4e-4)
    demo = suggest(make(160, 400, 6, (5, 20, 90)), 64, 'cpu', epochs=10)
    assert demo.width.value == 64 and demo.batch_size.value == 4 and demo.warmup.value == 2
    assert demo.lr.value == pytest.approx(1.1e-3)


@pytest.mark.parametrize('lengths, levels', [
    ((4, ), 4), ((0.5, ), 4), ((30, ), 4), ((50, ), 5), ((100, ), 6), ((250, ), 7), ((10000, ), 9)])
def test_levels_follow_the_lengths(lengths, levels):
    found = suggest(make(steps=12000, per_video=1, lengths=lengths), 64)
    assert found.num_levels.value == levels


def test_the_open_level_is_for_the_few_longest_only():
    data = make(50, 2000, 20, tuple(2.0**np.linspace(1, 7.5, 200)))
    ranges = regression_ranges(suggest(data, 64).num_levels.value)
    shares, missed = level_shares(data.segments, ranges)
    assert shares[-1] < 0.15 and missed == 0
    # a few that are far longer are expressed by the coarsest level too
    few = make(50, 2000, 20, (*(10., ) * 199, 1000.))
    levels = suggest(few, 64).num_levels.value
    assert 8 * 2**(levels - 1) >= 500


def test_levels_do_not_outgrow_the_videos():
    found = suggest(make(steps=40, per_video=1, lengths=(38., )), 64)
    assert found.num_levels.value == 4


def test_ranges_are_those_that_heads_take_by_themselves():
    for levels in (2, 4, 6, 9):
        assert regression_ranges(levels) == checked_ranges(None, levels, 'head')


def test_sequences_are_cut_only_where_instances_allow():
    assert suggest(make(steps=2000), 64).max_len.value == 2304
    assert suggest(make(steps=9000), 64).max_len.value == 2304
    long = suggest(make(steps=9000, per_video=1, lengths=(3000., )), 64)
    assert 6000 <= long.max_len.value <= 9000
    assert long.max_len.value % 2**(long.num_levels.value - 1) == 0


def test_training_has_enough_steps_however_small_the_data():
    for videos in (1, 3, 25, 160, 2000):
        for device, wanted in (('cpu', 2000), ('cuda', 4000)):
            found = suggest(make(videos), 64, device)
            per_epoch = math.ceil(videos / found.batch_size.value)
            steps = found.epochs.value * per_epoch
            assert found.epochs.reason.startswith(f'{steps} steps in all')
            assert 15 <= found.epochs.value <= 100
            assert steps >= wanted or found.epochs.value == 100
            assert 0 < found.warmup.value < found.epochs.value


def test_a_single_epoch_has_no_warm_up():
    assert suggest(make(), 64, epochs=1).warmup.value == 0


def test_width_follows_data_channels_and_device():
    large = make(400, per_video=10)
    assert suggest(large, 1024, 'cuda').width.value == 512
    assert suggest(large, 1024, 'cpu').width.value == 128
    assert suggest(large, 100, 'cuda').width.value == 128
    assert suggest(large, 3, 'cuda').width.value == 64
    assert suggest(make(20), 1024, 'cuda').width.value == 64
    asked = suggest(large, 1024, 'cuda', width=256)
    assert asked.width.value == 256 and asked.lr.value == pytest.approx(2e-4 * math.sqrt(
        asked.batch_size.value / 2), rel=0.05)


def test_thresholds_for_instances_of_a_few_steps():
    assert suggest(make(lengths=(2., )), 64).tious.value == (0.1, 0.2, 0.3, 0.4, 0.5)
    assert suggest(make(lengths=(12., )), 64).tious.value is None


def test_every_value_has_a_reason():
    rows = suggest(make(), 64).rows()
    assert len(rows) == 9
    for name, value, reason in rows:
        assert name and value and len(reason) > 8 and 'nan' not in reason


def test_nothing_to_suggest():
    with pytest.raises(ValueError, match='no instance'):
        suggest(make(per_video=0), 64)
    with pytest.raises(ValueError, match='width must be at least 1'):
        suggest(make(), 64, width=0)


def said(**subsets):
    ranges = regression_ranges(4)
    return ' | '.join(remarks(subsets, ranges))


def test_remarks_on_good_data():
    good = make(lengths=(8., 12., 20.))
    assert said(training=good, validation=good) == ''


def test_remarks():
    assert 'no validation subset' in said(training=make())
    assert 'no training instance of sit' in said(training=make(labels=[0]), validation=make())
    assert 'validation has instances of sit' in said(training=make(labels=[0]), validation=make())
    assert '1 training videos are few' in said(training=make(videos=1))
    assert 'fewer than 10 training instances of run (3), sit (2)' in said(training=make(videos=1))
    points = said(training=make(lengths=(0.3, )))
    assert '100.0 % of the training instances are shorter than one grid step' in points
    assert 'learned by no level' in points
    assert 'larger stride' in said(training=make(steps=4000, lengths=(300., )))
    assert 'no training instance' not in said(training=make(classes=('run', )))
