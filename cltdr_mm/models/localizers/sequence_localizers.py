"""MMAction2's own localizers, spoken to in fractions of a video.

Their forwards expect ``gt_bbox`` in [0, 1], differ in what ``predict`` returns, and two of them
answer wrongly to a batch. One adapter a localizer makes them alike: losses from boxes, scored
segments from features, for any batch. The localizers themselves are MMAction2's, unchanged.
"""
from collections.abc import Sequence

import numpy as np
import torch
from mmaction.structures import ActionDataSample
from mmengine.logging import print_log
from mmengine.structures import InstanceData
from torch import Tensor, nn

from ...structures import boundary_proposals, segment_iou

#: A box no anchor and no proposal touches, for videos without action: the localizers take the
#: maximum over their boxes, of which there has to be one.
NOWHERE = (-2., -1.)


class LocalizerAdapter:
    """Base of the adapters.

    Args:
        localizer (nn.Module): The localizer.
    """

    #: Whether it refines proposals that come from elsewhere.
    needs_proposals = False

    def __init__(self, localizer: nn.Module) -> None:
        self.localizer = localizer

    @property
    def num_steps(self) -> int:
        """int: Length of the sequences it takes."""
        return self.localizer.temporal_dim

    def loss(self, feats: Tensor, boxes: Sequence[Tensor],
             proposals: Sequence[Tensor]) -> dict[str, Tensor]:
        """Losses of a batch.

        Args:
            feats (Tensor): (B, C, T).
            boxes (Sequence[Tensor]): Per video (G, 2) start and end of its actions in [0, 1].
            proposals (Sequence[Tensor]): Per video (P, 3) start, end and score, where needed.

        Returns:
            dict[str, Tensor]: What the localizer calls its losses.
        """
        samples = []
        for box in boxes:
            sample = ActionDataSample()
            box = box if len(box) else box.new_tensor([NOWHERE])
            sample.gt_instances = InstanceData(gt_bbox=box)
            samples.append(sample)
        return self.localizer(list(feats), samples, mode='loss')

    def predict(self, feats: Tensor, proposals: Sequence[Tensor]) -> list[tuple]:
        """Scored segments of a batch.

        Args:
            feats (Tensor): (B, C, T).
            proposals (Sequence[Tensor]): See :meth:`loss`.

        Returns:
            list[tuple]: Per video (M, 2) start and end in [0, 1], and (M,) scores; of TEM also the
            curves that they are made of.
        """
        raise NotImplementedError


class BMNAdapter(LocalizerAdapter):
    """BMN: predicts the first video of a batch only, so that it gets one at a time.

    Its own soft-NMS, as its config has it, is part of its prediction.
    """

    @property
    def num_steps(self) -> int:
        """int: Length of the sequences it takes."""
        return self.localizer.tscale

    def loss(self, feats: Tensor, boxes: Sequence[Tensor],
             proposals: Sequence[Tensor]) -> dict[str, Tensor]:
        """See :meth:`LocalizerAdapter.loss`.

        Its regression averages over the anchors that overlap an action well (IoU above 0.7) and as
        many others. Where the batch has none, all actions being shorter than a step, it divides 0
        by 0; such a batch is passed over.
        """
        anchors = torch.as_tensor(self.localizer.match_map, dtype=torch.float32)
        if not any(_best_iou(box.cpu(), anchors) > 0.7 for box in boxes):
            print_log('BMN: no action of this batch is as long as a step of its grid; the batch '
                      'is passed over', logger='current')
            outputs = self.localizer(list(feats), None, mode='tensor')
            return dict(loss=sum(output.sum() for output in outputs) * 0)
        return super().loss(feats, boxes, proposals)

    def predict(self, feats: Tensor, proposals: Sequence[Tensor]) -> list[tuple]:
        """See :meth:`LocalizerAdapter.predict`."""
        # with these its results are in fractions of the sequence
        interval = self.localizer.feature_extraction_interval
        meta = dict(video_name='', duration_frame=interval, duration_second=1.)
        results = []
        for x in feats:
            result, = self.localizer([x], [ActionDataSample(metainfo=meta)], mode='predict')
            rows = [(*p['segment'], p['score']) for p in result['proposal_list']]
            rows = feats.new_tensor(rows, dtype=torch.float32)
            results.append((rows[:, :2], rows[:, 2]))
        return results


class TEMAdapter(LocalizerAdapter):
    """BSN's TEM: gives curves, of which BSN's rule makes proposals (sec. 3.3 of that paper)."""

    def predict(self, feats: Tensor, proposals: Sequence[Tensor]) -> list[tuple]:
        """See :meth:`LocalizerAdapter.predict`; curves are (T, 5) as TEM's own predict has them."""
        steps = self.localizer.anchors_tmins, self.localizer.anchors_tmaxs
        curves = self.localizer(list(feats), None, mode='tensor').float().cpu().numpy()
        results = []
        for action, start, end in curves:
            segments, scores = boundary_proposals(start, end)
            results.append((torch.from_numpy(segments).to(feats.device),
                            torch.from_numpy(scores).to(feats.device),
                            np.stack((action, start, end, *steps), axis=1)))
        return results


class TCANetAdapter(LocalizerAdapter):
    """TCANet: refines proposals in three stages, all of which count.

    Training compares the k-th proposal with the k-th box of its video, so that each proposal is
    given the action it overlaps most. Its own ``predict`` writes the position in the batch over
    the proposals' scores before using them; the stages are run here instead.
    """

    needs_proposals = True

    @property
    def num_steps(self) -> int:
        """int: Length of the sequences it takes."""
        return self.localizer.lgtes[0].mask.shape[-1]

    def loss(self, feats: Tensor, boxes: Sequence[Tensor],
             proposals: Sequence[Tensor]) -> dict[str, Tensor]:
        """See :meth:`LocalizerAdapter.loss`."""
        samples = []
        for box, given in zip(boxes, proposals):
            box = box if len(box) else box.new_tensor([NOWHERE])
            matching = box[segment_iou(given[:, :2], box).argmax(dim=1)]
            sample = ActionDataSample()
            sample.gt_instances = InstanceData(gt_bbox=matching)
            sample.proposals = InstanceData(proposals=given)
            samples.append(sample)
        return self.localizer(list(feats), samples, mode='loss')

    def predict(self, feats: Tensor, proposals: Sequence[Tensor]) -> list[tuple]:
        """See :meth:`LocalizerAdapter.predict`."""
        features = self.localizer(list(feats), None, mode='tensor')
        counts = [len(given) for given in proposals]
        owner = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
        features = features[owner.to(features.device)]
        given = torch.cat(list(proposals))
        refined, score = given[:, :2], given[:, 2]
        segments, scores = [], []
        # the thresholds matter in training only
        for stage in (self.localizer.tbr1, self.localizer.tbr2, self.localizer.tbr3):
            iou, refined, _, _ = stage(refined, features, None, 0., False)
            segments.append(refined.split(counts))
            scores.append((score * iou).split(counts))
        return [(torch.cat(s), torch.cat(p)) for s, p in zip(zip(*segments), zip(*scores))]


ADAPTERS = dict(BMN=BMNAdapter, TEM=TEMAdapter, TCANet=TCANetAdapter)


def _best_iou(boxes: Tensor, anchors: Tensor) -> float:
    """Largest IoU of any box with any anchor."""
    return float(segment_iou(boxes, anchors).max()) if len(boxes) else 0.
