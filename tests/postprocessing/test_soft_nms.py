import importlib
import subprocess
import sys

import numpy as np
import pytest
import torch

from cltdr_mm.postprocessing.functional import hard_nms, soft_nms

from .loops import nms

# the package's attribute of this name is the function
module = importlib.import_module('cltdr_mm.postprocessing.functional.soft_nms')
BACKENDS = ['torch', 'numba']


@pytest.fixture(params=BACKENDS)
def backend(request):
    """Name for `backend=`."""
    if request.param == 'numba':
        pytest.importorskip('numba')
    return request.param


def candidates(seed, kind, num=60, num_classes=4):
    """(segments, scores, labels) of one of several unpleasant kinds."""
    g = torch.Generator().manual_seed(seed)
    starts, lengths = torch.rand(num, generator=g) * 30, torch.rand(num, generator=g) * 8
    scores, labels = torch.rand(num, generator=g), torch.randint(0, num_classes, (num, ),
                                                                 generator=g)
    if kind == 'ties':  # equal scores and segments, also lengths of zero
        starts, lengths = (starts / 3).floor() * 3, (lengths / 3).floor()
        scores = (scores * 4).floor() / 4
    elif kind == 'one class':
        labels = torch.full_like(labels, 7)
    elif kind == 'far labels':
        labels = labels * 10**12 - 5 * 10**11
    elif kind == 'crowd':
        starts, lengths = 10 + starts / 50, 5 + lengths / 50
    elif kind == 'low':
        scores = scores * 0.06
    return torch.stack([starts, starts + lengths], dim=1), scores, labels


def check(found, expected):
    indices, scores = found
    assert indices.tolist() == expected[0]
    torch.testing.assert_close(scores.double(), torch.tensor(expected[1]).double(), atol=1e-6,
                               rtol=1e-6)


KINDS = ['plain', 'ties', 'one class', 'far labels', 'crowd', 'low']


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('method', ['gaussian', 'linear', 'hard'])
@pytest.mark.parametrize('max_num', [-1, 7, 25])
def test_equals_the_loop(backend, kind, method, max_num):
    for seed in range(4):
        segments, scores, labels = candidates(seed, kind)
        found = soft_nms(segments, scores, labels, method, 0.5, 0.3, 0.05, max_num, backend)
        expected = nms(segments.tolist(), scores.tolist(), labels.tolist(), method, 0.5, 0.3, 0.05,
                       None if max_num < 0 else max_num)
        check(found, expected)
        if method != 'hard':
            continue
        above = (scores > 0.05).nonzero().squeeze(1)
        kept, values = hard_nms(segments, scores, labels, 0.3, 0.05, max_num, backend)
        expected = nms(segments[above].tolist(), scores[above].tolist(), labels[above].tolist(),
                       'hard', 0.5, 0.3, 0., None if max_num < 0 else max_num)
        check((kept, values), (above[expected[0]].tolist(), expected[1]))


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('method', ['gaussian', 'linear', 'hard', 'bsn'])
def test_arrays_as_tensors(backend, kind, method):
    """NumPy in, NumPy out; read-only ones and views of any strides too."""
    tensors = candidates(2, kind)
    expected = soft_nms(*tensors, method, backend=backend)
    arrays = [x.numpy() for x in tensors]
    views = [np.stack([x, x], axis=-1)[..., 0] for x in arrays]
    for array in arrays:
        array.flags.writeable = False
    for given in (arrays, views):
        kept, scores = soft_nms(*given, method, backend=backend)
        assert kept.dtype == np.int64 and kept.tolist() == expected[0].tolist()
        assert scores.dtype == np.float32 and scores.tolist() == expected[1].tolist()
    scores = soft_nms(*arrays[:2], method=method, backend=backend)[1]  # without labels
    assert scores.tolist() == soft_nms(*tensors[:2], method=method, backend=backend)[1].tolist()


def test_integers_do_not_round_scores(backend):
    segments = np.array([[0, 2], [1, 3]])
    _, scores = soft_nms(segments, np.array([1, 1]), backend=backend)
    assert scores.tolist() == pytest.approx([1, 2.718281828**(-(1 / 9) / 0.5)])


