"""Action sensitivity learning: evaluators, zones and losses against loops in float64."""
import math

import pytest
import torch
from batteries import randomise
from head_batteries import CLASSES, RANGES, WIDTH, make_pyramid, make_samples, make_tables, total
from mmaction.registry import MODELS

from cltdr_mm.engine.checkpoint_fit import check_fit
from cltdr_mm.engine.optim.param_groups import takes_weight_decay
from cltdr_mm.models.heads.asl_sensitivity import ClassSensitivity, relative_position
from cltdr_mm.models.heads.asl_zones import action_zones, zone_features
from cltdr_mm.models.parts import pack_pyramid
from cltdr_mm.structures import stack_rows
from cltdr_mm.utils import TALDataError

HEADS = dict(
    actionformer=dict(type='ActionFormerHead'), trident=dict(type='TridentHead', num_bins=3),
    cltdr=dict(type='CLTDRHead', num_bins=3), clff=dict(type='CLFFHead', num_bins=3))
VIDEOS = [(21, [[2.2, 6.9], [3., 18.], [10., 13.], [8., 17.5]], [0, 1, 1, 2]),
          (12, [[1., 9.6], [1., 9.6]], [0, 2])]  # points of two classes
LENGTHS = [21, 12]


def build(kind='actionformer', **kwargs):
    torch.manual_seed(0)
    head = dict(num_classes=CLASSES, in_channels=WIDTH, regression_ranges=RANGES, **HEADS[kind])
    return MODELS.build(dict(type='ASLHead', head=head, **kwargs))


def test_position_in_an_action():
    distance = torch.tensor([[0., 4.], [4., 0.], [2., 2.], [1., 3.], [0., 0.]])
    assert relative_position(distance).tolist() == [-0.5, 0.5, 0., -0.25, 0.]


@pytest.mark.parametrize('learned', [True, False])
def test_gaussians_start_as_the_method_says(learned):
    evaluator = ClassSensitivity(2, learned)
    p_cls, p_loc = evaluator(torch.tensor([-0.5, 0., 0.25]), torch.tensor([0, 1, 0])).unbind(1)
    for index, d in enumerate((-0.5, 0., 0.25)):
        assert p_cls[index].item() == pytest.approx(math.exp(-d**2 / 2))
        assert p_loc[index].item() == pytest.approx(
            math.exp(-(d + 0.5)**2 / 2) + math.exp(-(d - 0.5)**2 / 2))


def test_gaussians_learn_where_and_not_how_much():
    evaluator = ClassSensitivity(3)
    assert not any(takes_weight_decay(evaluator, name, param)
                   for name, param in evaluator.named_parameters())
    label = torch.tensor([0, 0, 0, 1])
    position = torch.tensor([-0.4, 0., 0.4, 0.2])
    p_cls = evaluator(position, label)[:, 0]
    # the same loss everywhere: nothing to gain by moving
    p_cls.sum().backward()
    assert evaluator.cls_center.grad.abs().max() < 1e-6
    assert evaluator.cls_width.grad.abs().max() < 1e-6
    evaluator.zero_grad()
    p_cls = evaluator(position, label)[:, 0]
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
    """ActionFormer's focal and DIoU terms, weighed point by point; q's error; the contrast."""
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
    weights, regression, error = {}, {}, 0.
    gaussians = asl.class_sensitivity
    pairs = list(zip(targets.pairs.row.tolist(), targets.pairs.label.tolist()))
    count = len({row for row, _ in pairs})
    assert len(pairs) > count > 10 and {c for _, c in pairs} == {0, 1, 2}
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
        weights.setdefault(row, []).append((p_cls + q_cls, p_loc + q_loc))
        regression[row] = 1 - iou + shift**2  # the same for all classes of a point
        error += (q_cls - sigmoid(float(logits[row, c])))**2 + (q_loc - iou)**2
    weights = {row: [sum(h) / len(of_row) for h in zip(*of_row)]
               for row, of_row in weights.items()}
    classification = 0.
    for row in layout.valid_rows.tolist():
        of_row = 0.
        for k in range(CLASSES):
            prob = sigmoid(float(logits[row, k]))
            if (row, k) in pairs:
                of_row -= 0.25 * (1 - prob)**2 * math.log(prob)
            else:
                of_row -= 0.75 * prob**2 * math.log(1 - prob)
        classification += of_row * (weights[row][0] if row in weights else 1)
    assert float(losses['loss_cls']) == pytest.approx(classification / count, rel=1e-4)
    assert float(losses['loss_reg']) == pytest.approx(
        sum(weights[row][1] * value for row, value in regression.items()) / count, rel=1e-4)
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


def focal(logit, target):
    p = sigmoid(logit)
    return -0.25 * (1 - p)**2 * math.log(p) if target else -0.75 * p**2 * math.log(1 - p)


