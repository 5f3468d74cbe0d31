# Components of ASL: class level
_base_ = ['../../asl_multithumos.py']
model = dict(head=dict(class_level='learned', instance_level=False, contrast_weight=0))
