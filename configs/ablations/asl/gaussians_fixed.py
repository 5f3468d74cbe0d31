# Gaussians of the class level: fixed as they start
_base_ = ['../../asl_multithumos.py']
model = dict(head=dict(class_level='fixed'))
