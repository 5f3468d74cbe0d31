# HAPT: IoU loss instead of DIoU loss
_base_ = ['../../cltdr_hapt.py']
model = dict(head=dict(loss_reg=dict(type='IoU1DLoss')))