def test_a_point_weighs_its_whole_row():
    """One video of four steps, one action of class 1; worked out by hand."""
    asl = MODELS.build(dict(
        type='ASLHead', contrast_weight=0., instance_level=False,
        head=dict(type='ActionFormerHead', num_classes=2, in_channels=1, kernel_size=1,
                  regression_ranges=[(0, 10000)], normalizer=dict(momentum=0.))))
    with torch.no_grad():
        for param in asl.head.parameters():
            param.zero_()
        asl.head.cls_tower.out.conv.bias.copy_(torch.tensor([0.5, -1.]))
        asl.head.scales[0].scale.fill_(1.)
        asl.head.reg_tower.out.conv.bias.fill_(1.)
    table = pack_pyramid([torch.zeros(1, 1, 4)], [torch.ones(1, 4, dtype=torch.bool)])
    losses = asl.loss(table, None, make_samples([(4, [[0.5, 2.5]], [1])]))
    # steps 1 and 2 lie in it, a quarter of its length before and after its centre
    p_cls = math.exp(-0.25**2 / 2)
    p_loc = math.exp(-0.25**2 / 2) + math.exp(-0.75**2 / 2)
    background = focal(0.5, False) + focal(-1., False)
    positive = focal(0.5, False) + focal(-1., True)
    assert losses['num_pos'] == 2
    assert float(losses['loss_cls']) == pytest.approx(
        (2 * p_cls * positive + 2 * background) / 2, rel=1e-5)
    # one step to either side is predicted: 1.5 of 2.5 steps are shared, centres half a step apart
    diou = 1 - 1.5 / 2.5 + (0.5 / 2.5)**2
    assert float(losses['loss_reg']) == pytest.approx(p_loc * diou, rel=1e-5)


# the switches

def run(model, videos=VIDEOS):
    """Losses and gradients of one step."""
    tables = make_tables(LENGTHS)
    for table in tables:
        table.rows.requires_grad_()
    losses = model.loss(tables, None, make_samples(videos))
    total(losses).backward()
    grads = {name.removeprefix('head.'): param.grad for name, param in model.named_parameters()}
    return losses, {**grads, **{f'level {i}': x.rows.grad for i, x in enumerate(tables)}}


ALL_OFF = dict(class_level=None, instance_level=False, contrast_weight=0.)


@pytest.mark.parametrize('kind', HEADS)
def test_all_off_is_the_plain_head(kind):
    """To the last bit: losses, gradients and the state dict's tensors."""
    asl = randomise(build(kind, **ALL_OFF))
    plain = MODELS.build(dict(num_classes=CLASSES, in_channels=WIDTH, regression_ranges=RANGES,
                              **HEADS[kind]))
    plain.load_state_dict({name.removeprefix('head.'): value
                           for name, value in asl.state_dict().items()}, strict=True)
    ours, theirs = run(asl), run(plain)
    for a, b in zip(ours, theirs):
        assert a.keys() == b.keys()
        assert all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize('options, absent', [
    (dict(class_level=None), 'class_sensitivity'),
    (dict(instance_level=False), 'instance_sensitivity'), (dict(contrast_weight=0.), None)])
@pytest.mark.parametrize('kind', HEADS)
def test_a_part_that_is_off_contributes_nothing(kind, options, absent):
    """It is not there, and the other parts do what they do with it."""
    full, asl = randomise(build(kind)), build(kind, **options)
    weights = full.state_dict()
    assert any(absent and name.startswith(absent) for name in weights) == bool(absent)
    asl.load_state_dict({name: value for name, value in weights.items()
                         if not (absent and name.startswith(absent))}, strict=True)
    losses, grads = run(asl)
    expected, _ = run(full)
    gone = {'class_sensitivity': set(), 'instance_sensitivity': {'loss_sensitivity'},
            None: {'loss_contrast'}}[absent]
    assert set(losses) == set(expected) - gone
    assert all(grad is not None and grad.isfinite().all() for grad in grads.values())
    changed = {name for name in losses if not torch.equal(losses[name], expected[name])}
    wanted = {'loss_cls', 'loss_reg'} if absent else set()
    if absent == 'class_sensitivity':  # the zone of f_cls moves to the centre
        wanted.add('loss_contrast')
    assert changed == wanted


