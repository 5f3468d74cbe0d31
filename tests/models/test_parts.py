"""What backbones, necks and heads have in common: their two interfaces, and shapes that agree."""
import pytest
import torch
from batteries import make_inputs
from head_batteries import CLASSES, LEVELS, WIDTH, make_pyramid, make_samples
from mmaction.registry import MODELS

from cltdr_mm.models.parts import pack_pyramid, with_shapes
from cltdr_mm.structures import stack_rows

PARTS = dict(
    backbone=dict(type='ConvPyramid', in_channels=WIDTH, embed_dims=WIDTH, num_levels=LEVELS),
    neck=dict(type='FPN1D', in_channels=WIDTH, num_levels=LEVELS),
    head=dict(type='ActionFormerHead', num_classes=CLASSES, in_channels=WIDTH, num_levels=LEVELS),
    asl=dict(type='ASLHead', in_channels=WIDTH, num_levels=LEVELS,
             head=dict(type='ActionFormerHead', num_classes=CLASSES)))


@pytest.mark.parametrize('name', PARTS)
def test_padded_features_come_with_masks(name):
    """Without them nobody knows what is padding."""
    part = MODELS.build(PARTS[name])
    x = make_inputs([9, 4], WIDTH)[0] if name == 'backbone' else make_pyramid([9, 4])[0]
    who = type(getattr(part, 'head', part)).__name__
    with pytest.raises(TypeError, match=rf'{who}: \(B, C, T\) features need their masks'):
        part(x)
    if name in ('head', 'asl'):
        samples = make_samples([(9, [], []), (4, [], [])])
        with pytest.raises(TypeError, match='need their masks'):
            part.loss(x, None, samples)


def test_a_table_has_as_many_levels_as_the_head():
    """Also where all levels come in one table."""
    head = MODELS.build(PARTS['head'])
    table = stack_rows(pack_pyramid(*make_pyramid([9, 4], levels=2)))
    with pytest.raises(ValueError, match=f'2 feature levels came in, .* built for {LEVELS}'):
        head(table)


def test_with_shapes():
    cfg = dict(type='Neck', num_levels=3)
    assert with_shapes(cfg, 'neck', in_channels=8, num_levels=3) == dict(cfg, in_channels=8)
    assert with_shapes(cfg, 'neck', in_channels=None, num_levels=None) == cfg
    assert cfg == dict(type='Neck', num_levels=3)
    with pytest.raises(ValueError, match='neck Neck: num_levels=3 is written, but .* give 4'):
        with_shapes(cfg, 'neck', num_levels=4)


@torch.no_grad()
def test_a_tuple_of_levels_is_as_good_as_a_list():
    feats, masks = make_pyramid([9, 4])
    for name in ('neck', 'head'):
        part = MODELS.build(PARTS[name]).eval()
        a, b = part(feats, masks), part(tuple(feats), tuple(masks))
        a, b = (x['cls_logits'] if name == 'head' else x[0] for x in (a, b))
        assert all(torch.equal(x, y) for x, y in zip(a, b))


@pytest.mark.parametrize('name', ['head', 'asl'])
def test_what_does_not_fit_a_head_is_named(name):
    """Data samples and channels: neither may be taken for something else."""
    head = MODELS.build(PARTS[name])
    feats, masks = make_pyramid([9, 4])
    for videos in ([(9, [], [])], [(9, [], []), (4, [], []), (4, [], [])]):
        for method in (head.loss, head.predict):
            with pytest.raises(ValueError, match=f'2 videos, but {len(videos)} data samples'):
                method(feats, masks, make_samples(videos))
    wide = [x.repeat(1, 2, 1) for x in feats]
    with pytest.raises(ValueError, match=f'of {WIDTH} channels, got {2 * WIDTH}'):
        head.loss(wide, masks, make_samples([(9, [], []), (4, [], [])]))


@pytest.mark.parametrize('part, instead', [
    (dict(type='GMG', in_channels=8), 'stem_kernel_size=1, .*force_float32=True'),
    (dict(type='SGP', in_channels=8), 'stem_window_size=1'),
    (dict(type='TemporalMaxer', in_channels=8), 'nothing in its place'),
    (dict(type='IdentityNeck', in_channels=8, num_levels=2), 'nothing in its place')])
def test_a_variant_says_what_it_stood_for(part, instead):
    kind = part['type']
    with pytest.raises(TypeError, match=f'{kind}: `variant` is gone: write {instead}'):
        MODELS.build(dict(part, variant='release'))
    with pytest.raises(TypeError, match=f'{kind}: .* write nothing in its place'):
        MODELS.build(dict(part, variant='paper'))


def test_names_of_an_earlier_version():
    with pytest.raises(ImportError, match='MaskedConv1d is gone.* NamedConv.*layout.zero_gaps'):
        from cltdr_mm.models.layers import MaskedConv1d  # noqa: F401
    with pytest.raises(ImportError, match='pad_sequences is gone'):
        from cltdr_mm.models import pad_sequences  # noqa: F401
    with pytest.raises(ImportError, match="cannot import name 'Nothing'"):
        from cltdr_mm.models import Nothing  # noqa: F401
