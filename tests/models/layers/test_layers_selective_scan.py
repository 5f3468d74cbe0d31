"""The selective scan against a loop over steps, and what it keeps."""
import pytest
import torch
import torch.nn.functional as F

from cltdr_mm.models.layers import selective_scan as public
from cltdr_mm.models.layers.selective_scan import CHUNK, kernel_scan, selective_scan
from cltdr_mm.structures import Layout

LENGTHS = (40, 1, 23, 2 * CHUNK, 33)


def make(layout, directions=2, channels=3, states=4, dtype=torch.float64, seed=0):
    """Inputs; some step sizes are so large that a state is forgotten at once."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(*shape, generator=generator, dtype=dtype)

    size = layout.num_rows, directions
    dt = F.softplus(draw(*size, channels) - 2)
    dt = torch.where(torch.rand(dt.shape, generator=generator) < 0.05, 600., dt)
    args = (draw(*size, channels), dt, -draw(directions, channels, states).exp(),
            draw(*size, states), draw(*size, states))
    return [x.requires_grad_() for x in args]


def by_steps(u, dt, a, b, c, layout):
    """The recurrence as it is printed, a step of a direction of a sequence at a time."""
    out = torch.zeros_like(u)
    for first, size in zip(layout.first, layout.seen):
        for direction in range(u.shape[1]):
            state = torch.zeros_like(a[direction])  # (E, N)
            for row in range(first, first + size):
                at = row, direction
                state = ((dt[at][:, None] * a[direction]).exp() * state
                         + (dt[at] * u[at])[:, None] * b[at])
                out[at] = state @ c[at]
    return out


def results(scan, args, layout):
    out = scan(*args, layout)
    generator = torch.Generator().manual_seed(5)
    weight = torch.randn(out.shape, generator=generator, dtype=torch.float64).to(out.dtype)
    grads = torch.autograd.grad((out * layout_mask(layout, out) * weight).sum(), args)
    return [out.detach(), *grads]


def layout_mask(layout, out):
    return layout.zero_gaps(torch.ones_like(out))


def worst(found, expected):
    return max(float((x - y).abs().max() / y.abs().max()) for x, y in zip(found, expected))


@pytest.fixture(scope='module')
def case():
    layout = Layout(LENGTHS)
    args = make(layout)
    return layout, args, results(by_steps, args, layout)


def test_equals_the_loop(case):
    """Outputs and all gradients; a sequence starts from nothing, whatever stands before it."""
    layout, args, expected = case
    found = results(selective_scan, args, layout)
    assert worst(found, expected) < 1e-13
    assert not found[0][layout.gap_rows].any()


def test_of_rows_that_are_seen():
    layout = Layout((9, 4), seen=(12, 12))
    args = make(layout)
    assert worst(results(selective_scan, args, layout), results(by_steps, args, layout)) < 1e-13


def test_what_stands_in_gaps_does_not_matter(case):
    layout, args, expected = case
    with torch.no_grad():
        u = args[0].index_fill(0, layout.gap_rows, float('nan'))
        assert torch.equal(selective_scan(u, *args[1:], layout), selective_scan(*args, layout))


def test_without_gaps():
    layout = Layout(LENGTHS, gap=0)
    args = make(layout)
    assert worst(results(selective_scan, args, layout), results(by_steps, args, layout)) < 1e-13


def test_what_is_no_number_stays_in_its_sequence(case):
    layout, args, expected = case
    with torch.no_grad():
        u = args[0].clone()
        u[layout.first[2] + 1:layout.first[3]] = float('nan')
        out = selective_scan(u, *args[1:], layout)
    other = layout.sequence != 2
    assert not out[layout.sequence == 2].isfinite().all()
    assert torch.equal(out[other], selective_scan(*args, layout)[other])


def test_in_float32(case):
    layout, args, expected = case
    single = [x.detach().float().requires_grad_() for x in args]
    assert worst(results(selective_scan, single, layout), expected) < 2e-6
    assert all(x.isfinite().all() for x in results(selective_scan, single, layout))


def test_half_precision_is_scanned_in_float32():
    layout = Layout((50, 20))
    half = [x.detach().bfloat16() for x in make(layout)]
    expected = selective_scan(*(x.float() for x in half), layout)
    assert torch.equal(selective_scan(*half, layout), expected)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        single = [x.float().requires_grad_() for x in half]
        out = selective_scan(*single, layout)
        assert torch.equal(out.detach(), expected)
        grads = torch.autograd.grad(out.sum(), single)
    expected = torch.autograd.grad(selective_scan(*single, layout).sum(), single)
    assert all(torch.equal(x, y) for x, y in zip(grads, expected))


@pytest.mark.parametrize('lengths', [LENGTHS, (CHUNK, ), (3, ), (5 * CHUNK + 1, )])
@pytest.mark.filterwarnings('ignore')
def test_the_graph_that_is_exported(lengths):
    """It has plain operators only, and computes the same on other numbers."""
    layout = Layout(lengths)
    args, others = ([x.detach() for x in make(layout, seed=seed)] for seed in (0, 1))
    traced = torch.jit.trace(lambda *x: selective_scan(*x, layout), args, check_trace=False)
    assert 'PythonOp' not in str(traced.graph)
    assert worst([traced(*others)], [selective_scan(*others, layout)]) < 1e-12


def stand_in(u, delta, A, B, C):
    """What ``mamba_ssm.selective_scan_fn`` takes and gives: (B, D, T) and (B, G, N, T)."""
    (batch, width, steps), groups = u.shape, B.shape[1]
    B, C = (x.repeat_interleave(width // groups, dim=1) for x in (B, C))  # (B, D, N, T)
    state, outs = u.new_zeros(batch, width, A.shape[1]), []
    for t in range(steps):
        state = ((delta[..., t, None] * A).exp() * state
                 + (delta[..., t] * u[..., t])[..., None] * B[..., t])
        outs.append((state * C[..., t]).sum(-1))
    return torch.stack(outs, dim=-1)


def test_another_kernel_gives_the_same(case):
    layout, args, expected = case

    def scan(*args):
        return kernel_scan(stand_in, *args)

    assert worst(results(scan, args, layout), expected) < 1e-13


def test_keeps_no_states():
    """What the backward pass needs: inputs and outputs of the size of rows, a state a chunk."""
    layout = Layout((2304, ))
    args = make(layout, 1, 64, 16, torch.float32)
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda x: kept.append(x) or x, lambda x: x):
        selective_scan(*args, layout)
    sizes = {x.data_ptr(): x.untyped_storage().nbytes() for x in kept}
    assert 0 < sum(sizes.values()) < 0.25 * 4 * layout.num_rows * 64 * 16


def test_is_public():
    assert public is selective_scan
