"""Action sensitivity learning: evaluators, zones and losses against loops in float64."""
import math

import pytest
import torch
from batteries import randomise
from head_batteries import CLASSES, RANGES, WIDTH, make_pyramid, make_samples, make_tables, total
from mmaction.registry import MODELS

from cltdr_mm.engine.optim.param_groups import takes_weight_decay
from cltdr_mm.models.heads.asl_sensitivity import ClassSensitivity, relative_position
from cltdr_mm.models.heads.asl_zones import action_zones, zone_features
from cltdr_mm.structures import stack_rows

HEADS = dict(
    actionformer=dict(type='ActionFormerHead'), trident=dict(type='TridentHead', num_bins=3),
    cltdr=dict(type='CLTDRHead', num_bins=3), clff=dict(type='CLFFHead', num_bins=3))
VIDEOS = [(21, [[2.2, 6.9], [3., 18.], [10., 13.], [8., 17.5]], [0, 1, 1, 2]),
          (12, [[1., 9.6]], [0])]
LENGTHS = [21, 12]


def build(kind='actionformer', **kwargs):
    torch.manual_seed(0)
    head = dict(num_classes=CLASSES, in_channels=WIDTH, regression_ranges=RANGES, **HEADS[kind])
    return MODELS.build(dict(type='ASLHead', head=head, **kwargs))


def test_position_in_an_action():
    distance = torch.tensor([[0., 4.], [4., 0.], [2., 2.], [1., 3.], [0., 0.]])
    assert relative_position(distance).tolist() == [-0.5, 0.5, 0., -0.25, 0.]


def test_gaussians_start_as_the_method_says():
    p_cls, p_loc = ClassSensitivity(2)(torch.tensor([-0.5, 0., 0.25]), torch.tensor([0, 1, 0]))
    for index, d in enumerate((-0.5, 0., 0.25)):
        assert p_cls[index].item() == pytest.approx(math.exp(-d**2 / 2))
        assert p_loc[index].item() == pytest.approx(
            math.exp(-(d + 0.5)**2 / 2) + math.exp(-(d - 0.5)**2 / 2))


def test_gaussians_learn_where_and_not_how_much():
    evaluator = ClassSensitivity(3)
    assert not any(takes_weight_decay(evaluator, name, param)
                   for name, param in evaluator.named_parameters())
    label = torch.tensor([0, 0, 0, 1])
    p_cls, _ = evaluator(torch.tensor([-0.4, 0., 0.4, 0.2]), label)
    # the same loss everywhere: nothing to gain by moving
    p_cls.sum().backward()
    assert evaluator.cls_center.grad.abs().max() < 1e-6
    assert evaluator.cls_width.grad.abs().max() < 1e-6
    evaluator.zero_grad()
    p_cls, _ = evaluator(torch.tensor([-0.4, 0., 0.4, 0.2]), label)
    (p_cls * torch.tensor([1., 1., 3., 5.])).sum().backward()
    # class 0 is hard near its end: its centre goes the other way; class 1 has one pair only
    assert evaluator.cls_center.grad[0] > 0.01
    assert evaluator.cls_center.grad[1:].abs().max() < 1e-6


def test_zones():
    zones = action_zones(torch.tensor([[10., 20.], [0., 40.]]), torch.tensor([0., -0.5]), 0.2)
    assert zones.cls.tolist() == [[13., 17.], [0., 8.]]
    assert zones.start.tolist() == [[10., 12.], [0., 8.]]
    assert zones.end.tolist() == [[18., 20.], [32., 40.]]
    assert zones.before.tolist() == [[8., 10.], [-8., 0.]]
    assert zones.after.tolist() == [[20., 22.], [40., 48.]]


def zone_reference(feats, segments, positions, delta):
    """f_cls, f_loc and f_bg of one video (T, C), step by step."""
    length = len(feats)

    def mean(chosen):
        return [sum(float(feats[t, c]) for t in chosen) / len(chosen)
                for c in range(feats.shape[1])]

    f_cls, f_loc, f_bg = [], [], []
    for (start, end), position in zip(segments, positions):
        reach, middle = delta * (end - start), (start + end) / 2 + position * (end - start)
        parts = []
        for low, high in ((max(middle - reach, start), min(middle + reach, end)),
                          (start, start + reach), (end - reach, end)):
            chosen = [t for t in range(length) if low <= t <= high]
            parts.append(mean(chosen or [min(max(round((low + high) / 2), 0), length - 1)]))
        f_cls.append(parts[0])
        f_loc.append([(a + b) / 2 for a, b in zip(*parts[1:])])
        outside = [t for t in range(length) if start - reach <= t <= end + reach
                   and all(not s <= t <= e for s, e in segments)]
        if outside:
            f_bg.append(mean(outside))
    return f_cls, f_loc, f_bg


