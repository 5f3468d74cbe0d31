"""From candidates to detections: NMS, voting, video-level scores. Batch first."""
from .external_scores import ExternalScores
from .nms import HardNMS, SoftNMS
from .postprocessor import TALPostProcessor
from .voting import SegmentVoting

__all__ = [
    'ExternalScores', 'HardNMS', 'SegmentVoting', 'SoftNMS', 'TALPostProcessor'
]