@pytest.mark.parametrize('kind', KINDS)
def test_class_agnostic(backend, kind):
    segments, scores, _ = candidates(9, kind)
    found = soft_nms(segments, scores, None, sigma=0.3, min_score=0.01, max_num=20,
                     backend=backend)
    check(found, nms(segments.tolist(), scores.tolist(), [0] * len(scores), sigma=0.3,
                     min_score=0.01, max_num=20))


@pytest.mark.parametrize('sigma', [0.05, 0.124, 0.125, 0.4, 2.0])
@pytest.mark.parametrize('kind', ['plain', 'ties'])
def test_many_candidates_and_any_width(backend, sigma, kind):
    """Enough for several blocks of blocks, and both ways to compute the exponential."""
    segments, scores, labels = candidates(3, kind, 3000, 3)
    segments, scores = segments.double() * 10, scores.double()
    found = soft_nms(segments, scores, labels, sigma=sigma, max_num=300, backend=backend)
    expected = nms(segments.tolist(), scores.tolist(), labels.tolist(), sigma=sigma, max_num=300)
    assert found[0].tolist() == expected[0]
    torch.testing.assert_close(found[1], torch.tensor(expected[1], dtype=torch.float64),
                               atol=0, rtol=1e-12)


def test_one_very_long_segment(backend):
    """It stretches what has to be looked at to all that begins before a kept one ends."""
    segments, scores, labels = candidates(4, 'plain', 200, 2)
    segments[0] = torch.tensor([-100., 200.])
    for score in (0.01, 0.999):
        scores[0] = score
        found = soft_nms(segments, scores, labels, max_num=50, backend=backend)
        check(found, nms(segments.tolist(), scores.tolist(), labels.tolist(), max_num=50))


def test_best_of_a_class_stays_below_min_score(backend):
    segments = torch.tensor([[0., 1.], [5., 6.], [0., 1.]])
    kept, scores = soft_nms(segments, torch.tensor([1e-5, 2e-5, 0.5]), torch.tensor([0, 0, 1]),
                            min_score=0.001, backend=backend)
    assert kept.tolist() == [2, 1] and scores.tolist() == pytest.approx([0.5, 2e-5])


def test_known_numbers(backend):
    """IoU of the second with the first is 1/3, of the third with both 0."""
    segments = torch.tensor([[0., 2.], [1., 3.], [10., 11.]])
    scores = torch.tensor([0.9, 0.8, 0.7])
    kept, values = soft_nms(segments, scores, sigma=0.5, backend=backend)
    assert kept.tolist() == [0, 2, 1]
    assert values.tolist() == pytest.approx([0.9, 0.7, 0.8 * 2.718281828**(-(1 / 9) / 0.5)])
    _, values = soft_nms(segments, scores, method='linear', iou_threshold=0.3, backend=backend)
    assert values.tolist() == pytest.approx([0.9, 0.7, 0.8 * 2 / 3])
    _, values = soft_nms(segments, scores, method='linear', iou_threshold=0.4, backend=backend)
    assert values.tolist() == pytest.approx([0.9, 0.8, 0.7])
    assert hard_nms(segments, scores, iou_threshold=0.3, backend=backend)[0].tolist() == [0, 2]


def test_empty_none_wanted_and_types(backend):
    kept, scores = soft_nms(torch.zeros(0, 2), torch.zeros(0), torch.zeros(0, dtype=torch.long),
                            backend=backend)
    assert kept.shape == (0, ) and kept.dtype == torch.int64 and scores.shape == (0, )
    segments, scores, labels = candidates(0, 'plain', 8)
    assert len(soft_nms(segments, scores, labels, max_num=0, backend=backend)[0]) == 0
    kept, values = soft_nms(segments.bfloat16(), scores.half(), labels.int(), backend=backend)
    assert values.dtype == torch.half and kept.dtype == torch.int64
    segments.requires_grad_()
    assert not soft_nms(segments, scores, labels, backend=backend)[1].requires_grad


