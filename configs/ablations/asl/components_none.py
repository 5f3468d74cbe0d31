# Components of ASL: none, which is ActionFormer
_base_ = ['../../asl_multithumos.py']
model = dict(head=dict(class_level=None, instance_level=False, contrast_weight=0))
