"""Checks that every registered head passes, whatever it predicts, and tools to build the inputs.

A head under test sees a pyramid as a neck leaves it: zeros at padded steps.
"""
import torch
from batteries import level_length, randomise
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.structures import InstanceData

from cltdr_mm.structures import FeatureGrid

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


def make_pyramid(lengths, steps=None, width=WIDTH, levels=LEVELS, dtype=torch.float32):
    """Random features of videos, the same for a video whatever its padding, and their masks."""
    steps = steps or max(lengths)
    steps = -(-steps // 2**(levels - 1)) * 2**(levels - 1)
    feats, masks = [], []
    for level in range(levels):
        x = torch.zeros(len(lengths), width, steps // 2**level, dtype=dtype)
        mask = torch.zeros(len(lengths), steps // 2**level, dtype=torch.bool)
        for row, length in enumerate(lengths):
            size = level_length(length, level)
            generator = torch.Generator().manual_seed(100 * length + level)
            x[row, :, :size] = torch.randn(width, size, generator=generator)
            mask[row, :size] = True
        feats.append(x)
        masks.append(mask)
    return feats, masks


def awaken(head):
    """Keep distances above 0, where ReLU and clamp let gradients through."""
    shifts = {'reg_tower.out.conv.bias': 2., 'center_tower.out.conv.bias': 2.,
              'start_out.conv.bias': -2., 'end_out.conv.bias': 2.}
    with torch.no_grad():
        for name, param in head.named_parameters():
            if 'scales' in name:
                param.abs_().add_(0.5)
            if name.endswith(('start_out.conv.weight', 'end_out.conv.weight')):
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
    """Padding a batch further changes no loss."""
    expected, padded = loss_of(build().train()), loss_of(build().train(), steps=150)
    for name, value in expected.items():
        assert abs(float(padded[name] - value)) <= tolerance * max(1., abs(float(value))), name


def check_bfloat16(head, tolerance=0.1):
    """Under autocast: losses close to float32, finite gradients, float32 candidates."""
    with torch.no_grad():
        expected = {k: float(v) for k, v in loss_of(head.train()).items()}
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
