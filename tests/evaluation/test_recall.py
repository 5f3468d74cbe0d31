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
