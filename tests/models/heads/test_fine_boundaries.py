"""FineBoundaries: votes against loops, what it touches, and that it learns where boundaries are."""
import math

import pytest
import torch
from batteries import randomise
from head_batteries import (
    CLASSES,
    LEVELS,
    RANGES,
    VIDEOS,
    WIDTH,
    build_head,
    candidates_of,
    make_pyramid,
    make_samples,
    make_tables,
    total,
)
from mmaction.registry import MODELS

from cltdr_mm.engine.optim import takes_weight_decay
from cltdr_mm.models.heads import fine_boundaries
from cltdr_mm.models.task_modules import Pairs
from cltdr_mm.structures import Layout, PackedRows, stack_rows

PART = dict(type='FineBoundaries')
LENGTHS = [23, 9]


def build(**kwargs):
    torch.manual_seed(0)
    return MODELS.build(dict(PART, in_channels=WIDTH, num_classes=CLASSES, num_levels=LEVELS,
                             **kwargs))


def every_pair(layout):
    """All valid points with all classes."""
    rows = layout.valid_rows
    return Pairs(rows.repeat_interleave(CLASSES), torch.arange(CLASSES).repeat(len(rows)))


def some_distances(count):
    """From 0 to beyond both ends of the videos."""
    generator = torch.Generator().manual_seed(1)
    return 30 * torch.rand(count, 2, generator=generator)**2


def loop(part, evidence, layout, row, label, distances, target=None):
    """New distances of one pair, or the likelihood of the true ones."""
    level, video = int(layout.level[row]), int(layout.video[row])
    finest = next(i for i in range(len(layout))
                  if layout.videos[i] == video and layout.levels[i] == 0)
    point = int(layout.step[row]) * 2**level
    channels = evidence.shape[1] // 4
    moved, likelihood = [], 0.
    for side, sign in enumerate((-1, 1)):
        decoded = float(point + sign * distances[side])
        nearest = point + round(sign * float(distances[side]))
        width = float(part.log_width[level, side].exp())
        scale = float(part.log_scale[side].exp())
        channel = side * channels + (label if channels > 1 else 0)
        votes = []
        for step in range(nearest - part.reach, nearest + part.reach + 1):
            score = offset = 0.
            if 0 <= step < layout.lengths[finest]:
                values = evidence[layout.first[finest] + step]
                score, offset = float(values[channel]), float(values[channel + 2 * channels])
            votes.append((step + offset, math.exp(score - ((step - decoded) / width)**2 / 2)))
        mass = sum(weight for _, weight in votes)
        mean = sum(place * weight for place, weight in votes) / mass
        moved.append(max(0., sign * (mean - point)))
        if target is not None:
            true = float(point + sign * target[side])
            likelihood += math.log(sum(
                weight / mass * math.exp(-abs(place - true) / scale) / scale
                for place, weight in votes))
    return moved if target is None else likelihood


@pytest.mark.parametrize('options', [{}, dict(per_class=False, reach=3), dict(reach=0)], ids=str)
def test_votes_are_their_definition(options):
    part = randomise(build(**options))
    table = stack_rows(make_tables(LENGTHS))
    layout, evidence = table.layout, part(table)
    assert evidence.shape == (sum(LENGTHS) + 9, 4 if 'per_class' in options else 4 * CLASSES)
    pairs = every_pair(layout)
    distances, targets = (some_distances(len(pairs.row)), some_distances(len(pairs.row)).flip(0))
    moved = part.move(evidence, layout, pairs, distances)
    losses = part.loss(evidence, layout, pairs, distances, targets)
    for index, (row, label) in enumerate(zip(*(x.tolist() for x in pairs))):
        expected = loop(part, evidence, layout, row, label, distances[index])
        assert moved[index].tolist() == pytest.approx(expected, abs=1e-3)
        expected = loop(part, evidence, layout, row, label, distances[index], targets[index])
        assert float(losses[index]) == pytest.approx(-part.loss_weight * expected, rel=1e-4)


def test_many_pairs_are_counted_in_parts(monkeypatch):
    part = randomise(build())
    table = stack_rows(make_tables(LENGTHS))
    evidence, pairs = part(table), every_pair(table.layout)
    args = evidence, table.layout, pairs, some_distances(len(pairs.row))
    expected = part.move(*args)
    sizes, votes = [], part.votes
    monkeypatch.setattr(fine_boundaries, 'CHUNK', 7)
    monkeypatch.setattr(part, 'votes', lambda *x: sizes.append(len(x[-1])) or votes(*x))
    assert torch.equal(part.move(*args), expected)
    assert len(sizes) > 5 and max(sizes) == 7


def test_nothing_moves_before_training():
    part, table = build(), stack_rows(make_tables([200]))
    pairs = every_pair(table.layout)
    distances = some_distances(len(pairs.row))
    moved = part.move(part(table), table.layout, pairs, distances)
    assert (moved - distances).abs().max() < 0.03


