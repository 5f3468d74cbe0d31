# HAPT: the paper's loss (eq. 13): varifocal and IoU loss on refined results, negatives apart
_base_ = ['../../cltdr_hapt.py']
model = dict(
    head=dict(
        loss_cls=dict(alpha=0.75), loss_reg=dict(type='IoU1DLoss'), loss_coarse=None,
        iou_targets=True, balance_negatives=True, iou_power=0.))
