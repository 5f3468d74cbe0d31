# CLTDR-GMG on HAPT before anything was chosen on people set apart: what switches and swaps change
_base_ = ['../cltdr_hapt.py']
model = dict(
    head=dict(num_bins=16, boundary_feats=None))
