"""Which parameters are decayed, and in how many groups they come."""
import pytest
import torch
import torch.nn as nn
from mmaction.registry import OPTIM_WRAPPER_CONSTRUCTORS

from cltdr_mm.engine import takes_weight_decay


class Diagonal(nn.Module):
    """A depth-wise 1x1 convolution written as a multiply-add."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 1, 1))
        self.bias = nn.Parameter(torch.zeros(4))


class ChannelNorm(nn.Module):
    """A norm that torch does not know."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1, 4, 1))


class Block(nn.Module):
    """One parameter of every kind that the recipes tell apart."""
    no_weight_decay = ('gate',)

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(4, 4, 3)
        self.depthwise = nn.Conv1d(4, 4, 1, groups=4)
        self.up = nn.ConvTranspose1d(4, 4, 3)
        self.fc = nn.Linear(4, 4)
        self.group_norm = nn.GroupNorm(2, 4)
        self.layer_norm = nn.LayerNorm(4)
        self.attention = nn.MultiheadAttention(4, 2)
        self.filter = nn.Parameter(torch.randn(2, 4, 1))
        self.filter_bias = nn.Parameter(torch.randn(2, 4))
        self.b1 = nn.Parameter(torch.randn(2, 4))
        self.diagonal = Diagonal()
        self.channel_norm = ChannelNorm()
        self.channel_weight = nn.Parameter(torch.ones(1, 4, 1))
        self.pos_embed = nn.Parameter(torch.randn(1, 4, 9))
        self.drop_path_scale = nn.Parameter(torch.randn(2, 4))
        self.gate = nn.Parameter(torch.randn(4, 4))
        self.scalar = nn.Parameter(torch.ones(()))


DECAYED = {'conv.weight', 'depthwise.weight', 'up.weight', 'fc.weight', 'filter',
           'diagonal.weight', 'attention.in_proj_weight', 'attention.out_proj.weight'}


def build(model, lr=0.1, weight_decay=0.05, **paramwise):
    constructor = OPTIM_WRAPPER_CONSTRUCTORS.build(dict(
        type='TALOptimWrapperConstructor', paramwise_cfg=paramwise or None,
        optim_wrapper_cfg=dict(type='OptimWrapper', optimizer=dict(
            type='AdamW', lr=lr, weight_decay=weight_decay))))
    return constructor(model).optimizer.param_groups


def names(model, params):
    return {name for name, p in model.named_parameters() if any(p is q for q in params)}


def test_only_weights_that_mix_are_decayed():
    model = Block()
    decayed = {f'{prefix}.{name}'.lstrip('.') for prefix, module in model.named_modules()
               for name, p in module.named_parameters(recurse=False)
               if takes_weight_decay(module, name, p)}
    assert decayed == DECAYED


def test_two_groups_hold_every_parameter_once():
    model = Block()
    groups = build(model)
    assert [g['weight_decay'] for g in groups] == [0.05, 0.] and {g['lr'] for g in groups} == {0.1}
    assert names(model, groups[0]['params']) == DECAYED
    assert sum(len(g['params']) for g in groups) == len(list(model.parameters()))


def test_custom_keys_scale_rates_and_longest_wins():
    model = Block()
    groups = build(model, custom_keys={
        'attention': dict(lr_mult=0.5), 'attention.out_proj': dict(lr_mult=0.1, decay_mult=2.)})
    by_name = {n: (g['lr'], g['weight_decay']) for g in groups for n in names(model, g['params'])}
    assert by_name['attention.in_proj_weight'] == (0.05, 0.05)
    assert by_name['attention.out_proj.weight'] == pytest.approx((0.01, 0.1))
    assert by_name['attention.out_proj.bias'] == pytest.approx((0.01, 0.))
    assert by_name['fc.weight'] == (0.1, 0.05)


def test_decay_of_all():
    """As adapters are trained: biases, norms and scales, too, of what the key names."""
    model = Block()
    groups = build(model, custom_keys=dict(attention=dict(lr_mult=2., decay_all=True)))
    by_name = {n: (g['lr'], g['weight_decay']) for g in groups for n in names(model, g['params'])}
    assert by_name['attention.out_proj.bias'] == by_name['attention.in_proj_weight'] == (0.2, 0.05)
    assert by_name['fc.bias'] == (0.1, 0.)


def test_a_key_may_name_what_is_frozen():
    model = Block()
    model.fc.requires_grad_(False)
    groups = build(model, custom_keys=dict(fc=dict(lr_mult=0.1)))
    assert {group['lr'] for group in groups} == {0.1}


def test_shared_and_frozen_parameters():
    model = Block()
    model.again = model.fc
    model.conv.weight.requires_grad_(False)
    groups = build(model)
    assert names(model, groups[0]['params']) == DECAYED - {'conv.weight'}
    assert sum(len(g['params']) for g in groups) == len(list(model.parameters())) - 1


@pytest.mark.parametrize('paramwise, message', [
    (dict(norm_decay_mult=0.), 'norm_decay_mult'),
    (dict(custom_keys=dict(fc=dict(lr=1.))),
     "knows lr_mult, decay_mult and decay_all, not \\['lr'\\]"),
    (dict(custom_keys=dict(fcc=dict(lr_mult=1.))), "no parameter of Block has \\['fcc'\\]"),
])
def test_settings_without_effect_are_errors(paramwise, message):
    with pytest.raises(ValueError, match=message):
        build(Block(), **paramwise)


def test_rate_and_decay_are_required():
    with pytest.raises(ValueError, match='needs lr and weight_decay'):
        build(Block(), weight_decay=None)


def test_rates_are_numbers():
    with pytest.raises(ValueError, match=r'wrapper\.optimizer\.lr must be a number, got list'):
        build(Block(), lr=[0.1, 0.2])


def clipped(clip_grad):
    return OPTIM_WRAPPER_CONSTRUCTORS.build(dict(
        type='TALOptimWrapperConstructor', optim_wrapper_cfg=dict(
            type='OptimWrapper', clip_grad=clip_grad,
            optimizer=dict(type='AdamW', lr=0.1, weight_decay=0.05))))(Block())


@pytest.mark.parametrize('clip_grad, words', [
    (dict(max_norm=0), r'clip_grad\.max_norm must be positive, got 0; clip_grad=None'),
    (dict(max_norm=1, max_norms=2), r'clip_grad\.max_norms: .* did you mean `max_norm`'),
    (dict(norm_type=2), r'clip_grad\.max_norm must be a number'),
    (dict(type='value', clip_value=-1.), r'clip_grad\.clip_value must be positive'),
    (0.5, r'clip_grad must be dict\(max_norm=...\) or None')])
def test_clipping_that_makes_no_sense(clip_grad, words):
    with pytest.raises(ValueError, match=words):
        clipped(clip_grad)


@pytest.mark.parametrize('clip_grad', [
    None, dict(max_norm=1), dict(max_norm=1., norm_type=2), dict(type='value', clip_value=1)])
def test_clipping(clip_grad):
    assert (clipped(clip_grad).clip_grad_kwargs or {}) == {
        key: value for key, value in (clip_grad or {}).items() if key != 'type'}
