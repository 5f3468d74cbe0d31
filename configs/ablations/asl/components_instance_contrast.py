# Components of ASL: instance level, contrastive loss
_base_ = ['../../asl_multithumos.py']
model = dict(head=dict(class_level=None, instance_level=True, contrast_weight=0.3))