@pytest.mark.parametrize('change, message', [
    (dict(segments=torch.tensor([[0., 1.], [float('nan'), 1.]])), r'1 of 2 .* number 1 .*nan'),
    (dict(scores=torch.tensor([0.5, float('inf')])), 'NaN or infinite'),
    (dict(scores=torch.tensor([0.5, -0.1])), 'negative, number 1'),
    (dict(segments=torch.tensor([[1., 0.], [0., 1.]])), 'number 0 ends before it starts'),
    (dict(segments=np.array([[0., 1.], [np.nan, 1.]]), scores=np.ones(2), labels=None),
     r'1 of 2 .* number 1 .*nan'),
    (dict(scores=torch.rand(3)), r'scores must be \(2,\)'),
    (dict(labels=torch.zeros(1, dtype=torch.long)), r'labels must be \(2,\)'),
    (dict(segments=torch.rand(2, 3)), r'must be \(M, 2\)'),
    (dict(method='best'), 'method must be one of'),
    (dict(backend='cuda'), 'backend must be one of'),
    (dict(sigma=0.), 'sigma must be positive'),
])
def test_bad_input(change, message):
    arguments = dict(segments=torch.tensor([[0., 1.], [2., 3.]]), scores=torch.rand(2),
                     labels=torch.zeros(2, dtype=torch.long))
    with pytest.raises(ValueError, match=message):
        soft_nms(**{**arguments, **change})


def test_without_numba(monkeypatch):
    monkeypatch.setattr(module, '_load_kernels', lambda: None)
    segments, scores, labels = candidates(1, 'plain')
    expected = soft_nms(segments, scores, labels, backend='torch')
    assert soft_nms(segments, scores, labels)[0].tolist() == expected[0].tolist()
    with pytest.raises(ImportError, match='pip install numba'):
        soft_nms(segments, scores, labels, backend='numba')


@pytest.mark.skipif(not torch.cuda.is_available(), reason='no CUDA device')
@pytest.mark.parametrize('name', ['torch', 'auto'])
def test_on_the_gpu(name):
    segments, scores, labels = candidates(1, 'plain', 2000)
    expected = soft_nms(segments, scores, labels, backend='torch')
    kept, values = soft_nms(segments.cuda(), scores.cuda(), labels.cuda(), backend=name)
    assert kept.is_cuda and kept.tolist() == expected[0].tolist()
    torch.testing.assert_close(values.cpu(), expected[1])


NO_PLACE = """
import numba
from numba.core import caching
# as on a machine where neither the package nor a user folder can be written
caching.CompileResultCacheImpl._locator_classes = []
try:
    numba.njit(cache=True)(lambda x: x)
except RuntimeError:
    print('no cache possible')
import torch
from cltdr_mm.postprocessing.functional import soft_nms
kept, _ = soft_nms(torch.tensor([[0., 1.], [0., 1.]]), torch.tensor([.5, .6]), backend='numba')
assert kept.tolist() == [1, 0], kept
"""


def test_where_no_cache_can_be_written():
    """The kernels compile without a cache where numba finds no place for one."""
    pytest.importorskip('numba')
    done = subprocess.run([sys.executable, '-c', NO_PLACE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert 'no cache possible' in done.stdout  # else this test proves nothing


def test_import_does_not_load_numba():
    """Numba takes a second to import: only those who run NMS pay for it."""
    code = 'import sys, cltdr_mm.postprocessing; print("numba" in sys.modules)'
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert done.stdout.strip() == 'False', done.stderr


@pytest.mark.parametrize('method', ['hard', 'linear'])
def test_an_overlap_of_the_threshold_is_one(backend, method):
    """From the threshold on, the lower score goes (hard) or falls (linear); not below it."""
    # IoU 0.5, exactly: beside such lengths what the published operator adds to them is nothing
    segments = torch.tensor([[0., 2.], [0., 1.]]) * 2**40
    scores = torch.tensor([0.9, 0.8])
    for threshold, changed in ((0.5, True), (0.5 + 1e-9, False), (0.5 - 1e-9, True)):
        if method == 'hard':
            kept, _ = hard_nms(segments, scores, iou_threshold=threshold, backend=backend)
            assert kept.tolist() == ([0] if changed else [0, 1])
        else:
            values = soft_nms(segments, scores, method='linear', iou_threshold=threshold,
                              backend=backend)[1]
            assert values.tolist() == pytest.approx([0.9, 0.4 if changed else 0.8])


def test_a_score_of_the_smallest_takes_no_part(backend):
    """Of hard NMS; the published operator compares likewise."""
    segments = torch.tensor([[0., 1.], [5., 6.], [8., 9.]])
    scores = torch.tensor([0.5, 0.25, 0.125])
    kept, _ = hard_nms(segments, scores, min_score=0.25, backend=backend)
    assert kept.tolist() == [0]
