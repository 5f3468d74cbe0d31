"""CLFF-Head: fusion and loss against loops in float64, masks, gradients."""
import math

import pytest
import torch
from batteries import level_length, make_inputs, randomise
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.structures import InstanceData

WIDTH, CLASSES, BINS = 8, 2, 3
RANGES = [(0, 4), (4, 8), (8, 10000)]


def build(**kwargs):
    torch.manual_seed(0)
    return MODELS.build(dict(type='CLFFHead', num_classes=CLASSES, in_channels=WIDTH,
                             regression_ranges=RANGES, num_bins=BINS, **kwargs))


def make_pyramid(lengths, extra=0, dtype=torch.float64):
    """Random levels, zero at padding as necks leave them; a video is the same in every batch."""
    steps = max(lengths) + extra
    feats, masks = [], []
    for level in range(len(RANGES)):
        sizes = [level_length(n, level) for n in lengths]
        x, mask = make_inputs(sizes, WIDTH, level_length(steps, level), seed=level + 1,
                              dtype=dtype)
        feats.append(x)
        masks.append(mask)
    return feats, masks


def samples_of(*videos):
    samples = []
    for segments, labels in videos:
        sample = ActionDataSample(metainfo=dict(video_name='v'))
        sample.gt_instances = InstanceData(segments=torch.tensor(segments).reshape(-1, 2),
                                           labels=torch.tensor(labels, dtype=torch.int64))
        samples.append(sample)
    return samples


def test_fusion_is_its_definition():
    head = randomise(build()).double()
    feats, masks = make_pyramid([13, 6], extra=2)
    weight, bias = head.resample.conv.weight, head.resample.conv.bias
    w1, w2 = head.weight_own.scale.item(), head.weight_finer.scale.item()
    for level, fused in enumerate(head.fuse(feats, masks)):
        for b in range(2):
            for t in range(fused.shape[-1]):
                if not masks[level][b, t]:
                    assert not fused[b, :, t].any()
                    continue
                for c in range(WIDTH):
                    value = w1 * float(feats[level][b, c, t])
                    if level > 0:
                        finer = feats[level - 1][b, c]
                        taps = [(k, 2 * t + k - 1) for k in range(3)
                                if 0 <= 2 * t + k - 1 < len(finer)]
                        value += w2 * (float(bias[c]) + sum(
                            float(weight[c, 0, k]) * float(finer[s]) for k, s in taps))
                    assert float(fused[b, c, t]) == pytest.approx(value, abs=1e-10)


def test_only_the_centre_looks_at_the_finer_level():
    head = randomise(build()).double()
    feats, masks = make_pyramid([12])
    before = head(feats, masks)
    after = head([feats[0] + masks[0][:, None], *feats[1:]], masks)
    for name in ('cls_logits', 'starts', 'ends'):
        assert torch.equal(before[name][1], after[name][1])
    assert not torch.equal(before['centers'][1], after['centers'][1])
    # and only the next one
    assert torch.equal(before['centers'][2], after['centers'][2])


def test_a_video_is_alone_in_its_batch():
    head = randomise(build()).double().eval()
    lengths = [21, 12, 1]
    alone = [head(*make_pyramid([n])) for n in lengths]
    for extra in (0, 5):
        together = head(*make_pyramid(lengths, extra))
        for row, outs in enumerate(alone):
            for name, levels in outs.items():
                for level, expected in enumerate(levels):
                    got = together[name][level][row][..., :expected.shape[-1]]
                    assert torch.allclose(got.double(), expected[0].double(), atol=1e-9), name


def test_boundaries_start_as_the_paper_says_and_do_not_train_the_pyramid():
    head = build(feat_channels=64)
    for tower in (head.start_tower, head.end_tower):
        for module in tower.modules():
            if isinstance(module, torch.nn.Conv1d):
                assert float(module.weight.detach().std()) == pytest.approx(0.1, rel=0.15)
    assert float(head.weight_own.scale) == float(head.weight_finer.scale) == 1
    feats, masks = make_pyramid([12], dtype=torch.float32)
    feats = [x.requires_grad_() for x in feats]
    outs = head(feats, masks)
    sum(x.sum() for x in outs['starts'] + outs['ends']).backward()
    assert all(x.grad is None for x in feats)


def loss_reference(head, outs, targets):
    """LoGo eq. 7, point by point, the normaliser taken as the number of positives."""
    pairs = list(zip(targets.batch.tolist(), targets.point.tolist(), targets.label.tolist()))
    distance = head.decode(outs, targets.points, targets.batch, targets.point, targets.label)
    logits = torch.cat(outs['cls_logits'], dim=2).double()
    overlap, regression = {}, 0.
    for index, pair in enumerate(pairs):
        (l1, r1), (l2, r2) = distance[index].tolist(), targets.distance[index].tolist()
        shared = min(l1, l2) + min(r1, r2)
        union = l1 + r1 + l2 + r2 - shared
        hull = max(l1, l2) + max(r1, r2)
        overlap[pair] = shared / union
        regression += 1 - shared / union + (hull - union) / hull
    positive, negative, num_negative = 0., 0., 0
    of_class = {pair[:2] for pair in pairs}
    for b, p in targets.valid.nonzero().tolist():
        for k in range(CLASSES):
            prob = 1 / (1 + math.exp(-float(logits[b, k, p])))
            if (b, p, k) in overlap:
                term = -0.25 * (1 - prob)**2 * math.log(prob) * overlap[b, p, k]
            else:
                term = -0.75 * prob**2 * math.log(1 - prob)
            if (b, p) in of_class:
                positive += term
            else:
                negative += term
        num_negative += (b, p) not in of_class
    return positive / len(of_class) + negative / num_negative, regression / len(of_class)


def test_loss_is_equation_7():
    head = randomise(build(normalizer=dict(momentum=0.))).double()
    with torch.no_grad():
        for scale in head.scales:
            scale.scale.abs_()
    outs = head(*make_pyramid([21, 12], extra=3))
    targets = head.get_targets(outs, samples_of(
        ([[2.2, 6.9], [3., 18.], [10., 13.]], [0, 1, 1]), ([[1., 9.6]], [0])))
    assert len(targets.batch) > 8
    losses = head.loss_by_targets(outs, targets)
    loss_cls, loss_reg = loss_reference(head, outs, targets)
    assert float(losses['loss_cls']) == pytest.approx(loss_cls, rel=1e-5)
    assert float(losses['loss_reg']) == pytest.approx(loss_reg, rel=1e-5)


def test_the_iou_is_a_weight_and_no_aim():
    """Lowering the overlap of a badly classified point must not pay."""
    head = randomise(build()).double()
    outs = head(*make_pyramid([21]))
    targets = head.get_targets(outs, samples_of(([[2., 6.]], [0])))
    head.loss_by_targets(outs, targets)['loss_cls'].backward()
    assert head.center_tower.out.conv.weight.grad is None
    assert head.start_tower.out.conv.weight.grad is None


def test_there_is_no_release():
    with pytest.raises(ValueError, match='LoGo has no published code'):
        build(variant='release')
