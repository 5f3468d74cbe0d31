import numpy as np
import pytest

from cltdr_mm.evaluation.functional import average_recall, recall_at_kx

from . import loops

TIOUS = (0.1, 0.5, 0.75, 1.0)


@pytest.mark.parametrize('kind', ['plain', 'ties', 'one class', 'empty'])
def test_equals_the_loop(kind):
    for seed in range(4):
        detections, truth = loops.scene(seed, kind=kind)
        found = recall_at_kx(detections, truth, TIOUS, (1, 5), 'stable')
        expected = [[[loops.recall(detections, truth, c, t, k)
                      for c in range(len(truth.classes))] for t in TIOUS] for k in (1, 5)]
        np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.filterwarnings('ignore:.*trapz.*:DeprecationWarning')
@pytest.mark.parametrize('proposals_per_video', [3, 70])
def test_average_recall_equals_mmaction2(proposals_per_video):
    """On videos that all have proposals and instances, as that function wants them."""
    from mmaction.evaluation import average_recall_at_avg_proposals
    for seed in range(3):
        detections, truth = loops.scene(seed, detections=4 * proposals_per_video)
        detections = detections.select(detections.videos < 4)
        truth.video_names = truth.video_names[:4]
        proposals, instances = {}, {}
        for v in range(4):
            mine = detections.select(detections.videos == v)
            mine = mine.select(np.argsort(-mine.scores, kind='stable'))
            proposals[v] = np.concatenate([mine.segments, mine.scores[:, None]], axis=1)
            instances[v] = truth.segments[truth.videos == v]
        tious = np.linspace(0.5, 0.95, 10)
        recall, _, average, area = average_recall_at_avg_proposals(
            instances, proposals, len(detections), max_avg_proposals=100,
            temporal_iou_thresholds=tious)
        found = average_recall(detections, truth, tious)
        np.testing.assert_allclose(found[0], recall, atol=1e-12)
        np.testing.assert_allclose(found[1], average, atol=1e-12)
        assert found[2] == pytest.approx(area)


def test_average_recall_without_proposals():
    detections, truth = loops.scene(0, kind='empty')
    recall, average, area = average_recall(detections, truth, TIOUS, 10)
    assert recall.shape == (4, 10) and not recall.any() and len(average) == 10 and area == 0


@pytest.mark.parametrize('kind', ['plain', 'ties', 'one class', 'empty'])
def test_both_averages(kind):
    """Over classes, and over instances; nothing of these scenes lies exactly on a threshold."""
    tious = (0.123, 0.456)
    for seed in range(4):
        detections, truth = loops.scene(seed, kind=kind)
        every = recall_at_kx(detections, truth, tious, (1, 3))
        macro = recall_at_kx(detections, truth, tious, (1, 3), average='macro')
        micro = recall_at_kx(detections, truth, tious, (1, 3), average='micro')
        np.testing.assert_allclose(macro, np.nanmean(every, axis=2), atol=1e-12)
        counts = np.bincount(truth.labels, minlength=len(truth.classes))
        np.testing.assert_allclose(micro, np.nansum(every * counts, axis=2) / counts.sum(),
                                   atol=1e-12)


def test_only_the_micro_average_asks_for_more_than_the_threshold():
    detections, truth = loops.scene(0, kind='one class')
    detections = detections.select(np.array([0]))
    detections.segments[0], detections.labels[0], detections.videos[0] = (0., 5.), 0, 0
    truth.segments, truth.labels, truth.videos = (
        np.array([[0., 10.]]), np.array([0]), np.array([0]))  # a tIoU of one half
    for average, expected in (('macro', [[1., 1.]]), ('micro', [[1., 0.]])):
        found = recall_at_kx(detections, truth, (0.4, 0.5), (1, ), average=average)
        assert found.tolist() == expected
    with pytest.raises(ValueError, match="None or one of .*'macro', 'micro'.*'mean'"):
        recall_at_kx(detections, truth, (0.5, ), average='mean')