def test_what_is_left_without_a_level():
    """h is q alone, p alone, or 1."""
    def losses_of(**options):
        asl = randomise(build(contrast_weight=0., **options))
        asl.head.normalizer.momentum = 1.
        with torch.no_grad():
            if asl.class_sensitivity is not None:  # p_cls is 1 everywhere, p_loc 2
                for name, value in asl.class_sensitivity.state_dict().items():
                    value.fill_(0. if name.endswith('center') else 1e6)
            if asl.instance_sensitivity is not None:  # q_cls is 3/4, q_loc 1/4
                asl.instance_sensitivity.fc.weight.zero_()
                asl.instance_sensitivity.fc.bias.copy_(torch.tensor([3.0, 1 / 3]).log())
        return asl.loss(make_tables(LENGTHS), None, make_samples(VIDEOS))

    plain = losses_of(class_level=None, instance_level=False)
    p, q, both = losses_of(instance_level=False), losses_of(class_level=None), losses_of()
    regression = float(plain['loss_reg'])
    for losses, h_loc in ((p, 2.), (q, 0.25), (both, 2.25)):
        assert float(losses['loss_reg']) == pytest.approx(h_loc * regression, rel=1e-4)
    # the share of positive points, from the weights 1 and 3/4
    positive = 4 * (float(p['loss_cls']) - float(q['loss_cls']))
    assert float(p['loss_cls']) == pytest.approx(float(plain['loss_cls']), rel=1e-5)
    assert float(both['loss_cls']) == pytest.approx(
        float(plain['loss_cls']) + 0.75 * positive, rel=1e-4)


def test_fixed_gaussians_get_no_gradient():
    fixed, learned = build(class_level='fixed'), build(class_level='learned')
    assert fixed.state_dict().keys() == learned.state_dict().keys()
    names = {name for name in fixed.state_dict() if name.startswith('class_sensitivity')}
    assert len(names) == 4 and names <= {name for name, _ in learned.named_parameters()}
    assert not names & {name for name, _ in fixed.named_parameters()}
    before = {name: fixed.state_dict()[name].clone() for name in names}
    (ours, grads), (theirs, all_grads) = run(fixed), run(learned)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert all(torch.equal(grads[name], all_grads[name]) for name in grads)
    assert set(all_grads) - set(grads) == names and not any(
        value.requires_grad for value in fixed.class_sensitivity.buffers())
    torch.optim.SGD(fixed.parameters(), 1.).step()
    assert all(torch.equal(fixed.state_dict()[name], before[name]) for name in names)


def test_centre_without_class_level():
    """The zone of f_cls lies where Gaussians start."""
    label = torch.tensor([2, 0])
    assert build(class_level=None).most_sensitive(label).tolist() == [0., 0.]
    asl = build()
    assert asl.most_sensitive(label).tolist() == [0., 0.]
    with torch.no_grad():
        asl.class_sensitivity.cls_center[2] = -0.3
    assert asl.most_sensitive(label).tolist() == pytest.approx([-0.3, 0.])


#: What ASLHead added to the state dict of its head in version 0.2.0.
EARLIER = dict.fromkeys((
    'class_sensitivity.cls_center', 'class_sensitivity.cls_width', 'class_sensitivity.loc_center',
    'class_sensitivity.loc_width', 'instance_sensitivity.conv.conv.weight',
    'instance_sensitivity.conv.conv.bias', 'instance_sensitivity.fc.weight',
    'instance_sensitivity.fc.bias'))


def test_checkpoints_of_an_earlier_version_load():
    asl = build()
    own = {f'head.{name}' for name in asl.head.state_dict()}
    assert asl.state_dict().keys() - own == EARLIER.keys()
    earlier = {name: torch.randn(value.shape) if value.is_floating_point() else value
               for name, value in asl.state_dict().items()}
    check_fit(dict(state_dict=earlier), asl, 'asl.pth')
    asl.load_state_dict(earlier, strict=True)
    # and one whose parts are not those of the config is refused in one line
    with pytest.raises(TALDataError, match=r'asl.pth.*left over: class_sensitivity \('):
        check_fit(dict(state_dict=earlier), build(class_level=None), 'asl.pth')


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


@pytest.mark.parametrize('options, message', [
    (dict(class_level='fix'), "class_level must be 'learned', 'fixed' or None, got 'fix'"),
    (dict(class_level=True), 'class_level must be'),
    (dict(contrast_weight=-0.1), 'contrast_weight must be 0 or more, got -0.1'),
    (dict(sensitivity_weight=float('nan')), 'sensitivity_weight must be 0 or more, got nan')])
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=f'ASLHead: {message}'):
        build(**options)


def test_shapes_go_on_to_the_wrapped_head():
    head = dict(type='ActionFormerHead', num_classes=2)
    asl = MODELS.build(dict(type='ASLHead', head=head, in_channels=8, num_levels=4))
    assert asl.head.in_channels == 8 and asl.num_levels == 4
    with pytest.raises(ValueError, match='in_channels=8 is written, but .* give 16'):
        MODELS.build(dict(type='ASLHead', head=dict(head, in_channels=8), in_channels=16,
                          num_levels=4))
