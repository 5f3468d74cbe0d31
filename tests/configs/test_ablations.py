"""Every ablation config is short, builds at full size, and changes what its row says."""
import pytest
import torch
from config_models import CONFIGS, build, load, millions
from torch import nn

from cltdr_mm.models import backbones, heads
from cltdr_mm.models.backbones.fourier_mixers import AFNO, FNet, GFNet
from cltdr_mm.models.backbones.spectral import ConvFilter
from cltdr_mm.models.layers import LocalSelfAttention
from cltdr_mm.structures import Layout, PackedRows, split_levels, stack_rows

FOLDER = CONFIGS / 'ablations'
NAMES = sorted(p.relative_to(FOLDER).with_suffix('').as_posix() for p in FOLDER.rglob('*.py'))
RANGES = [(0, 4), (4, 8), (8, 16), (16, 32), (32, 64), (64, 10000)]
BASES = dict(thumos='cltdr_thumos_internvideo2', multithumos='cltdr_multithumos_videomaev2',
             epic_verb='cltdr_epic_verb', epic_noun='cltdr_epic_noun', anet='cltdr_anet_tsp',
             hacs='cltdr_hacs_slowfast')
MODELS = {}


def model_of(name):
    """The built model of an ablation; each is built once."""
    if name not in MODELS:
        MODELS[name] = build(load(f'ablations/{name}'))
    return MODELS[name]


def of_table(name):
    return [n for n in NAMES if n.startswith(name)]


def blocks(model):
    return [*model.backbone.stem, *model.backbone.branch]


def names_in(module):
    return {name for name, _ in module.named_modules()}


def pyramid(channels=512, steps=64, levels=6, spoilt=2):
    """A pyramid to run a head with: zeros, but for one level of NaN."""
    layouts = [Layout([steps >> level], levels=[level]) for level in range(levels)]
    tables = [torch.zeros(layout.num_rows, channels) for layout in layouts]
    tables[spoilt][layouts[spoilt].valid_rows] = float('nan')
    return stack_rows([PackedRows(*pair) for pair in zip(tables, layouts)])


def test_every_row_is_there():
    counts = {f'cltdr_gmg/table{n:02d}': rows
              for n, rows in zip(range(6, 15), (7, 2, 2, 8, 4, 3, 3, 5, 6 * 8))}
    counts['cltdr_gmg/supplementA'] = 3
    counts.update({'logo/table03': 4, 'logo/table04': 3, 'logo/table05': 5,
                   'asl/components': 8, 'asl/gaussians': 3})
    assert {table: len(of_table(table)) for table in counts} == counts
    assert sum(counts.values()) == len(NAMES)


@pytest.mark.parametrize('name', NAMES)
def test_is_short_inherits_and_builds(name):
    lines = (FOLDER / f'{name}.py').read_text().splitlines()
    assert len(lines) < 10
    if name.startswith('asl/'):
        kind = name.split('/')[1].split('_')[0]
        assert lines[0].startswith(f'# {kind.capitalize()} of ')
    elif 'supplementA' in name:
        assert lines[0].startswith('# Supplement A, ') and 'no figure' in lines[0]
    else:
        table = int(name.split('table')[1][:2])
        assert lines[0].startswith(f'# Table {table}, ') and 'paper: average mAP' in lines[0]
    assert lines[1].startswith("_base_ = ['../../")
    cfg = load(f'ablations/{name}')
    assert {'train_dataloader', 'test_evaluator', 'train_cfg', 'optim_wrapper'} <= set(cfg)
    model = model_of(name)
    assert model.backbone.in_channels == cfg.train_dataloader.dataset.feature_dim
    assert model.backbone.num_levels == model.head.num_levels == len(model.neck.fpn_norms)
    assert getattr(model.head, 'head', model.head).in_channels == model.backbone.embed_dims


@pytest.mark.parametrize('name', of_table('cltdr_gmg/table06'))
def test_granularities(name):
    wanted = set(name.split('table06_')[1].split('_'))
    for block in blocks(model_of(name)):
        found = {granularity for granularity, part in
                 (('instant', block.fc), ('local', block.convw), ('global', block.global_mixer))
                 if part is not None}
        assert found == wanted
    assert len(blocks(model_of(name))) == 7


def test_gates():
    """Without gates the finer views do not depend on the coarser ones."""
    for name, gated in (('with', True), ('without', False)):
        block = model_of(f'cltdr_gmg/table07_{name}_gate').backbone.stem[0]
        fine, coarse = torch.ones(2, 3), torch.tensor([0., 2., -1.]).expand(2, 3)
        out = block.gated(fine, coarse)
        assert out.tolist() == ([[0., 2., 0.]] * 2 if gated else fine.tolist())


def test_global_mixers():
    fft, attention = (model_of(f'cltdr_gmg/table08_{name}') for name in ('fft', 'self_attention'))
    assert all(isinstance(b.global_mixer, ConvFilter) for b in blocks(fft))
    assert all(isinstance(b.global_mixer, LocalSelfAttention) for b in blocks(attention))
    assert millions(attention.backbone) > millions(fft.backbone) + 5


