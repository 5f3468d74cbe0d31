"""What `compare.py` is made of: inputs, counts, tables, and the process of a side."""
import dataclasses

import numpy as np
import pytest
import torch
from counting import OperatorCounter, as_leaves, gflop
from inputs import DATA_SETS, draw_batches, draw_video, make_batch
from report import Table
from sides import ROOT, Side

from cltdr_mm.structures import TimeMajor

QUICK = DATA_SETS['quick']


@pytest.mark.parametrize('name', DATA_SETS)
def test_videos_are_like_the_data_set(name):
    data = DATA_SETS[name]
    videos = [draw_video(data, steps, 4, seed) for seed in range(20) for steps in data.test]
    for video in videos:
        segments = np.array(video['segments'])
        assert segments.min() >= 0 and segments.max() <= video['steps']
        assert len(segments) == len(video['labels']) and set(video['labels']) <= {0, 1, 2, 3}
    lengths = np.concatenate([np.diff(video['segments'], axis=1)[:, 0] for video in videos])
    # long actions are cut where a video is short
    assert np.median(lengths) == pytest.approx(data.actions[5], rel=0.15)
    assert draw_video(data, 300, 4, 0) == draw_video(data, 300, 4, 0) != draw_video(data, 300, 4, 1)


def test_batches_are_cut_to_the_longest_training_input():
    data = DATA_SETS['thumos14']
    lengths = np.array(draw_batches(data, 50, 2304, seed=0))
    assert lengths.shape == (50, 2) and lengths.max() == 2304 and lengths.min() < 500


def test_features_are_no_zeros():
    batch = make_batch(QUICK, [draw_video(QUICK, 64, 3, 0)], channels=5, seed=0)
    assert batch['inputs'][0].shape == (5, 64)
    assert 0.9 < batch['inputs'][0].std() < 1.1


def test_gflop_counts_what_is_done_in_place_too():
    x, y = torch.ones(10, 20), torch.ones(20, 30)
    out = torch.zeros(10, 30)
    assert gflop(lambda: (torch.mm(x, y), out.addmm_(x, y))) == pytest.approx(2 * 12e-6)


def test_operators_that_only_look_count_apart():
    x = torch.ones(3, 4)
    with OperatorCounter() as counter:
        x.t().add(1.).mul_(2.).unsqueeze(0)
        torch.empty(3)
    assert counter.counts == dict(launching=2, free=3)


def test_leaves_start_a_graph_of_their_own():
    x = torch.ones(2, requires_grad=True) * 2
    plain = TimeMajor(torch.ones(2))
    (first, same), named = as_leaves(((TimeMajor(x), plain), dict(x=x, mask=torch.ones(2))))
    assert same is plain
    assert first.rows is named['x'] and first.rows.is_leaf and not x.is_leaf
    with pytest.raises(ValueError, match='no tensor'):
        as_leaves(([torch.ones(2)], ))


def test_table():
    table = Table('training', 's', 'a.py')
    table.add('one', dict(rev=[2., 4., 9.], tree=[1., 1., 3.]), dict(rev=1., tree=1.0001))
    table.add('two', dict(rev=[1., 1., 1.], tree=[1., 1., 1.]), dict(rev=1., tree=1.))
    table.sum_rows('sum', ['one', 'two'])
    assert table.ratio('one') == 3. and table.ratios('sum') == [1.5, 2.5, 2.5]
    assert '| one | 4 | 1 | 3.00 | 2.00 to 4.00 |' in table.markdown('abc')
    table.compare_values('loss')
    assert table.notes == ['The loss agrees to 1e-04 (relative, worst row).']
    table.compare_values('loss', 1e-5)
    assert 'DIFFERS' in table.notes[1] and '1.0001' in table.notes[1]


def test_a_side_works_on_request(tmp_path):
    with Side('tree', ROOT, threads=1) as side:
        built = side.ask('build', config=side.config('configs/cltdr_synthetic.py'), device='cpu',
                         seed=0, optimizer=True)
        videos = [draw_video(QUICK, steps, built['classes'], 0) for steps in (48, 70)]
        side.ask('batch', name='b', data=dataclasses.asdict(QUICK), videos=videos, seed=0)
        first, again = (side.ask('train', name='b', precision='float32') for _ in range(2))
        assert first['seconds'] > 0 and first['value'] == again['value'] > 0.1
        assert 0 < side.ask('infer', name='b', precision='bfloat16')['value'] < 1
        ops = side.ask('ops', name='b', precision='float32')
        assert 0 < ops['head: all operators'] < ops['model: all operators']
        assert side.ask('gflop', steps=256) == pytest.approx(
            side.ask('gflop', steps=512) / 2, rel=0.05)
        path = str(tmp_path / 'w.pth')
        side.ask('save', path=path)
        assert side.ask('load', path=path) == []
        with pytest.raises(RuntimeError, match='KeyError'):
            side.ask('train', name='unknown', precision='float32')
    # what is installed, or nothing
    with pytest.raises(RuntimeError, match='not the library in|ended with'), \
            Side('elsewhere', tmp_path, threads=1):
        pass
