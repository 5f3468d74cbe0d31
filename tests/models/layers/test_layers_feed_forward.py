"""The feed-forward network of a block."""
import torch
import torch.nn.functional as F
from batteries import randomise

from cltdr_mm.models.layers import FeedForward


def test_formula():
    network = randomise(FeedForward(4, 10)).double()
    assert {key: tuple(value.shape) for key, value in network.state_dict().items()} == {
        '0.weight': (10, 4, 1), '0.bias': (10, ), '2.weight': (4, 10, 1), '2.bias': (4, )}
    x = torch.randn(7, 4, dtype=torch.float64)
    hidden = F.gelu(x @ network[0].weight[:, :, 0].t() + network[0].bias)
    expected = hidden @ network[2].weight[:, :, 0].t() + network[2].bias
    assert torch.allclose(network(x), expected, atol=1e-12)


def test_dropout():
    """As published: of hidden values and of the result, in training; names count these layers."""
    network = randomise(FeedForward(4, 10, dropout=0.5))
    assert set(network.state_dict()) == {'0.weight', '0.bias', '3.weight', '3.bias'}
    x = torch.ones(200, 4)
    out = network.train()(x)
    assert 0.4 < float((out == 0).float().mean()) < 0.6
    kept = out[:, 0][out[:, 0] != 0]
    assert len(kept.detach().unique()) > 10  # hidden values differ from row to row
    out = network.eval()(x)
    assert torch.equal(out, network(x)) and (out != 0).all()
