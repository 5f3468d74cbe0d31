# Gaussians of the class level: none, no class level
_base_ = ['../../asl_multithumos.py']
model = dict(head=dict(class_level=None))
