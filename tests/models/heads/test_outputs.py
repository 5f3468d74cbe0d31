"""A network that is read: on all rows, or on those that were named."""
import pytest
import torch

from cltdr_mm.models.heads.outputs import HeadOutputs, Reading
from cltdr_mm.models.heads.tower import ConvTower
from cltdr_mm.structures import pack


def outputs(steps=60):
    torch.manual_seed(0)
    table = pack([torch.randn(steps, 4)])
    tower = ConvTower(4, 4, 3)
    reading = Reading(tower, table.rows, table.layout)
    return HeadOutputs(table.layout, table.rows[:, :2], dict(tower=reading)), table, tower


def test_a_focused_network_says_what_it_says_of_the_whole():
    outs, table, tower = outputs()
    everywhere = tower(table.rows, table.layout)
    rows = torch.tensor([[3, 30], [31, 62]])
    outs.focus(dict(tower=rows))
    assert torch.allclose(outs.at('tower', rows), everywhere[rows], atol=1e-6)
    assert torch.allclose(outs.at('tower', rows, torch.tensor([[0], [2]])),
                          everywhere[rows, torch.tensor([[0], [2]])], atol=1e-6)


def test_a_row_that_was_not_computed_is_an_error():
    """Not the value of some other row, and not all rows after all."""
    outs, _, _ = outputs()
    outs.focus(dict(tower=torch.tensor([10])))
    with pytest.raises(IndexError):
        outs.at('tower', torch.tensor([10, 40]))
    with pytest.raises(RuntimeError, match='ran on some rows only'):
        outs.per_level()
