"""Layout and RowNumbers: every index of them against a loop over rows."""
import pytest
import torch

from cltdr_mm.structures import Layout, PackedRows, RowSubset, stack_rows

CASES = [
    dict(lengths=[5]),
    dict(lengths=[1]),
    dict(lengths=[4, 4, 4]),
    dict(lengths=[5, 2, 2, 7, 1], gap=0),
    dict(lengths=[5, 2, 2, 7, 1], gap=4),
    dict(lengths=[5, 2, 2, 7], seen=[8, 8, 8, 8]),
    dict(lengths=[5, 5, 3], seen=[5, 8, 3], levels=[0, 0, 1], videos=[4, 2, 4]),
]


def loop(layout):
    """One dict a row, None in a gap."""
    rows = [None] * layout.gap
    for number, (valid, seen) in enumerate(zip(layout.lengths, layout.seen)):
        rows += [dict(sequence=number, step=step, valid=step < valid) for step in range(seen)]
        rows += [None] * layout.gap
    return rows


def where(rows, test):
    return [number for number, row in enumerate(rows) if test(row)]


@pytest.mark.parametrize('case', CASES)
def test_rows(case):
    layout, rows = Layout(**case), loop(Layout(**case))
    assert layout.num_rows == len(rows)
    assert len(layout) == len(case['lengths'])
    assert layout.gap_rows.tolist() == where(rows, lambda row: row is None)
    assert layout.seen_rows.tolist() == where(rows, lambda row: row is not None)
    assert layout.valid_rows.tolist() == where(rows, lambda row: row and row['valid'])
    padding = where(rows, lambda row: row and not row['valid'])
    if padding:
        assert layout.padding_rows.tolist() == padding
    else:
        assert layout.padding_rows is None
    assert layout.valid.tolist() == [bool(row and row['valid']) for row in rows]
    assert layout.every_second.tolist() == where(rows, lambda row: row and row['step'] % 2 == 0)
    assert layout.first == tuple(where(rows, lambda row: row and row['step'] == 0))


@pytest.mark.parametrize('case', CASES)
def test_values_of_rows(case):
    layout = Layout(**case)
    names = ('sequence', 'level', 'video', 'length', 'last_row', 'step')
    values = {name: getattr(layout, name).tolist() for name in names}
    assert all(len(value) == layout.num_rows for value in values.values())
    for number, row in enumerate(loop(layout)):
        if row is not None:
            sequence = row['sequence']
            assert {name: value[number] for name, value in values.items()} == dict(
                sequence=sequence, step=row['step'], level=layout.levels[sequence],
                video=layout.videos[sequence], length=layout.lengths[sequence],
                last_row=layout.first[sequence] + layout.seen[sequence] - 1)


def test_a_gap_counts_to_the_sequence_before_it():
    layout = Layout([2, 1], levels=[0, 1], videos=[7, 8], gap=2)
    assert layout.sequence.tolist() == [0, 0, 0, 0, 0, 0, 1, 1, 1]
    assert layout.video.tolist() == [7, 7, 7, 7, 7, 7, 8, 8, 8]


def test_defaults():
    layout = Layout([5, 2])
    assert layout.seen == (5, 2) and layout.levels == (0, 0) and layout.videos == (0, 1)
    assert layout.gap == 3 and layout.num_rows == 3 + 5 + 3 + 2 + 3
    assert layout.device == torch.device('cpu')
    assert 'lengths=(5, 2)' in repr(layout) and 'seen=(5, 2)' in repr(layout)


@pytest.mark.parametrize(('kwargs', 'message'), [
    (dict(lengths=[]), 'at least one sequence'),
    (dict(lengths=[3, 0]), r'1 <= valid rows <= seen rows, got \(3, 0\) of \(3, 0\)'),
    (dict(lengths=[3], seen=[2]), r'got \(3,\) of \(2,\)'),
])
def test_refuses(kwargs, message):
    with pytest.raises(ValueError, match=message):
        Layout(**kwargs)


def table(layout, channels=2):
    """Rows that are all different."""
    return torch.arange(1.0, layout.num_rows * channels + 1).view(-1, channels)


@pytest.mark.parametrize('case', CASES)
def test_zeros(case):
    layout = Layout(**case)
    x, rows = table(layout), loop(layout)
    gaps = torch.tensor([row is None for row in rows])
    padding = torch.tensor([row is not None and not row['valid'] for row in rows])
    assert torch.equal(layout.zero_gaps(x), x.masked_fill(gaps[:, None], 0))
    assert torch.equal(layout.zero_padding(x), x.masked_fill(padding[:, None], 0))
    assert torch.equal(x, table(layout))  # not in place
    changed = layout.zero_gaps(x, inplace=True)
    assert changed.data_ptr() == x.data_ptr() and (x[gaps] == 0).all()