@pytest.mark.parametrize('name', ['ActionFormerHead', 'TridentHead', 'CLFFHead', 'CLTDRHead'])
def test_the_rest_of_the_head_is_as_without_it(name):
    """Bit for bit: predictions before they are moved, losses, and the gradients of all else."""
    cfg = dict(type=name, num_classes=CLASSES, in_channels=WIDTH, regression_ranges=RANGES)
    torch.manual_seed(0)
    plain = randomise(MODELS.build(cfg), 3).train()
    refined = MODELS.build(dict(cfg, refinement=dict(PART, detach_feats=True))).train()
    missing, unexpected = refined.load_state_dict(plain.state_dict(), strict=False)
    assert missing and all(key.startswith('refinement.') for key in missing) and not unexpected
    assert not any('refinement' in key for key in plain.state_dict())
    feats, masks = make_pyramid([steps for steps, _, _ in VIDEOS])
    grads = []
    for head in (plain, refined):
        inputs = [x.clone().requires_grad_() for x in feats]
        losses = head.loss(inputs, masks, make_samples())
        total(losses).backward()
        grads.append([x.grad for x in inputs] + [
            param.grad for key, param in head.named_parameters() if 'refinement' not in key])
        if head is plain:
            expected = losses
    assert set(losses) - set(expected) == {'loss_refinement'}
    assert all(torch.equal(losses[key], expected[key]) for key in expected)
    assert all(torch.equal(a, b) for a, b in zip(*grads, strict=True))
    plain, refined = (candidates_of(head, [53])[0] for head in (plain, refined))
    assert torch.equal(plain.scores, refined.scores) and torch.equal(plain.labels, refined.labels)


def test_the_pyramid_learns_from_the_votes_unless_detached():
    for detached in (False, True):
        head = build_head(type='ActionFormerHead', refinement=dict(PART, detach_feats=detached))
        tables = make_tables([steps for steps, _, _ in VIDEOS])
        for table in tables:
            table.rows.requires_grad_()
        head.loss(tables, None, make_samples())['loss_refinement'].backward()
        assert (tables[0].rows.grad is None or not tables[0].rows.grad.any()) == detached
        assert all(param.grad is None for param in head.reg_tower.parameters())
        assert head.refinement.log_width.grad.any()


def test_candidates_are_refined():
    """Those of the head with moved boundaries; a class moves what all classes share."""
    head = build_head(type='ActionFormerHead', refinement=PART)
    refined = candidates_of(head, [53])[0]
    part, head.refinement = head.refinement, None
    plain = candidates_of(head, [53])[0]
    assert torch.equal(plain.scores, refined.scores)
    assert (plain.segments - refined.segments).abs().median() > 0.1
    head.refinement = part
    _, segments = head.all_points(make_tables([53]))
    assert segments.shape[1] == CLASSES and (segments[:, 0] - segments[:, 1]).abs().max() > 0.1


def test_what_is_no_weight_is_not_kept_small():
    part = build()
    decayed = {name for module_name, module in part.named_modules()
               for name, param in module.named_parameters(module_name, recurse=False)
               if takes_weight_decay(module, name.rsplit('.')[-1], param)}
    assert decayed == {'tower.convs.0.conv.weight', 'tower.out.conv.weight'}


# learning


def toy(seed, steps=256, actions=8):
    """Level-0 features that mark boundaries within a step, and guesses that are off by far.

    Channels: for each class, how a boundary lies to a step, if within one step of it.
    """
    generator = torch.Generator().manual_seed(seed)
    layout = Layout.stack([Layout([steps]), Layout([steps]).half])
    rows = torch.zeros(layout.num_rows, 4 * 2)
    starts = torch.arange(actions) * (steps // actions) + 6 + 4 * torch.rand(
        actions, generator=generator)
    ends = starts + 14 + 4 * torch.rand(actions, generator=generator)
    labels = torch.randint(2, (actions, ), generator=generator)
    for start, end, label in zip(starts, ends, labels):
        for side, boundary in enumerate((start, end)):
            # the other class's mark lies beside it: a vote for all classes would not do
            for of, place in ((label, boundary), (1 - label, boundary + 3)):
                for step in (int(place), int(place) + 1):
                    channel = 4 * int(of) + 2 * side
                    rows[3 + step, channel:channel + 2] = torch.tensor([1., place - step])
    middle = ((starts + ends) / 4).round().long()  # on level 1
    pairs = Pairs(layout.first[1] + middle, labels)
    targets = torch.stack([2. * middle - starts, ends - 2. * middle], dim=1)
    guesses = targets + 2 * torch.randn(actions, 2, generator=generator)
    return PackedRows(rows, layout), pairs, guesses, targets


def test_it_learns_to_move_to_what_the_finest_level_marks():
    torch.manual_seed(0)
    part = MODELS.build(dict(PART, in_channels=8, num_classes=2, num_levels=2))
    optimizer = torch.optim.Adam(part.parameters(), lr=5e-3)
    width = float(part.log_width.exp()[1].mean())
    for step in range(150):
        table, pairs, guesses, targets = toy(step)
        loss = part.loss(part(table), table.layout, pairs, guesses, targets).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    before, after = [], []
    for seed in range(1000, 1010):
        table, pairs, guesses, targets = toy(seed)
        with torch.no_grad():
            moved = part.move(part(table), table.layout, pairs, guesses)
        before.append((guesses - targets).abs().mean())
        after.append((moved - targets).abs().mean())
    before, after = (float(torch.stack(x).mean()) for x in (before, after))
    assert before > 1.4 and after < 0.25 * before, (before, after)
    # guesses are off by two steps, half a stride is one
    assert float(part.log_width.exp()[1].mean()) > width


# arguments


def test_bad_arguments():
    with pytest.raises(ValueError, match='reach must not be negative, got -1'):
        build(reach=-1)
    with pytest.raises(ValueError, match='refinement FineBoundaries: num_classes=7 is written'):
        build_head(type='ActionFormerHead', refinement=dict(PART, num_classes=7))
