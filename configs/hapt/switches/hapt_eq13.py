# HAPT: eq. 13: refined results only, varifocal loss times IoU at positives, IoU loss
_base_ = ['../../cltdr_hapt.py']
model = dict(head=dict(loss_reg=dict(type='IoU1DLoss'), loss_coarse=None, iou_power=1.))
