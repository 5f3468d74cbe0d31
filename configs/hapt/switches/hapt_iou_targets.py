# HAPT: positives aim at their IoU, not at 1
_base_ = ['../../cltdr_hapt.py']
model = dict(head=dict(iou_targets=True, iou_power=0.))
