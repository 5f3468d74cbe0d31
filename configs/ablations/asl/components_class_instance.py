# Components of ASL: class level, instance level
_base_ = ['../../asl_multithumos.py']
model = dict(head=dict(class_level='learned', instance_level=True, contrast_weight=0))
