"""InfoNCE against a loop in float64, and at its edges."""
import math

import pytest
import torch

from cltdr_mm.models.losses import InfoNCELoss


def reference(vectors, labels, others, temperature):
    """The definition, pair by pair, in float64."""
    vectors, others = vectors.double().tolist(), others.double().tolist()

    def similarity(a, b):
        norms = math.sqrt(sum(x * x for x in a)) * math.sqrt(sum(x * x for x in b))
        return sum(x * y for x, y in zip(a, b)) / norms / temperature

    terms = []
    for i, anchor in enumerate(vectors):
        rivals = [math.exp(similarity(anchor, v)) for v, label in zip(vectors, labels)
                  if label != labels[i]]
        rivals += [math.exp(similarity(anchor, o)) for o in others]
        own = [math.exp(similarity(anchor, partner)) for j, partner in enumerate(vectors)
               if j != i and labels[j] == labels[i]]
        if own:
            terms.append(-math.log(sum(own) / (sum(own) + sum(rivals))))
    return sum(terms) / len(terms) if terms else 0.


@pytest.mark.parametrize('labels', [[0, 0, 1, 1, 1, 2], [0, 0], [3, 3, 3], [0, 1, 1], [0, 1, 2]])
@pytest.mark.parametrize('num_others', [0, 1, 5])
@pytest.mark.parametrize('temperature', [0.07, 0.5])
def test_is_its_definition(labels, num_others, temperature):
    torch.manual_seed(len(labels))
    vectors, others = torch.randn(len(labels), 8), 3 * torch.randn(num_others, 8)
    loss = InfoNCELoss(temperature)(vectors, torch.tensor(labels), others)
    assert float(loss) == pytest.approx(reference(vectors, labels, others, temperature), rel=1e-5,
                                        abs=1e-6)
    if num_others == 0:
        assert torch.equal(loss, InfoNCELoss(temperature)(vectors, torch.tensor(labels)))


def test_positives_are_summed_inside_the_log():
    """An anchor with a near and a far positive, by hand, at temperature 1."""
    vectors = torch.tensor([[1., 0.], [0., 2.], [-3., 0.]])  # similarities 0, -1 and 0
    loss = InfoNCELoss(1.)(vectors, torch.tensor([4, 4, 4]), torch.tensor([[0., -1.]]))
    to_background = [math.exp(0.), math.exp(-1.), math.exp(0.)]
    positives = [math.exp(0.) + math.exp(-1.), 2 * math.exp(0.), math.exp(-1.) + math.exp(0.)]
    expected = sum(-math.log(p / (p + n)) for p, n in zip(positives, to_background)) / 3
    assert float(loss) == pytest.approx(expected, rel=1e-6)


def test_it_notices_who_belongs_together():
    base = torch.eye(4)
    together = torch.stack([base[0], base[0], base[1], base[1]])
    apart = torch.stack([base[0], base[1], base[0], base[1]])
    labels = torch.tensor([0, 0, 1, 1])
    loss = InfoNCELoss()
    assert loss(together, labels, base[2:]) < 1e-4
    assert loss(apart, labels, base[2:]) > 10
    # background on top of the actions
    assert loss(together, labels, base[:1]) > loss(together, labels, base[2:]) + 0.3


@pytest.mark.parametrize('vectors, labels, others', [
    (torch.zeros(0, 4), [], None), (torch.zeros(0, 4), [], torch.ones(2, 4)),
    (torch.ones(1, 4), [0], torch.ones(2, 4)), (torch.randn(2, 4), [0, 1], None),
    (torch.randn(2, 4), [0, 0], None), (torch.zeros(2, 4), [0, 0], torch.zeros(1, 4)),
    (torch.ones(4, 4), [0, 0, 1, 1], torch.ones(1, 4)), (torch.zeros(3, 4), [0, 0, 1], None)])
def test_edges_are_finite(vectors, labels, others):
    vectors = vectors.clone().requires_grad_()
    loss = InfoNCELoss()(vectors, torch.tensor(labels, dtype=torch.int64), others)
    assert loss.isfinite() and loss >= 0
    loss.backward()
    assert vectors.grad.isfinite().all()
    positives = len(labels) > len(set(labels))
    negatives = others is not None or len(set(labels)) > 1
    assert (loss > 0) == (positives and negatives)


def test_gradients_are_right():
    torch.manual_seed(0)
    vectors, others = torch.randn(5, 3), torch.randn(2, 3)
    labels = torch.tensor([0, 0, 1, 1, 0])
    leaf = vectors.clone().requires_grad_()
    InfoNCELoss(0.3)(leaf, labels, others).backward()
    step = 1e-5
    for row, column in ((0, 0), (3, 2), (4, 1)):
        moved = []
        for sign in (1, -1):
            shifted = vectors.double()
            shifted[row, column] += sign * step
            moved.append(reference(shifted, labels.tolist(), others, 0.3))
        slope = (moved[0] - moved[1]) / (2 * step)
        assert float(leaf.grad[row, column]) == pytest.approx(slope, rel=1e-3, abs=1e-5)


def test_float32_under_autocast():
    torch.manual_seed(0)
    vectors, labels = torch.randn(6, 16), torch.tensor([0, 0, 1, 1, 2, 2])
    expected = InfoNCELoss()(vectors, labels)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        assert torch.equal(InfoNCELoss()(vectors, labels), expected)
        assert InfoNCELoss()(vectors.bfloat16(), labels).dtype == torch.float32


def test_bad_temperature():
    with pytest.raises(ValueError, match='temperature must be positive, got 0'):
        InfoNCELoss(0)
