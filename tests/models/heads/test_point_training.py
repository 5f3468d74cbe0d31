"""How all point heads learn: targets, weights of the losses."""
import pytest
import torch
from head_batteries import (
    CLASSES,
    RANGES,
    VIDEOS,
    build_head,
    loss_of,
    make_pyramid,
    make_samples,
    make_tables,
    raw_outputs,
)
from head_loops import diou_loss, focal, iou, plain, positives, sums, varifocal

LENGTHS = [steps for steps, _, _ in VIDEOS]


@pytest.mark.parametrize('seen', [None, [60] * len(LENGTHS)])
def test_targets(seen):
    """Of every video, at valid points only."""
    head = build_head(type='ActionFormerHead')
    outs, samples = head(make_tables(LENGTHS, seen)), make_samples()
    targets = head.get_targets(outs, samples)
    found = positives(make_pyramid(LENGTHS)[1], RANGES, samples)
    expected = {(video, level, step, label): target for video, points in enumerate(found)
                for (level, step), (classes, target) in points.items() for label in classes}
    layout, (row, label) = outs.layout, targets.pairs
    got = dict(zip(zip(*(x.tolist() for x in (layout.video[row], layout.level[row],
                                              layout.step[row], label))),
                   targets.distance.tolist()))
    assert got.keys() == expected.keys() and len(row) == len(got)
    for pair, target in expected.items():
        assert got[pair] == pytest.approx(target, abs=1e-5)
    assert targets.num_points == sum(len(points) for points in found) < len(got)


@pytest.mark.parametrize('seen', [None, [40, 40]])
def test_actions_in_the_padding_have_no_point(seen):
    """An annotation beyond the features trains nothing, whatever the padding."""
    videos = [(20, [(24., 30.)], [0]), (40, [(1., 6.)], [1])]
    head = build_head(type='ActionFormerHead')
    outs = head(make_tables([20, 40], seen))
    targets = head.get_targets(outs, make_samples(videos))
    assert set(outs.layout.video[targets.pairs.row].tolist()) == {1}


@pytest.mark.parametrize('weight', [None, 0.5, 3.])
def test_weight_of_the_regression(weight):
    """None balances it to the size of the classification loss, without gradient through it."""
    losses = loss_of(build_head(type='ActionFormerHead', reg_weight=weight))
    plain_losses = loss_of(build_head(type='ActionFormerHead'))
    cls, reg = plain_losses['loss_cls'].item(), plain_losses['loss_reg'].item()
    assert losses['loss_cls'].item() == cls
    factor = weight or cls / max(reg, 0.01)
    assert losses['loss_reg'].item() == pytest.approx(factor * reg, rel=1e-5)


def test_balanced_regression_has_the_slope_of_a_constant_weight():
    balanced, constant = (build_head(type='ActionFormerHead', reg_weight=w) for w in (None, 1.))
    losses = [loss_of(head) for head in (balanced, constant)]
    for value in losses:
        value['loss_reg'].backward()
    factor = losses[0]['loss_reg'].item() / losses[1]['loss_reg'].item()
    a, b = (head.reg_tower.out.conv.weight.grad for head in (balanced, constant))
    assert torch.allclose(a, b * factor, rtol=1e-4, atol=1e-9)


def test_negatives_of_their_own():
    """Over N_neg, with the IoU as the target of positives; N_pos stays the running number."""
    head = build_head(type='ActionFormerHead', balance_negatives=True, iou_targets=True,
                      loss_cls=dict(type='TALVarifocalLoss', alpha=0.5))
    exact = raw_outputs(head)
    losses = loss_of(head)
    total = sums(exact, positives(exact['masks'], RANGES, make_samples()), RANGES, plain,
                 varifocal(0.5), diou_loss, iou_targets=True, per_class=False)
    expected = total['pos'] / (90 + 0.1 * total['num_pos']) + total['neg'] / total['num_neg']
    assert losses['loss_cls'].item() == pytest.approx(expected.item(), rel=1e-5)


def test_weights_of_points():
    """As action sensitivity gives them: one for all classes of a point, one for regression."""
    head = build_head(type='ActionFormerHead')
    outs = head(make_tables(LENGTHS))
    targets = head.get_targets(outs, make_samples())
    head.normalizer.momentum = 1.  # both calls divide by the same number
    once = head.loss_by_targets(outs, targets)
    weights = torch.ones(outs.layout.num_rows, 2)
    same = head.loss_by_targets(outs, targets, weights)
    assert same['loss_cls'] == once['loss_cls'] and same['loss_reg'] == once['loss_reg']
    weights[targets.pairs.row] = torch.tensor([0., 3.])
    other = head.loss_by_targets(outs, targets, weights)
    assert other['loss_reg'].item() == pytest.approx(3 * once['loss_reg'].item(), rel=1e-5)
    exact = raw_outputs(head)
    found = positives(exact['masks'], RANGES, make_samples())
    # nothing is left of positive points, the classes that they do not have included
    terms = 0.
    for video, points in enumerate(found):
        for (level, step), (classes, target) in points.items():
            row = exact['cls_logits'][level][video, :, step]
            terms += sum(focal(row[c], torch.tensor(float(c in classes)).double())
                         for c in range(CLASSES))
            assert 0 <= iou(exact['distances'][level][video, :, step], target) <= 1
    assert (once['loss_cls'] - other['loss_cls']).item() == pytest.approx(
        terms.item() / 100, rel=1e-4)


def test_iou_of_zero_weighs_zero():
    """Where both distances are 0 the power has no slope to go down."""
    head = build_head(type='TridentHead', iou_power=0.25, detach_iou=False)
    outs = head(make_tables(LENGTHS))
    targets = head.get_targets(outs, make_samples())
    logits, one = outs.cls_logits.detach(), torch.ones(())
    distances = torch.zeros(len(targets.pairs.row), 2, requires_grad=True)
    loss_cls, loss_reg = head.losses_of(outs.layout, logits, distances, targets, one)
    (loss_cls + loss_reg).backward()
    assert torch.isfinite(distances.grad).all()
    positive, _ = head.losses_of(outs.layout, logits, distances.detach() + 1., targets, one)
    assert loss_cls < positive


@pytest.mark.parametrize('detach', [True, False])
def test_who_learns_from_the_iou_factor(detach):
    """Boundaries do only where the published code's weights ask for it."""
    head = build_head(type='TridentHead', iou_power=0.25, detach_iou=detach)
    loss_of(head)['loss_cls'].backward()
    grad = head.center_tower.out.conv.weight.grad
    assert (grad is None or not grad.any()) == detach


@pytest.mark.parametrize('label', [3, -1])
def test_unknown_label_names_the_video(label):
    with pytest.raises(ValueError, match=rf'video video_30 has labels \[{label}\], but '
                                         'num_classes is 3'):
        loss_of(build_head(type='ActionFormerHead'), [(30, [(3., 8.)], [label])])
