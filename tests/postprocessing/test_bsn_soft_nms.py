"""MMAction2's soft-NMS, and ours in its place."""
import numpy as np
import pytest
import torch
from mmaction.models.localizers.utils import post_processing, proposal_utils
from mmaction.models.localizers.utils import soft_nms as theirs
from mmaction.registry import HOOKS

from cltdr_mm.postprocessing.functional import bsn_soft_nms, soft_nms

#: alpha, low and high threshold: of MMAction2's configs of BMN, of PEM, of TCANet, and others.
SETTINGS = [(0.4, 0.5, 0.9), (0.75, 0.65, 0.9), (0.4, 0., 0.), (0.1, 0.8, 0.2)]


def proposals(kind, seed=0, num=300, steps=40):
    """(num, 7) with start and end as fractions first and a score last."""
    rng = np.random.default_rng(seed)
    rows = rng.random((num, 7))
    rows[:, :2] = np.sort(rows[:, :2], axis=1)
    if kind in ('grid', 'ties'):  # as BMN's: many IoUs lie on a limit, some proposals are equal
        first, last = np.triu_indices(steps, 1)
        chosen = rng.choice(len(first), num)
        rows[:, 0], rows[:, 1] = first[chosen] / steps, last[chosen] / steps
    if kind == 'ties':
        rows[:, -1] = np.ceil(rows[:, -1] * 4) / 4
    elif kind == 'reversed':  # TCANet's may be, and then overlap nothing
        rows[::3, :2] = rows[::3, 1::-1]
    elif kind == 'empty segments':
        rows[::2, 1] = rows[::2, 0]
    elif kind == 'long video':
        rows[:, :2] /= 1e6
    return rows


KINDS = ['anywhere', 'grid', 'ties', 'reversed', 'empty segments', 'long video']


@pytest.mark.filterwarnings('ignore:invalid value:RuntimeWarning')  # theirs, of empty segments
@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('setting', SETTINGS)
@pytest.mark.parametrize('top_k', [10, 100, 1000])
def test_equals_mmaction(kind, setting, top_k):
    """The same proposals in the same order with the same scores, to the last digits."""
    rows = proposals(kind)
    found, expected = bsn_soft_nms(rows, *setting, top_k), theirs(rows, *setting, top_k)
    assert found.shape == expected.shape == (min(top_k + 1, 300), 3)
    assert (found[:, :2] == expected[:, :2]).all()
    np.testing.assert_allclose(found[:, 2], expected[:, 2], rtol=1e-12)


def test_scores_do_fall():
    """Else the test above would say little."""
    rows = proposals('grid')
    scores = bsn_soft_nms(rows, *SETTINGS[0], 299)[:, 2]
    assert (np.sort(rows[:, -1])[::-1] - scores > 1e-3).mean() > 0.5


@pytest.mark.parametrize('setting', SETTINGS)
def test_both_ways_to_compute_it(setting):
    alpha, low, high = setting
    rows = proposals('ties', 1)
    segments, scores = torch.from_numpy(rows[:, :2]), torch.from_numpy(rows[:, -1])
    found = [soft_nms(segments, scores, method='bsn', sigma=alpha, iou_threshold=low,
                      high_threshold=high, min_score=0.05, max_num=200, backend=backend)
             for backend in ('numba', 'torch')]
    assert found[0][0].equal(found[1][0])
    torch.testing.assert_close(found[0][1], found[1][1], rtol=1e-12, atol=0)


def test_the_type_of_pem():
    """It computes in float64 where MMAction2 does in float32."""
    rows = proposals('grid').astype(np.float32)
    found = bsn_soft_nms(rows, *SETTINGS[1], 100)
    assert found.dtype == np.float32
    expected = theirs(rows.astype(np.float64), *SETTINGS[1], 100)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    rows = proposals('anywhere').astype(np.float32)
    np.testing.assert_allclose(bsn_soft_nms(rows, *SETTINGS[1], 100),
                               theirs(rows, *SETTINGS[1], 100), rtol=1e-5)


def test_the_hook_puts_it_in_place_and_takes_it_out():
    hook, rows = HOOKS.build(dict(type='FastSoftNMSHook')), proposals('grid')
    video = dict(duration_frame=1600, duration_second=100.)

    def processed():
        return post_processing(rows, video, 0.4, 0.5, 0.9, 20, 16)

    expected = processed()
    for before, after in ((hook.before_val, hook.after_val), (hook.before_test, hook.after_test)):
        before(None)
        assert proposal_utils.soft_nms is bsn_soft_nms
        found = processed()
        after(None)
        assert proposal_utils.soft_nms is theirs
        assert [p['segment'] for p in found] == [p['segment'] for p in expected]
        assert [p['score'] for p in found] == pytest.approx([p['score'] for p in expected],
                                                           rel=1e-12)


def test_nan():
    rows = proposals('anywhere')
    rows[7, -1] = np.nan
    with pytest.raises(ValueError, match='1 of 300 candidates hold NaN'):
        bsn_soft_nms(rows, *SETTINGS[0], 10)
