# HAPT: GMG with TriDet's head, whose boundaries are moved and judged (docs/methods/boundaries.md)
_base_ = ['./swaps/gmg_trident.py']
model = dict(
    head=dict(
        refinement=dict(type='FineBoundaries'),
        quality=dict(type='QualityBranch', exponent=0.5)),
    # 0.5 over 1 - exponent: as wide for the class's share of a score
    postprocessor=dict(nms=dict(sigma=1.0)))
