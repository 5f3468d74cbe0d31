"""Pooling that sees neither another sequence nor a gap."""
import pytest
import torch
import torch.nn.functional as F
from batteries import make_videos

from cltdr_mm.models.layers import max_pool
from cltdr_mm.structures import pack

LENGTHS = (9, 8, 5, 1, 1, 2)


def negative_videos(**kwargs):
    """All values negative: a gap's zero would win."""
    return [video - 10 for video in make_videos(LENGTHS, 3, **kwargs)]


@pytest.mark.parametrize('gap', [0, 1, 3])
def test_max_pool(gap):
    videos = negative_videos()
    packed = pack(videos, gap=gap)
    out, half = max_pool(packed.rows, packed.layout)
    assert half.lengths == half.seen == (5, 4, 3, 1, 1, 1)
    assert half.levels == (1, ) * 6
    assert out.shape == (half.num_rows, 3)
    for first, size, video in zip(half.first, half.seen, videos):
        assert torch.equal(out[first:first + size].t(), F.max_pool1d(video.t(), 3, 2, 1))
    assert (out[half.gap_rows] == 0).all()


def test_max_pool_sees_padding_that_is_seen():
    videos = negative_videos()[1:3]
    packed = pack(videos, [9, 9])
    out, half = max_pool(packed.rows, packed.layout)
    assert half.lengths == (4, 3) and half.seen == (5, 5)
    for first, video in zip(half.first, videos):
        padded = F.pad(video.t(), (0, 9 - len(video)))
        assert torch.equal(out[first:first + 5].t(), F.max_pool1d(padded, 3, 2, 1))


def test_max_pool_gradient():
    videos = negative_videos(dtype=torch.float64)
    packed = pack(videos)
    rows = packed.rows.requires_grad_(True)
    out, half = max_pool(rows, packed.layout)
    weights = make_videos((half.num_rows, ), 3, dtype=torch.float64)[0]
    (out * weights).sum().backward()
    for number, video in enumerate(videos):
        video.requires_grad_(True)
        first, size = half.first[number], half.seen[number]
        (F.max_pool1d(video.t(), 3, 2, 1).t() * weights[first:first + size]).sum().backward()
        start = packed.layout.first[number]
        assert torch.allclose(rows.grad[start:start + len(video)], video.grad)
    assert (rows.grad[packed.layout.gap_rows] == 0).all()


def test_max_pool_keeps_half_precision():
    packed = pack([video.bfloat16() for video in negative_videos()])
    out, half = max_pool(packed.rows, packed.layout)
    assert out.dtype == torch.bfloat16
    wide, _ = max_pool(packed.rows.float(), packed.layout)
    assert torch.equal(out.float(), wide)