@pytest.mark.parametrize('channels', [1, 2, 5])
@pytest.mark.parametrize('case', CASES)
def test_blocks(case, channels):
    layout = Layout(**case)
    x = table(layout, channels)
    for valid_only, sizes in ((False, layout.seen), (True, layout.lengths)):
        blocks = layout.blocks(x, valid_only)
        sequences = [one for block in blocks for one in block]
        assert len(sequences) == len(layout)
        for one, first, size in zip(sequences, layout.first, sizes):
            assert torch.equal(one, x[first:first + size])
        kept = torch.zeros(layout.num_rows, 1)
        kept[layout.valid_rows if valid_only else layout.seen_rows] = 1
        assert torch.equal(layout.join(blocks), x * kept)
        assert torch.equal(layout.apply(lambda block: 2 * block[..., :1], x, valid_only),
                           2 * x[:, :1] * kept)


def test_neighbours_of_one_size_come_together():
    shapes = [tuple(block.shape) for block in Layout([4, 4, 2, 4]).blocks(
        torch.zeros(3 + 14 + 12, 6))]
    assert shapes == [(2, 4, 6), (1, 2, 6), (1, 4, 6)]
    # of one size: valid as well as seen
    layout = Layout([4, 3, 3], [4, 4, 4])
    assert [len(block) for block in layout.blocks(torch.zeros(layout.num_rows, 1))] == [1, 2]
    layout = Layout([192] * 8)
    assert len(layout.blocks(torch.zeros(layout.num_rows, 1))) == 1


def test_as_many_channels_as_rows():
    """A square table is (R, C) all the same, and so are its sequences."""
    layout = Layout([4, 4], gap=2)
    x = table(layout, layout.num_rows)
    block, = layout.blocks(x)
    assert torch.equal(block[1], x[8:12])
    four = Layout([4], gap=0)
    assert torch.equal(four.blocks(table(four, 4))[0][0], table(four, 4))


@pytest.mark.parametrize('case', CASES)
def test_mean_max_and_expand(case):
    layout = Layout(**case)
    x = torch.randn(layout.num_rows, 3, dtype=torch.float64)
    parts = [x[first:first + size] for first, size in zip(layout.first, layout.seen)]
    means, maxima = layout.mean(x), layout.max(x)
    assert torch.allclose(means, torch.stack([part.mean(0) for part in parts]))
    assert torch.equal(maxima, torch.stack([part.amax(0) for part in parts]))
    rows = layout.expand(means)
    assert rows.shape == x.shape
    for first, size, mean in zip(layout.first, layout.seen, means):
        assert torch.equal(rows[first:first + size], mean.expand(size, -1))


def test_mean_of_many_rows():
    """Every row counts: a running sum in half precision would stop growing."""
    layout = Layout([3001, 70000])
    x = torch.ones(layout.num_rows, 1)
    half = layout.mean(x.bfloat16())
    assert half.dtype == torch.bfloat16 and half.flatten().tolist() == [1, 1]
    torch.manual_seed(0)
    x = torch.rand(layout.num_rows, 1)
    assert torch.allclose(layout.mean(x).double(), layout.mean(x.double()), atol=1e-6)


@pytest.mark.parametrize('gap', [0, 1, 6])
@pytest.mark.parametrize('case', CASES)
def test_move(case, gap):
    layout = Layout(**case)
    wide = layout.with_gap(gap)
    assert (wide.lengths, wide.seen, wide.levels, wide.videos) == (
        layout.lengths, layout.seen, layout.levels, layout.videos)
    x = table(layout)
    moved = layout.move(x, wide)
    assert torch.equal(moved[wide.seen_rows], x[layout.seen_rows])
    assert (moved[wide.gap_rows] == 0).all()
    assert torch.equal(wide.move(moved, layout), layout.zero_gaps(x))


