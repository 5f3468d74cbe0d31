"""IoU losses of segments against their definitions on (start, end), pair by pair."""
import pytest
import torch

from cltdr_mm.models.losses import DIoU1DLoss, GIoU1DLoss, IoU1DLoss, distance_iou


def as_segment(distances, point=1000.):
    """(left, right) of a point as (start, end), float64."""
    left, right = (float(x) for x in distances)
    return point - left, point + right


def measures(a, b):
    """IoU, union, hull and distance of the centres of two segments."""
    shared = max(0., min(a[1], b[1]) - max(a[0], b[0]))
    union = (a[1] - a[0]) + (b[1] - b[0]) - shared
    hull = max(a[1], b[1]) - min(a[0], b[0])
    shift = (a[0] + a[1]) / 2 - (b[0] + b[1]) / 2
    return (shared / union if union else 0.), union, hull, shift


def reference(kind, pred, target):
    """Each loss by its definition."""
    iou, union, hull, shift = measures(as_segment(pred), as_segment(target))
    extra = {IoU1DLoss: 0., GIoU1DLoss: (hull - union) / hull,
             DIoU1DLoss: (shift / hull)**2}[kind]
    return 1 - iou + extra


@pytest.fixture
def pairs():
    """Segments around a point, some of them empty on one side, some equal."""
    generator = torch.Generator().manual_seed(0)
    pred, target = torch.rand(2, 40, 2, generator=generator) * 20
    pred[:4, 0] = 0
    target[2:6, 1] = 0
    pred[6:9] = target[6:9]
    return pred, target


@pytest.mark.parametrize('kind', [IoU1DLoss, GIoU1DLoss, DIoU1DLoss])
def test_definition(kind, pairs):
    got = kind()(*pairs)
    expected = [reference(kind, *pair) for pair in zip(*pairs)]
    assert got.tolist() == pytest.approx(expected, abs=2e-6)
    assert got[6:9].tolist() == pytest.approx([0, 0, 0], abs=1e-6)


def test_iou(pairs):
    expected = [measures(as_segment(a), as_segment(b))[0] for a, b in zip(*pairs)]
    assert distance_iou(*pairs).tolist() == pytest.approx(expected, abs=1e-6)
    assert distance_iou(pairs[0][:, None], pairs[1]).shape == (40, 40)


def test_by_hand():
    """A segment of length 4 within one of length 8, centres 1 apart."""
    pred, target = torch.tensor([[2., 2.]]), torch.tensor([[3., 5.]])
    assert IoU1DLoss()(pred, target).item() == pytest.approx(0.5)
    assert GIoU1DLoss()(pred, target).item() == pytest.approx(0.5)
    assert DIoU1DLoss()(pred, target).item() == pytest.approx(0.5 + 1 / 64)


def test_segments_that_do_not_meet():
    """Only outside their own segments, where distances are negative, does GIoU see a gap."""
    pred, target = torch.tensor([[-3., 5.]]), torch.tensor([[1., 1.]])  # (3, 5) and (-1, 1)
    assert IoU1DLoss()(pred, target).item() == pytest.approx(1.)
    assert GIoU1DLoss()(pred, target).item() == pytest.approx(1 + 2 / 6)


@pytest.mark.parametrize('kind', [IoU1DLoss, GIoU1DLoss, DIoU1DLoss])
def test_empty_segments_have_finite_losses_and_gradients(kind):
    pred = torch.zeros(2, 2, requires_grad=True)
    loss = kind()(pred, torch.tensor([[0., 0.], [1., 2.]]))
    assert loss[1] >= 1
    loss.sum().backward()
    assert torch.isfinite(loss).all() and torch.isfinite(pred.grad).all()


@pytest.mark.parametrize('kind', [IoU1DLoss, GIoU1DLoss, DIoU1DLoss])
def test_gradients(kind, pairs):
    """By central differences."""
    pred, target = pairs[0][10:14].clone().requires_grad_(), pairs[1][10:14]
    kind()(pred, target).sum().backward()
    for row in range(4):
        for side in (0, 1):
            ends = []
            for shift in (1e-4, -1e-4):
                moved = pred[row].detach().double()
                moved[side] += shift
                ends.append(reference(kind, moved, target[row]))
            slope = (ends[0] - ends[1]) / 2e-4
            assert float(pred.grad[row, side]) == pytest.approx(slope, rel=1e-3, abs=1e-5)
