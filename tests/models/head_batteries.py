"""Checks that every registered head passes, whatever it predicts, and tools to build the inputs."""
import contextlib
import copy

import torch
from batteries import level_length, randomise
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.structures import InstanceData

from cltdr_mm.structures import FeatureGrid, Layout, PackedRows

WIDTH, CLASSES, LEVELS = 16, 3, 3
RANGES = [(0, 4), (4, 8), (8, 10000)]
#: (steps, segments in grid steps, labels): something for every level and class, a tie between two
#: classes, a video without actions and one of a single step
VIDEOS = [
    (53, [(2.2, 6.1), (10., 20.4), (14.3, 19.2), (22., 49.), (30.6, 34.1), (30.6, 34.1)],
     [0, 1, 2, 0, 1, 2]),
    (30, [(1.5, 13.2), (17.3, 22.8)], [2, 0]),
    (9, [], []),
    (1, [], []),
]


def make_samples(videos=VIDEOS) -> list[ActionDataSample]:
    """Data samples of videos."""
    samples = []
    for steps, segments, labels in videos:
        grid = FeatureGrid(fps=10., stride=5., window=10., num_steps=steps)
        sample = ActionDataSample(metainfo=dict(
            video_name=f'video_{steps}', duration=grid.extent, fps=10., grid=grid))
        sample.gt_instances = InstanceData(
            segments=torch.tensor(segments, dtype=torch.float32).reshape(-1, 2),
            labels=torch.tensor(labels, dtype=torch.int64))
        samples.append(sample)
    return samples


def make_features(length, level, width=WIDTH):
    """Random features (steps, width) of a video at a level, the same in every batch."""
    generator = torch.Generator().manual_seed(100 * length + level)
    return torch.randn(width, level_length(length, level), generator=generator).t()


def make_tables(lengths, seen=None, levels=LEVELS, dtype=torch.float32) -> list[PackedRows]:
    """A pyramid as a neck hands it to a head; rows that are seen but not valid are not zero."""
    layout, tables = Layout(lengths, seen), []
    for level in range(levels):
        rows = torch.zeros(layout.num_rows, WIDTH)
        for first, valid, size, length in zip(layout.first, layout.lengths, layout.seen, lengths):
            rows[first:first + valid] = make_features(length, level)
            generator = torch.Generator().manual_seed(length)
            rows[first + valid:first + size] = torch.randn(size - valid, WIDTH,
                                                           generator=generator)
        tables.append(PackedRows(rows.to(dtype), layout))
        layout = layout.half
    return tables


