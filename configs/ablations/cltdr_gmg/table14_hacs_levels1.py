# Table 14, HACS, 1 pyramid level (paper: average mAP 12.7)
_base_ = ['../../cltdr_hacs_slowfast.py']
model = dict(num_levels=1)
# without a neighbour the cross-level layers have nothing to do
find_unused_parameters = True
