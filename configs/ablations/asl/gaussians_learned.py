# Gaussians of the class level: learned
_base_ = ['../../asl_multithumos.py']
model = dict(head=dict(class_level='learned'))