@pytest.mark.parametrize('segments', [
    [(10., 20.)], [(2.2, 6.9), (3., 18.), (17.9, 25.)], [(-4.5, 3.2), (27., 36.)],
    [(4.3, 4.6), (8.4, 9.3)], [(0., 29.)]])
def test_zone_features_are_their_definition(segments):
    torch.manual_seed(1)
    feats = torch.randn(30, 5)
    positions = torch.linspace(-0.5, 0.4, len(segments))
    tensor = torch.tensor(segments)
    got = zone_features(feats, tensor, action_zones(tensor, positions, 0.2))
    expected = zone_reference(feats, segments, positions.tolist(), 0.2)
    for ours, theirs in zip(got, expected):
        assert ours.shape == (len(theirs), 5)
        assert torch.allclose(ours, torch.tensor(theirs).reshape(-1, 5), atol=1e-5)


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def gaussian(x, center, width):
    return math.exp(-(x - center)**2 / (2 * max(width**2, 0.01)))


def test_losses_are_their_definition():
    """ActionFormer's focal and DIoU terms, weighed pair by pair; q's error; the contrast."""
    asl = build()
    asl.head.normalizer.momentum = 0.
    randomise(asl)
    with torch.no_grad():
        for scale in asl.head.scales:
            scale.scale.abs_()
        asl.head.reg_tower.out.conv.bias.add_(2)
    tables, samples = make_tables(LENGTHS), make_samples(VIDEOS)
    losses = asl.loss(tables, None, samples)
    outs = asl(tables)
    targets = asl.head.get_targets(outs, samples)
    logits, layout = outs.cls_logits, outs.layout
    distances = outs.at('distances', targets.pairs.row)
    features = stack_rows(tables).rows
    q_logits = asl.instance_sensitivity(features, layout)
    cls_weight, regression, error = {}, 0., 0.
    gaussians = asl.class_sensitivity
    pairs = list(zip(targets.pairs.row.tolist(), targets.pairs.label.tolist()))
    assert len(pairs) > 10 and {c for _, c in pairs} == {0, 1, 2}
    for (row, c), (l1, r1), (l2, r2) in zip(pairs, distances.tolist(),
                                            targets.distance.tolist()):
        d = 0.5 * (l2 - r2) / (l2 + r2)
        p_cls = gaussian(d, float(gaussians.cls_center[c]), float(gaussians.cls_width[c]))
        p_loc = sum(gaussian(d, float(gaussians.loc_center[c, i]),
                             float(gaussians.loc_width[c, i])) for i in range(2))
        q_cls, q_loc = (sigmoid(x) for x in q_logits[row].tolist())
        shared = min(l1, l2) + min(r1, r2)
        iou = shared / (l1 + r1 + l2 + r2 - shared)
        shift = 0.5 * ((r1 - l1) - (r2 - l2)) / (max(l1, l2) + max(r1, r2))
        cls_weight[row, c] = p_cls + q_cls
        regression += (p_loc + q_loc) * (1 - iou + shift**2)
        error += (q_cls - sigmoid(float(logits[row, c])))**2 + (q_loc - iou)**2
    classification = 0.
    for row in layout.valid_rows.tolist():
        for k in range(CLASSES):
            prob = sigmoid(float(logits[row, k]))
            if (row, k) in cls_weight:
                classification -= 0.25 * (1 - prob)**2 * math.log(prob) * cls_weight[row, k]
            else:
                classification -= 0.75 * prob**2 * math.log(1 - prob)
    count = len({row for row, _ in pairs})
    assert float(losses['loss_cls']) == pytest.approx(classification / count, rel=1e-4)
    assert float(losses['loss_reg']) == pytest.approx(regression / count, rel=1e-4)
    assert float(losses['loss_sensitivity']) == pytest.approx(error / len(pairs), rel=1e-4)

    vectors, labels, background = [], [], []
    finest = make_pyramid(LENGTHS)[0][0]
    for row, (length, segments, classes) in enumerate(VIDEOS):
        positions = [min(max(float(gaussians.cls_center[c]), -.5), .5) for c in classes]
        parts = zone_reference(finest[row, :, :length].t(), segments, positions, 0.2)
        vectors += parts[0] + parts[1]
        labels += classes + classes
        background += parts[2]
    contrast = asl.loss_contrast(torch.tensor(vectors), torch.tensor(labels),
                                 torch.tensor(background))
    assert float(losses['loss_contrast']) == pytest.approx(0.3 * float(contrast), rel=1e-4)


@pytest.mark.parametrize('kind', HEADS)
def test_inference_is_that_of_the_wrapped_head(kind):
    asl = randomise(build(kind)).eval()
    tables, samples = make_tables(LENGTHS), make_samples(VIDEOS)
    assert (asl.num_levels, asl.num_classes) == (3, CLASSES)
    for ours, theirs in zip(asl.predict(tables, None, samples),
                            asl.head.predict(tables, None, samples)):
        assert len(ours) > 0
        for key in ('segments', 'scores', 'labels'):
            assert torch.equal(ours[key], theirs[key])
    feats, masks = make_pyramid(LENGTHS)
    assert set(asl(feats, masks)) == set(asl.head(feats, masks))


