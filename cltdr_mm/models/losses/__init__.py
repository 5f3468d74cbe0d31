"""Losses of each step or pair. What is summed and divided by what, the heads decide."""
from .contrastive import InfoNCELoss
from .focal import TALFocalLoss
from .iou import DIoU1DLoss, GIoU1DLoss, IoU1DLoss, distance_iou
from .varifocal import TALVarifocalLoss

__all__ = [
    'DIoU1DLoss', 'GIoU1DLoss', 'InfoNCELoss', 'IoU1DLoss', 'TALFocalLoss', 'TALVarifocalLoss',
    'distance_iou'
]
