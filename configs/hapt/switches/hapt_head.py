# HAPT: CLTDR head as the published code computes it
_base_ = ['../../cltdr_hapt.py']
model = dict(head=dict(variant='release'))
