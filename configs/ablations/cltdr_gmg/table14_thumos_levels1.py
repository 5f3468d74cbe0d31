# Table 14, THUMOS14, 1 pyramid level (paper: average mAP 55.6)
_base_ = ['../../cltdr_thumos_internvideo2.py']
model = dict(num_levels=1)
# without a neighbour the cross-level layers have nothing to do
find_unused_parameters = True
