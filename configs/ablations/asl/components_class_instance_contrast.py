# Components of ASL: class level, instance level, contrastive loss
_base_ = ['../../asl_multithumos.py']
model = dict(head=dict(class_level='learned', instance_level=True, contrast_weight=0.3))
