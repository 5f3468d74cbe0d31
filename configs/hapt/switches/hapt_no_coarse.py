# HAPT: coarse results are not supervised
_base_ = ['../../cltdr_hapt.py']
model = dict(head=dict(loss_coarse=None))
