"""State space layers and encoders against numbers of the published modules.

`paper`: every video as if alone. `release`: padding that is seen, as the official code computes;
OpenTAD's masks of pooled levels are not ours, so there the video without padding is compared.
"""
import pytest
import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from parity_more import load

from cltdr_mm.engine.checkpoint_conversion import convert_state_dict
from cltdr_mm.models.backbones.actionmamba import MambaBlock
from cltdr_mm.models.backbones.causaltad import HybridBlock
from cltdr_mm.models.layers import DBM, Mamba, ViM, selective_scan, set_norm_eps
from cltdr_mm.structures import PackedRows, pack, unpack

DTYPES = [torch.float64, torch.float32]
BLOCKS = [f'{name}_stride{stride}' for stride in (1, 2)
          for name in ('dbm_block_official', 'dbm_block_opentad', 'causaltad_block')]
ENCODERS = dict(actionmamba_official=('ActionMamba', 'actionmamba', 'backbone.'),
                actionmamba_opentad=('ActionMamba', 'actionmamba-opentad', 'projection.'),
                causaltad_encoder=('CausalTAD', 'causaltad', 'projection.'))
FILES = [*BLOCKS, *ENCODERS]


def tolerance(meta, dtype):
    return 1e-9 if dtype == torch.float64 else 10 * meta['float32_max_error']


def sizes(meta):
    return dict(expand=meta['expand'], num_states=meta['d_state'], kernel_size=meta['d_conv'])


def close(found, expected, bound):
    assert found.shape == expected.shape
    assert float((found.detach().double() - expected).abs().max()) < bound


def norms_agree(module, names, arrays, prefix, dtype):
    """Gradient norms by published names, of which ``names`` knows ours."""
    found = dict(module.named_parameters())
    assert len(names) == len(found) > 3
    for theirs, ours in names.items():
        expected = float(arrays[f'{prefix}.{theirs}'])
        error = abs(float(found[ours].grad.norm()) - expected) / max(expected, 1e-12)
        assert error < (1e-9 if dtype == torch.float64 else 1e-5), (theirs, error)


@pytest.mark.parametrize('dtype', DTYPES)
def test_selective_scan(dtype):
    meta, arrays = load('ssm', 'selective_scan')
    given = {key[3:]: value.to(dtype).requires_grad_() for key, value in arrays.items()
             if key.startswith('in.')}
    layout = pack([x.t() for x in arrays['in.u']]).layout

    def rows(name):  # (B, C, T) to (R, 1, C)
        return layout.place(given[name].transpose(1, 2).flatten(0, 1))[:, None]

    dt = F.softplus(rows('delta') + given['delta_bias'])
    y = selective_scan(rows('u'), dt, given['A'][None], rows('B'), rows('C'), layout)
    out = (y + given['D'] * rows('u')) * F.silu(rows('z'))
    plain, out = (torch.stack([block.t() for block in layout.blocks(x[:, 0])[0]])
                  for x in (y, out))
    close(plain, arrays['out_without_z_and_D'], tolerance(meta, dtype))
    close(out, arrays['out'], tolerance(meta, dtype))
    (out * arrays['loss_weight'].to(dtype)).sum().backward()
    for name, x in given.items():
        expected = arrays[f'grad.{name}']
        bound = 1e-9 if dtype == torch.float64 else 1e-4 * float(expected.abs().max())
        close(x.grad, expected, bound)


@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize(('name', 'mixer'), [
    ('mamba1_layer', Mamba), ('dbm_mixer', DBM), ('vim_mixer', ViM)])
def test_mixers(name, mixer, dtype):
    meta, arrays = load('ssm', name)
    module = mixer(meta['width'], rank=meta['dt_rank'], **sizes(meta)).to(dtype)
    module.load_state_dict({key[6:]: value for key, value in arrays.items()
                            if key.startswith('param.')})
    x = arrays['in.x'].to(dtype).requires_grad_()  # (B, T, D)
    packed = pack(list(x))
    layout = packed.layout
    out = layout.blocks(module(packed.rows, layout))[0]
    close(out, arrays['out'], tolerance(meta, dtype))
    (out * arrays['loss_weight'].to(dtype)).sum().backward()
    close(x.grad, arrays['grad.x'], 1e-9 if dtype == torch.float64 else
          1e-4 * float(arrays['grad.x'].abs().max()))
    norms_agree(module, {key: key for key in module.state_dict()}, arrays, 'gradnorm', dtype)


