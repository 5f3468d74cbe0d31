"""PackedRows: sequences into one table and out of it."""
import pytest
import torch

from cltdr_mm.structures import (
    Layout,
    PackedRows,
    pack,
    pack_padded,
    split_levels,
    stack_rows,
    unpack,
)

LENGTHS = (5, 2, 2, 7, 1)


def make(lengths=LENGTHS, channels=3, dtype=torch.float32):
    torch.manual_seed(0)
    return [torch.randn(length, channels, dtype=dtype) for length in lengths]


@pytest.mark.parametrize('gap', [0, 1, 3])
@pytest.mark.parametrize('seen', [None, (5, 4, 2, 8, 8)])
def test_pack(seen, gap):
    videos = make()
    packed = pack(videos, seen, gap)
    layout = packed.layout
    assert layout.lengths == LENGTHS and layout.seen == (seen or LENGTHS) and layout.gap == gap
    assert packed.rows.shape == (layout.num_rows, 3)
    assert torch.equal(packed.rows[layout.valid_rows], torch.cat(videos))
    assert (packed.rows[~layout.valid] == 0).all()


@pytest.mark.parametrize('dtype', [torch.float64, torch.bfloat16])
def test_pack_keeps_the_type(dtype):
    packed = pack(make(dtype=dtype))
    assert packed.rows.dtype == unpack(packed)[0].dtype == dtype


def test_pack_passes_gradients():
    videos = [video.requires_grad_(True) for video in make()]
    packed = pack(videos)
    (packed.rows * torch.arange(packed.layout.num_rows)[:, None]).sum().backward()
    for first, video in zip(packed.layout.first, videos):
        assert video.grad[:, 0].tolist() == list(range(first, first + len(video)))


def test_pack_refuses_more_valid_than_seen():
    with pytest.raises(ValueError, match='valid rows <= seen rows'):
        pack(make(), [4, 2, 2, 7, 1])


@pytest.mark.parametrize('steps', [None, 9])
def test_unpack(steps):
    videos = make()
    x, mask = unpack(pack(videos), steps)
    assert x.shape == (5, 3, steps or 7) and mask.shape == (5, steps or 7)
    for row, (video, length) in enumerate(zip(videos, LENGTHS)):
        assert torch.equal(x[row, :, :length], video.t())
        assert (x[row, :, length:] == 0).all()
        assert mask[row].tolist() == [step < length for step in range(steps or 7)]


def test_unpack_gives_padding_that_is_seen():
    packed = pack(make((3, 2)), [4, 4])
    x, mask = unpack(PackedRows(packed.rows + 1, packed.layout), 6)
    assert mask.sum(1).tolist() == [3, 2]
    assert (x[0, :, 3] == 1).all() and (x[1, :, 2:4] == 1).all() and (x[:, :, 4:] == 0).all()


def padded(videos, steps, filler=0.0):
    x = torch.full((len(videos), videos[0].shape[1], steps), filler)
    mask = torch.zeros(len(videos), steps, dtype=torch.bool)
    for row, video in enumerate(videos):
        x[row, :, :len(video)] = video.t()
        mask[row, :len(video)] = True
    return x, mask


@pytest.mark.parametrize('filler', [0.0, 9.0, float('nan')])
@pytest.mark.parametrize('steps', [7, 11])
def test_padded_batch_there_and_back(steps, filler):
    videos = make()
    packed = pack_padded(*padded(videos, steps, filler), level=2)
    assert torch.equal(packed.rows, pack(videos).rows)
    assert packed.layout.lengths == packed.layout.seen == LENGTHS
    assert packed.layout.levels == (2, ) * 5 and packed.layout.videos == (0, 1, 2, 3, 4)
    x, mask = unpack(packed, steps)
    assert torch.equal(x, padded(videos, steps)[0]) and torch.equal(mask, padded(videos, steps)[1])


@pytest.mark.parametrize('lengths', [(4, 4, 4, 4), (4, 3, 1, 4), (4, )])
def test_square_inputs_are_not_guessed(lengths):
    """As many channels as steps, and as videos."""
    videos = make(lengths, 4)
    packed = pack(videos)
    assert torch.equal(packed.rows[3:7], videos[0])
    x, mask = unpack(packed)
    assert torch.equal(x[0], videos[0].t())
    assert torch.equal(pack_padded(x, mask).rows, packed.rows)


@pytest.mark.parametrize(('x', 'mask', 'message'), [
    ((2, 3, 5), (2, 4), r'got \(2, 3, 5\) and \(2, 4\)'),
    ((2, 3, 5), (1, 5), r'got \(2, 3, 5\) and \(1, 5\)'),
    ((3, 5), (3, 5), r'got \(3, 5\) and \(3, 5\)'),
    ((2, 3, 5), (2, 1, 5), r'got \(2, 3, 5\) and \(2, 1, 5\)'),
])
def test_shapes_that_do_not_fit(x, mask, message):
    with pytest.raises(ValueError, match=message):
        pack_padded(torch.zeros(x), torch.ones(mask, dtype=torch.bool))


def test_a_sequence_without_a_step():
    x, mask = padded(make(), 7)
    mask[3] = False
    with pytest.raises(ValueError, match='sequence 3 of the batch has no valid step'):
        pack_padded(x, mask)


def pyramid(seen=None, levels=4, gap=3, videos=None):
    tables, layout = [], Layout(LENGTHS, seen, gap=gap, videos=videos)
    for _ in range(levels):
        torch.manual_seed(len(tables))
        rows = layout.zero_gaps(torch.randn(layout.num_rows, 3))
        tables.append(PackedRows(rows, layout))
        layout = layout.half
    return tables


@pytest.mark.parametrize('gap', [0, 1, 3])
@pytest.mark.parametrize('seen', [None, (5, 4, 2, 8, 8)])
@pytest.mark.parametrize('levels', [1, 2, 4])
def test_levels_there_and_back(levels, seen, gap):
    tables = pyramid(seen, levels, gap, videos=(4, 0, 3, 2, 9))
    whole = stack_rows(tables)
    assert len(whole.rows) == whole.layout.num_rows
    assert (whole.rows[whole.layout.gap_rows] == 0).all()
    assert torch.equal(whole.rows[whole.layout.seen_rows], torch.cat(
        [table.rows[table.layout.seen_rows] for table in tables]))
    parts = split_levels(whole)
    assert len(parts) == levels
    for part, table in zip(parts, tables):
        assert torch.equal(part.rows, table.rows)
        for name in ('lengths', 'seen', 'levels', 'videos', 'gap', 'device'):
            assert getattr(part.layout, name) == getattr(table.layout, name), name


def test_split_of_levels_that_begin_later():
    """Levels keep their numbers, whichever the first is."""
    tables = pyramid()[1:3]
    parts = split_levels(stack_rows(tables))
    assert [part.layout.levels[0] for part in parts] == [1, 2]
    assert torch.equal(parts[1].rows, tables[1].rows)


def test_a_mask_with_holes_is_refused():
    mask = torch.tensor([[True, True, False], [True, False, True]])
    with pytest.raises(ValueError, match='valid steps must be the first ones'):
        pack_padded(torch.zeros(2, 4, 3), mask)


def test_a_mask_of_numbers_is_refused():
    with pytest.raises(TypeError, match='a mask must be bool, got torch.float32'):
        pack_padded(torch.zeros(1, 4, 3), torch.ones(1, 3))
