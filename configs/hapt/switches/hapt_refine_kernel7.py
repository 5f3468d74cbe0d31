# HAPT: offset layers of the refine head with kernel 7
_base_ = ['../../cltdr_hapt.py']
model = dict(head=dict(refine_kernel_sizes=dict(offset=7)))
