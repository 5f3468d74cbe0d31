# HAPT: CLTDR head as the published code computes it
_base_ = ['../../cltdr_hapt.py']
model = dict(
    head=dict(
        fusion_depthwise=False, fusion_kernel_size=1, boundary_feats='pyramid',
        score_fusion='logit_product', offsets_per_class=True, offset_unit='grid',
        refine_kernel_sizes=dict(offset=7), detach_iou=False, normalizer_moves='half'))