@pytest.mark.parametrize('name, mixer, extra', [
    ('fnet', FNet, 0), ('gfnet', GFNet, 2 * 129 * 512),
    ('afno', AFNO, 2 * 2 * (512 * 512 // 8 + 512))])
def test_fourier_mixers_of_other_papers(name, mixer, extra):
    model, fft = model_of(f'cltdr_gmg/supplementA_{name}'), model_of('cltdr_gmg/table08_fft')
    assert [type(b.global_mixer) for b in blocks(model)] == [mixer] * 7
    for block, plain in zip(blocks(model), blocks(fft)):
        assert sum(p.numel() for p in block.global_mixer.parameters()) == extra
        block.global_mixer = plain.global_mixer = None
    assert str(model) == str(fft), 'and nothing else differs'
    MODELS.pop(f'cltdr_gmg/supplementA_{name}'), MODELS.pop('cltdr_gmg/table08_fft')


@pytest.mark.parametrize('name', of_table('cltdr_gmg/table09'))
def test_sources(name):
    part, key = name.split('table09_')[1].split('_')
    wanted = dict(own=set(), higher={'higher'}, lower={'lower'}, both={'higher', 'lower'})[key]
    head = model_of(name).head
    changed, other = (head.dcm, head.drm) if part == 'cls' else (head.drm, head.dcm)
    assert set(changed.resample) == set(changed.gate) == wanted
    assert set(other.resample) == ({'lower'} if part == 'cls' else {'higher'})
    # and the layers are used: a level that is seen carries its NaN over
    changed = changed.to_empty(device='cpu').requires_grad_(False)
    for param in changed.parameters():
        param.fill_(0.01)
    table = pyramid()
    fused = changed(table.rows, table.layout)
    levels = split_levels(PackedRows(fused, table.layout))
    touched = {level for level, x in enumerate(levels) if x.rows[x.layout.valid_rows].isnan().any()}
    expected = {2} | ({1} if 'higher' in wanted else set()) | ({3} if 'lower' in wanted else set())
    assert touched == expected
    MODELS.pop(name)


@pytest.mark.parametrize('name', of_table('cltdr_gmg/table10'))
def test_refinement(name):
    head = model_of(name).head
    wanted = set(name.split('table10_refine_')[1].split('_')) - {'none'}
    parts = names_in(head)
    assert ('clff' in parts) == ('refine_head' in parts) == bool(wanted)
    assert ('refine_head.cls_out' in parts) == ('cls' in wanted)
    assert ('refine_head.start_out' in parts) == ('reg' in wanted)
    assert ('refine_head.end_out' in parts) == ('reg' in wanted)


@pytest.mark.parametrize('name', of_table('cltdr_gmg/table11'))
def test_fusion(name):
    fusion = name.split('table11_')[1]
    head = model_of(name).head
    for module in (head.dcm, head.drm):
        assert hasattr(module, 'gate') == hasattr(module, 'own') == (fusion == 'attention')
        assert hasattr(module, 'mix') == (fusion == 'concat')
        assert len(module.resample) == 1
    assert not hasattr(head.clff, 'gate')  # eq. 9 adds in any case


@pytest.mark.parametrize('name, backbone, head, recipe', [
    ('table12_gmg_actionformer', 'GMG', 'ActionFormerHead', 'actionformer'),
    ('table12_gmg_trident', 'GMG', 'TridentHead', 'tridet'),
    ('table12_gmg_cltdr', 'GMG', 'CLTDRHead', 'cltdr'),
    ('table13_actionformer_cltdr', 'ActionFormer', 'CLTDRHead', 'actionformer'),
    ('table13_temporalmaxer_cltdr', 'TemporalMaxer', 'CLTDRHead', 'temporalmaxer'),
    ('table13_tridet_cltdr', 'SGP', 'CLTDRHead', 'tridet'),
    ('table13_actionmamba_cltdr', 'ActionMamba', 'CLTDRHead', 'actionmamba'),
    ('table13_gmg_cltdr', 'GMG', 'CLTDRHead', 'cltdr')])
def test_swaps(name, backbone, head, recipe):
    model = model_of(f'cltdr_gmg/{name}')
    assert type(model.backbone) is getattr(backbones, backbone)
    assert type(model.head) is getattr(heads, head)
    # whatever is not swapped is the paper's own system
    gmg, cltdr = (build(load('cltdr_thumos_internvideo2')) for _ in range(2))
    base = build(load(f'{recipe}_thumos_internvideo2'))
    expected = gmg if backbone == 'GMG' else base
    assert str(model.backbone) == str(expected.backbone)
    expected = cltdr if head == 'CLTDRHead' else base
    assert str(model.head) == str(expected.head)
    assert type(model.head.assigner) is type(expected.head.assigner)
    cfg, own = load(f'ablations/cltdr_gmg/{name}'), load(f'{recipe}_thumos_internvideo2')
    for key in ('train_cfg', 'param_scheduler', 'optim_wrapper', 'train_dataloader'):
        assert cfg[key] == own[key]


@pytest.mark.parametrize('name', of_table('cltdr_gmg/table14'))
def test_levels(name):
    data, levels = name.split('table14_')[1].rsplit('_levels', 1)
    levels = int(levels)
    model, base = model_of(name), build(load(BASES[data]))
    assert model.head.num_levels == levels == len(model.head.scales)
    assert len(model.backbone.branch) == levels - 1
    ranges = model.head.regression_ranges
    assert ranges[0][0] == 0 and ranges[-1][1] == 10000
    # no length falls between two levels, and levels mean the same in all rows of a data set
    assert all(low <= high for (_, high), (low, _) in zip(ranges, ranges[1:]))
    shared = min(levels, base.head.num_levels) - 1
    assert ranges[:shared] == base.head.regression_ranges[:shared]
    if levels == base.head.num_levels:
        assert ranges == base.head.regression_ranges and str(model) == str(base)
    assert type(model.head) is heads.CLTDRHead and type(model.backbone) is backbones.GMG


@pytest.mark.parametrize('name, backbone, head', [
    ('table03_conv_baseline', 'ConvPyramid', 'ActionFormerHead'),
    ('table03_self_attention', 'ActionFormer', 'ActionFormerHead'),
    ('table03_logo', 'LoGo', 'ActionFormerHead'), ('table03_logo_clff', 'LoGo', 'CLFFHead'),
    ('table04_actionformer_head', 'LoGo', 'ActionFormerHead'),
    ('table04_trident_head', 'LoGo', 'TridentHead'), ('table04_clff_head', 'LoGo', 'CLFFHead')])
def test_logo_parts(name, backbone, head):
    model, full = model_of(f'logo/{name}'), build(load('logo_thumos'))
    assert type(model.backbone) is getattr(backbones, backbone)
    assert type(model.head) is getattr(heads, head)
    assert ('resample' in names_in(model.head)) == (head == 'CLFFHead')
    # one loss and one size for all rows
    assert type(model.head.loss_reg) is type(full.head.loss_reg)
    options = model.head.loss_options
    assert not options.balance_negatives and options.iou_power == 1
    assert model.head.regression_ranges == full.head.regression_ranges == RANGES
    assert model.backbone.embed_dims == full.backbone.embed_dims
    if (backbone, head) == ('LoGo', 'CLFFHead'):
        assert str(model) == str(full)


@pytest.mark.parametrize('name', of_table('logo/table05'))
def test_logo_levels(name):
    levels = int(name[-1])
    model, full = model_of(name), build(load('logo_thumos'))
    assert model.head.num_levels == levels == len(model.backbone.branch) + 1
    assert len(model.backbone.stem) == 0
    assert model.head.regression_ranges[:levels - 1] == [*RANGES[:5], (64, 128)][:levels - 1]
    assert model.head.regression_ranges[-1][1] == 10000
    assert (str(model) == str(full)) == (levels == 6)
    assert type(model.head) is heads.CLFFHead
    assert isinstance(model.head.resample, nn.Module)


@pytest.mark.parametrize('name', of_table('asl'))
def test_asl_parts(name):
    """The model has the parts that the name and the README's row say, and is else the full one."""
    cfg, full = load(f'ablations/{name}'), load('asl_multithumos')
    kind, *parts = name.split('/')[1].split('_')
    gaussians = parts[0] if kind == 'gaussians' else 'learned' if 'class' in parts else 'none'
    parts = ['instance', 'contrast'] if kind == 'gaussians' else parts
    head = model_of(name).head
    found = head.class_sensitivity and (
        'learned' if head.class_sensitivity.cls_center.requires_grad else 'fixed')
    assert (found or 'none') == gaussians
    assert (head.instance_sensitivity is not None) == ('instance' in parts)
    assert head.contrast_weight == (0.3 if 'contrast' in parts else 0)
    row = ['-' if gaussians == 'none' else gaussians,
           *('on' if part in parts else '-' for part in ('instance', 'contrast'))]
    assert f'| `{name}.py` | {" | ".join(row)} |' in (FOLDER / 'README.md').read_text()
    # no other key of the resolved config is another
    switches = {'class_level', 'instance_level', 'contrast_weight'}
    cfg.model.head = {k: v for k, v in cfg.model.head.items() if k not in switches}
    assert cfg.to_dict() == full.to_dict()


def test_asl_without_its_parts_is_actionformer():
    head = model_of('asl/components_none').head
    assert {name.split('.')[0] for name in head.state_dict()} == {'head'}
    assert type(head.head) is heads.ActionFormerHead
    assert str(model_of('asl/components_class_instance_contrast')) == str(
        build(load('asl_multithumos')))