def load_module(name, dtype):
    """``meta``, arrays, the module and its parameters' names by their published ones."""
    meta, arrays = load('ssm', name)
    params = {key[6:]: value for key, value in arrays.items() if key.startswith('param.')}
    if name in ENCODERS:
        kind, family, prefix = ENCODERS[name]
        heads = dict(num_heads=meta['num_heads']) if 'num_heads' in meta else {}
        module = MODELS.build(dict(
            type=kind, in_channels=meta['in_channels'], embed_dims=meta['width'],
            arch=meta['arch'], embed_kernel_size=meta['embed_kernel_size'],
            use_abs_pe=meta['use_abs_pe'], norm_eps=meta['norm_eps'], **sizes(meta), **heads))
        converted = convert_state_dict({prefix + key: x for key, x in params.items()}, family)
        state = {key.removeprefix('backbone.'): value for key, value in converted.items()}
    else:
        cls = HybridBlock if name.startswith('causaltad') else MambaBlock
        heads = dict(num_heads=meta['num_heads']) if 'num_heads' in meta else {}
        module = cls(meta['width'], meta['stride'], **sizes(meta), **heads)
        set_norm_eps(module, meta['norm_eps'])
        state = {key: value[None, :, None] if key.startswith('norm.') else value
                 for key, value in params.items()}
    module.load_state_dict(state)
    return meta, arrays, module.to(dtype).eval(), dict(zip(params, state))


def run(module, packed):
    """The levels of a block or an encoder."""
    if isinstance(module, (MambaBlock, HybridBlock)):
        return [PackedRows(*module(packed.rows, packed.layout))]
    return module(packed)


@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize('name', FILES)
def test_paper(name, dtype):
    """In a batch, every video as if it were alone."""
    meta, arrays, module, names = load_module(name, dtype)
    x = arrays['in.x'].to(dtype).requires_grad_()
    packed = pack([video[:, :length].t() for video, length in zip(x, meta['lengths'])])
    loss = 0
    for level, table in enumerate(run(module, packed)):
        expected = arrays[f'out_paper.{level}']
        out, mask = unpack(table, expected.shape[2])
        assert torch.equal(mask, arrays[f'mask_paper.{level}'].bool())
        close(out, expected, tolerance(meta, dtype))
        loss = loss + (out * arrays[f'loss_weight.{level}'].to(dtype)).sum()
    loss.backward()
    close(x.grad, arrays['grad_paper.x'], 1e-9 if dtype == torch.float64 else
          1e-4 * float(arrays['grad_paper.x'].abs().max()))
    norms_agree(module, names, arrays, 'gradnorm_paper', dtype)


@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize('name', [name for name in FILES if 'official' in name])
def test_release_of_the_official_code(name, dtype):
    """Padding that is seen: the same values in it, and the same leaks out of it."""
    meta, arrays, module, names = load_module(name, dtype)
    x = arrays['in.x'].to(dtype).requires_grad_()
    packed = pack([video[:, :length].t() for video, length in zip(x, meta['lengths'])],
                  [x.shape[2]] * len(x))
    loss = leak = 0
    for level, table in enumerate(run(module, packed)):
        expected = arrays[f'out_release.{level}']
        out = table.rows[table.layout.seen_rows].view(len(x), -1, table.rows.shape[1])
        close(out.transpose(1, 2), expected, tolerance(meta, dtype))
        loss = loss + (out.transpose(1, 2) * arrays[f'loss_weight.{level}'].to(dtype)).sum()
        leak = max(leak, float((expected - arrays[f'out_paper.{level}']).abs().max()))
    assert leak > 1e-3
    loss.backward()
    valid = arrays['in.mask'].bool()[:, None].expand_as(x)
    expected = arrays['grad_release.x']
    close(x.grad[valid], expected[valid], 1e-9 if dtype == torch.float64 else
          1e-4 * float(expected[valid].abs().max()))
    norms_agree(module, names, arrays, 'gradnorm_release', dtype)


@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize('name', [name for name in FILES if 'official' not in name])
def test_release_of_opentad(name, dtype):
    meta, arrays, module, _ = load_module(name, dtype)
    whole = [row for row, length in enumerate(meta['lengths'])
             if length == arrays['in.x'].shape[2]]
    assert whole
    for row in whole:
        x = arrays['in.x'][row].to(dtype).requires_grad_()
        loss = 0
        for level, table in enumerate(run(module, pack([x.t()]))):
            out = table.rows[table.layout.valid_rows].t()
            close(out, arrays[f'out_release.{level}'][row], tolerance(meta, dtype))
            loss = loss + (out * arrays[f'loss_weight.{level}'][row].to(dtype)).sum()
        loss.backward()
        expected = arrays['grad_release.x'][row]
        close(x.grad, expected, 1e-9 if dtype == torch.float64 else
              1e-4 * float(expected.abs().max()))