def test_evaluators_learn_from_their_own_targets():
    asl = randomise(build())
    with torch.no_grad():
        asl.head.reg_tower.out.conv.bias.add_(2)
    instance, head = asl.instance_sensitivity, asl.head

    def backward(*names):
        asl.zero_grad()
        losses = asl.loss(make_tables(LENGTHS), None, make_samples(VIDEOS))
        sum(losses[name] for name in names).backward()

    # q weighs the losses without gradient, and its targets have none
    backward('loss_cls', 'loss_reg')
    assert instance.fc.weight.grad is None and head.cls_tower.out.conv.weight.grad.any()
    assert asl.class_sensitivity.loc_center.grad.any()
    backward('loss_sensitivity')
    assert instance.fc.weight.grad.any() and head.cls_tower.out.conv.weight.grad is None


def test_instance_sensitivity_approaches_its_target():
    asl = build()
    tables = make_tables(LENGTHS)
    outs = asl(tables)
    targets = asl.head.get_targets(outs, make_samples(VIDEOS))
    quality = asl.quality(outs, targets)
    table = stack_rows(tables)
    optimizer = torch.optim.Adam(asl.instance_sensitivity.parameters(), lr=0.02)
    errors = []
    for _ in range(200):
        q = asl.instance_sensitivity(table.rows, table.layout)[targets.pairs.row].sigmoid()
        errors.append((q - quality).square().mean())
        optimizer.zero_grad()
        errors[-1].backward()
        optimizer.step()
    assert errors[-1] < 0.01 * errors[0]


def test_neighbours_do_not_count():
    """The losses of two videos together are those of both apart, each weighed by its pairs."""
    asl = randomise(build(contrast_weight=0.))
    asl.head.normalizer.momentum = 0.
    both = asl.loss(make_tables(LENGTHS), None, make_samples(VIDEOS))
    parts = [asl.loss(make_tables([video[0]]), None, make_samples([video])) for video in VIDEOS]
    counts = [float(part['num_pos']) for part in parts]
    for name in ('loss_cls', 'loss_reg'):
        mean = sum(n * float(part[name]) for n, part in zip(counts, parts)) / sum(counts)
        assert float(both[name]) == pytest.approx(mean, rel=1e-4)


def test_contrast_can_be_turned_off():
    losses = build(contrast_weight=0.).loss(make_tables(LENGTHS), None, make_samples(VIDEOS))
    assert set(losses) == {'loss_cls', 'loss_reg', 'num_pos', 'loss_sensitivity'}


def test_padding_may_hold_anything():
    """As published necks leave it: what ASL adds does not see it."""
    results = []
    videos = [(21, [[3., 12.], [17.5, 20.6]], [0, 1]), VIDEOS[1]]  # the last step is positive
    for value in (0., 50.):
        asl = randomise(build())
        tables = make_tables(LENGTHS, [24, 24])
        for table in tables:
            table.rows[table.layout.padding_rows] = value
        with torch.no_grad():
            for param in asl.head.parameters():
                param.zero_()  # the towers see it, as published ones do
        results.append(asl.loss(tables, None, make_samples(videos)))
    for name in ('loss_sensitivity', 'loss_contrast'):
        assert torch.equal(results[0][name], results[1][name]) and results[0][name] > 0


def test_one_action_and_none():
    asl = build()
    for videos in ([(21, [[2., 6.9]], [1]), (12, [], [])], [(21, [], []), (12, [], [])]):
        asl.zero_grad()
        losses = asl.loss(make_tables(LENGTHS), None, make_samples(videos))
        assert all(value.isfinite() for value in losses.values())
        total(losses).backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in asl.parameters())
    assert losses['loss_contrast'] == losses['loss_sensitivity'] == losses['loss_reg'] == 0


@pytest.mark.parametrize('delta', [0, 0.6, -1])
def test_bad_delta(delta):
    with pytest.raises(ValueError, match=r'delta must lie in \(0, 0.5\]'):
        build(delta=delta)


def test_shapes_go_on_to_the_wrapped_head():
    head = dict(type='ActionFormerHead', num_classes=2)
    asl = MODELS.build(dict(type='ASLHead', head=head, in_channels=8, num_levels=4))
    assert asl.head.in_channels == 8 and asl.num_levels == 4
    with pytest.raises(ValueError, match='in_channels=8 is written, but .* give 16'):
        MODELS.build(dict(type='ASLHead', head=dict(head, in_channels=8), in_channels=16,
                          num_levels=4))
