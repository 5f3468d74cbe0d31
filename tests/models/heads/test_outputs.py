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


def test_other_rows_are_computed_apart():
    """What the network said of the first ones stays, and keeps its gradient."""
    outs, table, tower = outputs()
    rows, others = torch.tensor([10]), torch.tensor([40, 50])
    outs.focus(dict(tower=rows))
    with torch.no_grad():
        elsewhere = outs.elsewhere()
        elsewhere.focus(dict(tower=others))
        there = elsewhere.at('tower', others)
        everywhere = tower(table.rows, table.layout)
    assert torch.allclose(there, everywhere[others], atol=1e-6) and not there.requires_grad
    assert torch.allclose(outs.at('tower', rows), everywhere[rows], atol=1e-6)
    assert outs.at('tower', rows).requires_grad
    with pytest.raises(IndexError):
        outs.at('tower', others)


def test_a_network_that_ran_everywhere_is_not_run_again():
    outs, _, _ = outputs()
    outs.compute_all()
    elsewhere = outs.elsewhere()
    outs.focus(dict(tower=torch.tensor([10])))
    elsewhere.focus(dict(tower=torch.tensor([10])))
    assert outs.readings['tower'].all() is elsewhere.readings['tower'].all()
