"""From candidates to detections: NMS, voting, video-level scores. Batch first."""
from .external_scores import ExternalScores
from .mmaction_hook import FastSoftNMSHook
from .nms import HardNMS, SoftNMS
from .postprocessor import TALPostProcessor
from .voting import SegmentVoting

__all__ = [
    'ExternalScores', 'FastSoftNMSHook', 'HardNMS', 'SegmentVoting', 'SoftNMS', 'TALPostProcessor'
]