def make_pyramid(lengths, steps=None, width=WIDTH, levels=LEVELS, dtype=torch.float32):
    """The same as padded (B, C, T) tensors and their masks, the padding zero."""
    steps = steps or max(lengths)
    steps = -(-steps // 2**(levels - 1)) * 2**(levels - 1)
    feats, masks = [], []
    for level in range(levels):
        x = torch.zeros(len(lengths), width, steps // 2**level, dtype=dtype)
        mask = torch.zeros(len(lengths), steps // 2**level, dtype=torch.bool)
        for row, length in enumerate(lengths):
            size = level_length(length, level)
            x[row, :, :size] = make_features(length, level, width).t()
            mask[row, :size] = True
        feats.append(x)
        masks.append(mask)
    return feats, masks


def awaken(head):
    """Keep what is clamped or squashed where gradients get through: distances and widths above 0,
    qualities apart from 1."""
    shifts = {'reg_tower.out.conv.bias': 2., 'center_tower.out.conv.bias': 2.,
              'start_out.conv.bias': -2., 'end_out.conv.bias': 2.}
    with torch.no_grad():
        for name, param in head.named_parameters():
            if 'scales' in name or name.endswith('_width'):
                param.abs_().add_(0.5)
            if name.endswith(('start_out.conv.weight', 'end_out.conv.weight',
                              'quality.out.weight')):
                param.mul_(0.05)
            param.add_(sum(shift for part, shift in shifts.items() if name.endswith(part)))
    return head


def build_head(seed: int = 0, **cfg):
    """A small head with random parameters, all of which count."""
    torch.manual_seed(seed)
    defaults = dict(num_classes=CLASSES, in_channels=WIDTH, regression_ranges=RANGES)
    if cfg['type'] not in ('ActionFormerHead', 'ASLHead'):
        defaults['num_bins'] = 4
    if cfg['type'] == 'ASLHead':
        defaults = {}
    return awaken(randomise(MODELS.build({**defaults, **cfg}), seed))


def total(losses) -> torch.Tensor:
    """Sum of what the Runner sums."""
    return sum(value for name, value in losses.items() if 'loss' in name)


def loss_of(head, videos=VIDEOS, **kwargs) -> dict:
    """Losses of a batch of videos."""
    feats, masks = make_pyramid([steps for steps, _, _ in videos], **kwargs)
    return head.loss(feats, masks, make_samples(videos))


def raw_outputs(head, videos=VIDEOS) -> dict:
    """What a head predicts for a batch: lists over levels of (B, D, T_l), in float64."""
    with torch.no_grad():
        outs = head(*make_pyramid([steps for steps, _, _ in videos]))
    return {name: [x if x.dtype == torch.bool else x.double() for x in levels]
            for name, levels in outs.items()}


def point_head(head):
    """The head itself, or the one that it wraps."""
    return getattr(head, 'head', head)


class Everywhere:
    """An assigner like another, for which all predictions have to be there."""

    needs_predictions = True

    def __init__(self, assigner):
        self.assigner = assigner
        self.calls = 0

    def assign(self, points, actions, logits, decode):
        self.calls += 1
        return self.assigner.assign(points, actions)


#: Networks whose predictions a head reads near positives only, by what the head calls them.
READ_NEAR_POSITIVES = ('start_tower', 'end_tower', 'center_tower', 'reg_tower', 'start_out',
                       'end_out', 'instance_sensitivity')


@contextlib.contextmanager
def rows_seen(head):
    """Of every network of READ_NEAR_POSITIVES, how many rows it saw at each call."""
    seen, handles = {}, []
    for name, module in head.named_modules():
        if name.rsplit('.')[-1] in READ_NEAR_POSITIVES:
            seen[name] = []
            handles.append(module.register_forward_pre_hook(
                lambda _, args, name=name: seen[name].append(len(args[0]))))
    yield seen
    for handle in handles:
        handle.remove()


def candidates_of(head, lengths, steps=None) -> list[InstanceData]:
    """Candidates of videos."""
    feats, masks = make_pyramid(lengths, steps)
    return head.eval().predict(feats, masks, make_samples([(n, [], []) for n in lengths]))


def check_gradients(head):
    """Losses are finite scalars; every parameter has a finite gradient and counts."""
    losses = loss_of(head.train())
    assert all(torch.isfinite(value).all() and value.dim() == 0 for value in losses.values())
    total(losses).backward()
    for name, param in head.named_parameters():
        assert param.grad is not None, f'{name} takes no part'
        assert torch.isfinite(param.grad).all(), f'{name} has a gradient that is not finite'
        assert param.grad.abs().max() > 0, f'{name} has a gradient of zero'


def check_candidates(head, num_classes=CLASSES):
    """Shapes, types and ranges of candidates; a video has no more than its steps can give."""
    lengths = [steps for steps, _, _ in VIDEOS]
    found = candidates_of(head, lengths)
    for length, instances in zip(lengths, found):
        count = len(instances.scores)
        assert instances.segments.shape == (count, 2) and instances.labels.shape == (count, )
        points = sum(level_length(length, level) for level in range(LEVELS))
        assert count <= points * num_classes
        assert (instances.segments[:, 0] < instances.segments[:, 1]).all()
        assert ((instances.scores > 0) & (instances.scores <= 1)).all()
        assert ((instances.labels >= 0) & (instances.labels < num_classes)).all()
        # a segment contains the valid step that predicts it
        assert (instances.segments[:, 0] <= length - 1).all() and (
            instances.segments[:, 1] >= 0).all()
    assert len(found[0].scores) > 50


def check_equal(got: InstanceData, expected: InstanceData, score=1e-4, boundary=1e-3):
    """The same instances one to one; not by rank, since scores may tie."""
    assert len(got) == len(expected), f'{len(got)} instances, not {len(expected)}'
    assert len(expected) > 0
    same = got.labels[:, None] == expected.labels
    same &= (got.scores[:, None] - expected.scores).abs() <= score
    same &= (got.segments[:, None] - expected.segments).abs().amax(-1) <= boundary
    for row, candidates in enumerate(same):
        found = candidates.nonzero()[:, 0]
        assert len(found), f'nothing like {got[row]}'
        same[:, found[(found - row).abs().argmin()]] = False  # taken


def check_invariance(head):
    """Candidates of a video alone, in batches of any order, and padded further, are the same."""
    lengths = [53, 30, 9, 2, 1]
    alone = {n: candidates_of(head, [n])[0] for n in lengths}
    for order, steps in ((lengths, None), (lengths[::-1], None), (lengths, 120), ([9], 200)):
        for length, instances in zip(order, candidates_of(head, order, steps)):
            check_equal(instances, alone[length])


def check_loss_invariance(build, tolerance=1e-5):
    """Neither further padding nor the order of a batch changes a loss."""
    expected = loss_of(build().train())
    for other in (loss_of(build().train(), steps=150), loss_of(build().train(), VIDEOS[::-1])):
        for name, value in expected.items():
            assert abs(float(other[name] - value)) <= tolerance * max(1., abs(float(value))), name


def check_packing(build):
    """(B, C, T) tensors with masks and tables of rows: the same outputs, losses, candidates."""
    lengths, samples = [steps for steps, _, _ in VIDEOS], make_samples()
    feats, masks = make_pyramid(lengths, 60)
    tables = make_tables(lengths)
    head = build().eval()
    padded, outs = head(feats, masks), head(tables).per_level()
    assert padded.keys() == outs.keys() and 'cls_logits' in outs
    for name, levels in outs.items():
        for x, y, mask in zip(padded[name], levels, masks):
            assert x.shape[-1] == mask.shape[-1], name
            assert torch.equal(x[..., :y.shape[-1]], y) and not x[..., y.shape[-1]:].any(), name
    for a, b in zip(head.predict(feats, masks, samples), head.predict(tables, None, samples)):
        for key in ('segments', 'scores', 'labels'):
            assert torch.equal(a[key], b[key]), key
    a, b = build().loss(feats, masks, samples), build().loss(tables, None, samples)
    assert a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def losses_and_gradients(head, videos, seen=None):
    """Losses, and the gradients of all parameters and features, by name, in float64."""
    tables = make_tables([steps for steps, _, _ in videos], seen, head.num_levels, torch.float64)
    for table in tables:
        table.rows.requires_grad_()
    losses = head.loss(tables, None, make_samples(videos))
    total(losses).backward()
    grads = {name: param.grad for name, param in head.named_parameters()}
    grads.update((f'level {index}', table.rows.grad) for index, table in enumerate(tables))
    return losses, grads


def check_focus(build, videos, seen=None):
    """Losses and gradients are those of all rows; returns the rows of networks near positives."""
    near, everywhere = build().double().train(), build().double().train()
    inner = point_head(everywhere)
    inner.assigner = Everywhere(inner.assigner)
    with rows_seen(near) as counts:
        losses, grads = losses_and_gradients(near, videos, seen)
    expected, all_grads = losses_and_gradients(everywhere, videos, seen)
    assert inner.assigner.calls == 1
    assert losses['num_pos'] == expected['num_pos']
    for name, value in expected.items():
        assert torch.allclose(losses[name], value, rtol=1e-10, atol=1e-10), name
    for name, grad in all_grads.items():
        assert grads[name] is not None and grad is not None, f'{name} takes no part'
        worst = float((grads[name] - grad).abs().max())
        assert worst <= 1e-10 * max(1., float(grad.abs().max())), f'{name} is off by {worst}'
    return counts


def check_bfloat16(head, tolerance=0.1):
    """Under autocast: losses close to float32, finite gradients, float32 candidates."""
    with torch.no_grad():  # a copy: its normaliser moves
        expected = {k: float(v) for k, v in loss_of(copy.deepcopy(head).train()).items()}
    head.train()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        losses = loss_of(head)
        found = candidates_of(head, [53, 9])
    for name, value in losses.items():
        assert value.dtype == torch.float32, name
        assert abs(float(value) - expected[name]) <= tolerance * max(1, abs(expected[name])), name
    head.zero_grad()
    total(losses).backward()
    for name, param in head.named_parameters():
        assert torch.isfinite(param.grad).all(), name
    for instances in found:
        assert instances.segments.dtype == instances.scores.dtype == torch.float32
        assert torch.isfinite(instances.segments).all()


def check_state_dict(build):
    """Another instance with the state dict of the first predicts and loses the same."""
    first, second = build(seed=1), build(seed=2)
    loss_of(first)  # moves the normaliser
    assert not torch.equal(candidates_of(first, [30])[0].scores,
                           candidates_of(second, [30])[0].scores)
    second.load_state_dict(first.state_dict(), strict=True)
    a, b = candidates_of(first, [30])[0], candidates_of(second, [30])[0]
    assert torch.equal(a.scores, b.scores) and torch.equal(a.segments, b.segments)
    for a, b in zip(loss_of(first.eval()).values(), loss_of(second.eval()).values()):
        assert torch.equal(a, b)