def test_half():
    layout = Layout([5, 4, 1], [8, 5, 1], levels=[0, 0, 2], videos=[3, 1, 0], gap=2)
    half = layout.half
    assert half.lengths == (3, 2, 1) and half.seen == (4, 3, 1)
    assert half.levels == (1, 1, 3) and half.videos == (3, 1, 0) and half.gap == 2
    assert len(layout.every_second) == len(half.seen_rows)
    assert layout.step[layout.every_second].tolist() == (2 * half.step[half.seen_rows]).tolist()
    step, video = layout.step[layout.seen_rows], layout.video[layout.seen_rows]
    assert half.step[layout.covering].tolist() == (step // 2).tolist()
    assert half.video[layout.covering].tolist() == video.tolist()
    assert Layout([1]).half.half.lengths == (1, )


# neighbouring levels in one table

PYRAMIDS = [
    dict(lengths=[9, 8, 1, 2]),
    dict(lengths=[16]),
    dict(lengths=[5, 3], seen=[7, 8], videos=[2, 0], gap=1),
]


def stacked(case, levels):
    layouts = [Layout(**case)]
    for _ in range(levels - 1):
        layouts.append(layouts[-1].half)
    return Layout.stack(layouts)


def places(layout):
    """Row of every (level, video, step)."""
    out = {}
    for number, row in enumerate(loop(layout)):
        if row is not None:
            sequence = row['sequence']
            out[layout.levels[sequence], layout.videos[sequence], row['step']] = number
    return out


@pytest.mark.parametrize('levels', [1, 2, 4])
@pytest.mark.parametrize('case', PYRAMIDS)
def test_stack(case, levels):
    layouts = [Layout(**case)]
    for _ in range(levels - 1):
        layouts.append(layouts[-1].half)
    whole = Layout.stack(layouts)
    assert whole.levels == tuple(
        level for level in range(levels) for _ in range(len(layouts[0])))
    assert whole.lengths == sum((layout.lengths for layout in layouts), ())
    assert whole.seen == sum((layout.seen for layout in layouts), ())
    assert whole.videos == levels * layouts[0].videos
    tables = [PackedRows(table(layout), layout) for layout in layouts]
    assert len(stack_rows(tables).rows) == whole.num_rows


@pytest.mark.parametrize('levels', [1, 2, 4])
@pytest.mark.parametrize('case', PYRAMIDS)
def test_coarser(case, levels):
    layout = stacked(case, levels)
    at = places(layout)
    even, odd = {}, {}
    for (level, video, step), row in at.items():
        if level + 1 < levels:
            (odd if step % 2 else even)[row] = at[level + 1, video, step // 2]
    found = layout.coarser
    assert dict(zip(found.even.tolist(), found.even_parent.tolist())) == even
    assert dict(zip(found.odd.tolist(), found.odd_parent.tolist())) == odd
    assert len(found.even) == len(even) and len(found.odd) == len(odd)
    assert {x.dtype for x in (found.even, found.odd_parent)} == {torch.int64}


@pytest.mark.parametrize('levels', [1, 2, 4])
@pytest.mark.parametrize('case', PYRAMIDS)
def test_finer(case, levels):
    layout = stacked(case, levels)
    at = places(layout)
    expected = {row: at[level - 1, video, 2 * step]
                for (level, video, step), row in at.items() if level}
    rows, centres = layout.finer
    assert dict(zip(rows.tolist(), centres.tolist())) == expected
    assert len(rows) == len(expected)


def test_levels_that_do_not_fit():
    layout = Layout([8, 5], levels=[0, 1], videos=[0, 0])
    message = 'video 0: level 1 has 5 steps over 8, not half'
    with pytest.raises(ValueError, match=message):
        layout.coarser  # noqa: B018
    with pytest.raises(ValueError, match=message):
        layout.finer  # noqa: B018
    # another video's level is no neighbour, nor one that is two levels off
    assert len(Layout([8, 5], levels=[0, 1]).coarser.even) == 0
    assert len(Layout([8, 5], levels=[0, 2], videos=[0, 0]).finer[0]) == 0


@pytest.mark.parametrize('inplace', [True, False])
@pytest.mark.parametrize('case', CASES)
def test_some_rows(case, inplace):
    """They are zeroed as they are in the whole table."""
    layout = Layout(**case)
    x = table(layout)
    rows = torch.arange(0, layout.num_rows, 2)
    some = RowSubset(layout, rows)
    assert some.gap == layout.gap
    assert torch.equal(some.zero_gaps(x[rows], inplace), layout.zero_gaps(x)[rows])
    known = layout.seen_rows[layout.seen_rows % 2 == 0]
    chosen = [rows.tolist().index(row) for row in known.tolist()]
    assert torch.equal(some.zero_padding(x[rows])[chosen], layout.zero_padding(x)[known])


def test_some_rows_with_values_that_are_not_finite():
    """Zero is zero, whatever stood in a gap."""
    layout = Layout([2], [3], gap=1)
    x = torch.full((layout.num_rows, 1), float('inf'))
    some = RowSubset(layout, torch.arange(layout.num_rows))
    assert some.zero_padding(some.zero_gaps(x)).isinf().flatten().tolist() == [
        False, True, True, False, False]


@pytest.mark.parametrize('change', [
    lambda block: block[:, ::2], lambda block: torch.cat([block, block], 1),
    lambda block: block[:1]])
def test_apply_keeps_the_number_of_rows(change):
    layout = Layout([6, 6, 4])
    x = torch.zeros(layout.num_rows, 2)
    with pytest.raises(ValueError, match='a block of 2 sequences of 6 rows came back as'):
        layout.apply(change, x)


def test_a_table_of_another_layout_is_refused():
    with pytest.raises(ValueError, match=r'a table of 13 rows was expected, got \(10, 2\)'):
        Layout([7]).check(torch.zeros(10, 2))


def test_finest_level_of_every_row():
    """Whatever level a row is on, where its video's steps stand; padding is not counted."""
    layout = Layout([5, 9], [8, 12])
    levels = Layout.stack([layout, layout.half])
    first, length = levels.finest
    for rows_first, size, video in zip(levels.first, levels.seen, levels.videos):
        rows = slice(rows_first, rows_first + size)
        assert (first[rows] == layout.first[video]).all()
        assert (length[rows] == [5, 9][video]).all()
    assert len(first) == len(length) == levels.num_rows
