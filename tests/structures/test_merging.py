"""Windows of a video become one result."""
import torch
from mmengine.structures import InstanceData

from cltdr_mm.structures import merge_windows


def window(scores, label):
    segments = torch.stack([torch.arange(len(scores)), torch.arange(len(scores)) + 1.], 1)
    return InstanceData(segments=segments, scores=torch.tensor(scores),
                        labels=torch.full((len(scores), ), label))


def test_by_score_and_of_equal_ones_the_earlier_window():
    merged = merge_windows([window([0.5, 0.2], 0), window([0.9, 0.5], 1)], {})
    assert merged.labels.tolist() == [1, 0, 1, 0]
    assert merged.segments[:, 0].tolist() == [0, 0, 1, 1]


def test_the_post_processor_sees_all_windows_in_order_and_what_it_makes_is_sorted():
    seen = []

    def double(candidates, metas):
        seen.append((candidates[0].labels.tolist(), metas))
        candidates[0].scores = -candidates[0].scores
        return candidates

    merged = merge_windows([window([0.5], 0), window([0.9, 0.1], 1)], dict(video_name='v'), double)
    assert seen == [([0, 1, 1], [dict(video_name='v')])]
    assert merged.labels.tolist() == [1, 0, 1]


def test_windows_without_detections():
    empty = InstanceData(segments=torch.zeros(0, 2), scores=torch.zeros(0),
                         labels=torch.zeros(0, dtype=torch.int64))
    assert len(merge_windows([empty, empty], {})) == 0
    assert len(merge_windows([empty, window([0.5], 0)], {})) == 1
