"""How tables are convolved, and the gradients, against torch's own convolution."""
import pytest
import torch
import torch.nn.functional as F

from cltdr_mm.models.layers.convolution import (
    compute_dtype,
    dense_conv,
    dense_taps,
    depthwise_along,
    depthwise_conv,
    depthwise_taps,
    linear,
)
from cltdr_mm.models.layers.pooling import max_of_three

#: Of a value's type: worst deviation, as a share of the largest value.
TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-5, torch.bfloat16: 0.03}
KERNELS = [1, 3, 5, 7, 9]
ROWS = [1, 2, 3, 4, 9, 50]


def draw(*shape, dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed + sum(shape))
    return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)


def plain_conv(x, weight, bias=None, groups=1):
    """``F.conv1d`` of a table."""
    return F.conv1d(x.t()[None], weight, bias, padding=weight.shape[2] // 2, groups=groups)[0].t()


def compare(ours, theirs, arguments, tolerance):
    """Values and gradients of a function against those of another in float64."""
    wide = [a.detach().double().requires_grad_(True) for a in arguments]
    arguments = [a.detach().requires_grad_(True) for a in arguments]
    out, expected = ours(*arguments), theirs(*wide)
    assert out.shape == expected.shape
    weights = draw(*expected.shape, seed=9).to(out.dtype)
    out.backward(weights)
    expected.backward(weights.double())
    pairs = [(out, expected), *((a.grad, b.grad) for a, b in zip(arguments, wide))]
    for number, (got, wanted) in enumerate(pairs):
        if number:
            assert got.dtype == arguments[number - 1].dtype
        if wanted.numel():
            scale = max(1e-3, float(wanted.abs().max()))
            assert (got.double() - wanted).abs().max() < tolerance * scale, f'value {number}'


@pytest.mark.parametrize('dtype', list(TOLERANCE))
@pytest.mark.parametrize('rows', ROWS)
@pytest.mark.parametrize('kernel', KERNELS)
def test_dense(kernel, rows, dtype):
    """Products of shifted rows, and oneDNN's images in float32."""
    x, weight = draw(rows, 5, dtype=dtype), draw(7, 5, kernel, dtype=dtype)
    compare(dense_conv, plain_conv, (x, weight), TOLERANCE[dtype])


@pytest.mark.parametrize('dtype', list(TOLERANCE))
@pytest.mark.parametrize('rows', ROWS)
@pytest.mark.parametrize('kernel', KERNELS)
def test_depthwise(kernel, rows, dtype):
    x, weight = draw(rows, 5, dtype=dtype), draw(5, 1, kernel, dtype=dtype)
    bias = draw(5, dtype=dtype)
    # each tap is rounded in half precision
    compare(depthwise_conv, lambda *a: plain_conv(*a, groups=5), (x, weight, bias),
            2 * TOLERANCE[dtype])


@pytest.mark.parametrize('shape', [(1, 5), (40, 1), (1, 1)])
@pytest.mark.parametrize('kernel', [1, 3])
def test_one_channel_or_one_row(kernel, shape):
    """Sizes of 1, whose order in memory is open."""
    rows, channels = shape
    for dtype in (torch.float64, torch.float32):
        x = draw(rows, channels, dtype=dtype)
        for width in (1, 4):
            compare(dense_conv, plain_conv, (x, draw(width, channels, kernel, dtype=dtype)),
                    TOLERANCE[dtype])


@pytest.mark.parametrize('dtype', [torch.float64, torch.float32])
def test_rows_that_are_not_contiguous(dtype):
    x, weight = draw(6, 20, dtype=dtype), draw(4, 6, 3, dtype=dtype)
    compare(lambda y, w: dense_conv(y.t(), w), lambda y, w: plain_conv(y.t(), w), (x, weight),
            TOLERANCE[dtype])
    compare(lambda y, w: linear(y.t(), w[:, :, 0]), lambda y, w: y.t() @ w[:, :, 0].t(),
            (x, weight), TOLERANCE[dtype])
    # a gradient that is expanded from one number
    z = draw(20, 6, dtype=dtype).requires_grad_(True)
    (dense_conv(z, weight).sum() + linear(z, weight[:, :, 0]).sum()).backward()
    wide = z.detach().double().requires_grad_(True)
    (plain_conv(wide, weight.double()).sum()
     + (wide @ weight[:, :, 0].double().t()).sum()).backward()
    assert torch.allclose(z.grad.double(), wide.grad, atol=1e-4)


@pytest.mark.parametrize('bias', [True, False])
@pytest.mark.parametrize('dtype', list(TOLERANCE))
@pytest.mark.parametrize('rows', [0, 1, 30])
def test_linear(rows, dtype, bias):
    arguments = draw(rows, 5, dtype=dtype), draw(7, 5, dtype=dtype), draw(7, dtype=dtype)
    compare(linear, F.linear, arguments[:2 + bias], TOLERANCE[dtype])


@pytest.mark.parametrize('dtype', list(TOLERANCE))
@pytest.mark.parametrize('kernel', KERNELS)
def test_gathered_rows(kernel, dtype):
    """At stride 2, of rows that were gathered."""
    x, weight, bias = draw(30, 6, dtype=dtype), draw(6, 6, kernel, dtype=dtype), draw(6)
    half = kernel // 2
    rows = torch.arange(half, 30 - half, 2)

    def taps(y):
        return [y[rows + shift] for shift in range(-half, half + 1)]

    def strided(y, w, b=None, groups=1):
        return F.conv1d(y.t()[None], w, b, stride=2, groups=groups)[0].t()

    compare(lambda y, w: dense_taps(taps(y), w), strided, (x, weight), TOLERANCE[dtype])
    compare(lambda y, w, b: depthwise_taps(taps(y), w, b), lambda *a: strided(*a, groups=6),
            (x, weight[:, :1], bias.to(dtype)), 2 * TOLERANCE[dtype])


@pytest.mark.parametrize('dim', [-1, -2, -3])
@pytest.mark.parametrize('size', [1, 2, 6])
def test_depthwise_along_any_dimension(size, dim):
    """Factors and bias that broadcast; a size of 1 along the dimension."""
    shape = [3, 4, 2]
    shape[dim] = size
    ones = [1 if d == 3 + dim else n for d, n in enumerate(shape)]
    x, taps = draw(2, *shape), draw(5, *ones)
    bias = draw(*ones)

    def plain(x, taps, bias):
        y = F.pad(x.movedim(dim, -1), (2, 2)).unfold(-1, 5, 1)
        return ((y * taps.movedim(0, -1).movedim(dim - 1, -2)).sum(-1).movedim(-1, dim) + bias)

    compare(lambda *a: depthwise_along(*a, dim=dim), plain, (x, taps, bias), 1e-12)


@pytest.mark.parametrize('wanted', [(True, False), (False, True), (False, False)])
@pytest.mark.parametrize('dtype', list(TOLERANCE))
def test_gradients_that_nobody_asks_for(dtype, wanted):
    """What is frozen gets none, and the other one is as ever."""
    bias = draw(6, dtype=dtype)
    functions = [
        (dense_conv, plain_conv, draw(6, 6, 3, dtype=dtype)),
        (lambda x, w: depthwise_conv(x, w, bias),
         lambda x, w: plain_conv(x, w, bias.double(), 6), draw(6, 1, 3, dtype=dtype)),
        (linear, F.linear, draw(6, 6, dtype=dtype)),
    ]
    for ours, theirs, weight in functions:
        pair = [draw(20, 6, dtype=dtype), weight]
        wide = [a.double() for a in pair]
        for tensors in (pair, wide):
            for tensor, want in zip(tensors, wanted):
                tensor.requires_grad_(want)
        out, expected = ours(*pair), theirs(*wide)
        assert out.requires_grad == any(wanted)
        if not any(wanted):
            continue
        out.sum().backward()
        expected.sum().backward()
        for got, ref, want in zip(pair, wide, wanted):
            assert (got.grad is None) == (not want)
            if want:
                error = (got.grad.double() - ref.grad).abs().max()
                assert error < 2 * TOLERANCE[dtype] * ref.grad.abs().max()


def test_gradcheck():
    x, bias = draw(7, 3).requires_grad_(True), draw(3).requires_grad_(True)
    dense, deep = draw(4, 3, 5).requires_grad_(True), draw(3, 1, 5).requires_grad_(True)
    assert torch.autograd.gradcheck(dense_conv, (x, dense))
    assert torch.autograd.gradcheck(depthwise_conv, (x, deep, bias))


def test_type_to_compute_in():
    wide, half = torch.ones(1), torch.ones(1, dtype=torch.bfloat16)
    double = wide.double()
    assert compute_dtype(half, wide) == compute_dtype(wide, half) == torch.float32
    assert compute_dtype(half, half) == torch.bfloat16
    assert compute_dtype(wide, double) == torch.float64
    with torch.autocast('cpu', dtype=torch.bfloat16):
        assert compute_dtype(wide, wide) == torch.bfloat16
        assert compute_dtype(double, wide) == torch.float64


def test_autocast():
    """Products in bfloat16, gradients in the type of what they are of."""
    x, weight, bias = draw(40, 8), draw(6, 8, 3), draw(6)
    for ours, theirs, arguments in (
            (dense_conv, plain_conv, (x, weight)),
            (linear, F.linear, (x, weight[:, :, 0], bias))):
        def run(*a, function=ours):
            with torch.autocast('cpu', dtype=torch.bfloat16):
                out = function(*a)
            assert out.dtype == torch.bfloat16
            return out

        compare(run, theirs, [a.float() for a in arguments], TOLERANCE[torch.bfloat16])


def test_backward_within_autocast():
    """As a reentrant checkpoint runs it."""
    x, weight = draw(40, 8, dtype=torch.float32), draw(6, 8, 3, dtype=torch.float32)
    grads = []
    for enabled in (False, True):
        for function in (dense_conv, lambda y, w: linear(y, w[:, :, 0])):
            y = x.clone().requires_grad_(True)
            out = function(y, weight)
            with torch.autocast('cpu', dtype=torch.bfloat16, enabled=enabled):
                out.sum().backward()
            grads.append(y.grad)
    assert torch.allclose(grads[0], grads[2], atol=1e-5)
    assert torch.allclose(grads[1], grads[3], atol=1e-5)


def test_max_of_three():
    x = draw(12, 4)
    middle = torch.tensor([0, 3, 5, 11])
    before, after = torch.tensor([0, 2, 4, 10]), torch.tensor([1, 4, 6, 11])
    compare(lambda y: max_of_three(y, before, middle, after),
            lambda y: torch.stack([y[before], y[middle], y[after]]).amax(0), (x, ), 1e-12)


def test_max_of_three_gives_equal_values_one_gradient():
    x = torch.ones(5, 2, requires_grad=True)
    rows = torch.tensor([1, 3])
    max_of_three(x, rows - 1, rows, rows + 1).sum().backward()
    assert float(x.grad.sum()) == 4


def test_max_of_three_lets_nan_pass():
    rows = torch.tensor([1])
    for place in range(3):
        x = torch.zeros(3, 1)
        x[place] = float('nan')
        assert max_of_three(x, rows - 1, rows, rows + 1).isnan().all()
