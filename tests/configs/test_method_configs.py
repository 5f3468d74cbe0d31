"""The methods' configs: they build at full size, and hold what was published."""
import pytest
from config_models import CONFIGS, build, load, millions
from mmengine.config import Config

from cltdr_mm.models import backbones, heads

METHODS = dict(
    tridet=('SGP', 'TridentHead'), actionformer=('ActionFormer', 'ActionFormerHead'),
    temporalmaxer=('TemporalMaxer', 'ActionFormerHead'), logo=('LoGo', 'CLFFHead'),
    asl=('ActionFormer', 'ASLHead'), actionmamba=('ActionMamba', 'ActionFormerHead'),
    causaltad=('CausalTAD', 'ActionFormerHead'))
#: Data set and its classes, by the name of the data in that of a config.
DATA = dict(
    thumos=('THUMOS14Dataset', 20), thumos_videomaev2=('THUMOS14Dataset', 20),
    thumos_internvideo2=('THUMOS14Dataset', 20), multithumos=('MultiTHUMOSDataset', 65),
    multithumos_rgb=('MultiTHUMOSDataset', 65), multithumos_videomaev2=('MultiTHUMOSDataset', 65),
    epic_verb=('EPICKitchens100Dataset', 97), epic_noun=('EPICKitchens100Dataset', 300),
    anet=('ActivityNet13Dataset', 1), hacs_i3d=('HACSDataset', 200),
    hacs_slowfast=('HACSDataset', 200), hapt=('HAPTDataset', 12), hacs=('HACSDataset', 200),
    charades=('CharadesDataset', 157), charades_videomae=('CharadesDataset', 157),
    ego4d_mq=('Ego4DMQDataset', 110),
    ego4d_mq_streams=('Ego4DMQDataset', 110),
    fineaction=('FineActionDataset', 1), epic_sounds=('EPICSoundsDataset', 44))
#: Levels, where there are not six.
LEVELS = dict(tridet_hacs_i3d=7, actionmamba_fineaction=8, actionformer_charades=7,
              actionformer_charades_videomae=8, actionformer_ego4d_mq=10,
              actionformer_epic_sounds=7, actionformer_ego4d_mq_streams=9, asl_charades=7,
              asl_ego4d_mq=10, asl_ego4d_mq_streams=9)
#: Classes of the head, where they are not those of the data set's other configs.
CLASSES = dict(actionmamba_hacs=1, actionmamba_fineaction=106)
#: Rows of the papers' tables.
WANTED = dict(
    actionformer='thumos thumos_videomaev2 thumos_internvideo2 multithumos_rgb epic_verb epic_noun '
                 'anet hapt charades charades_videomae ego4d_mq ego4d_mq_streams fineaction '
                 'epic_sounds',
    tridet='thumos thumos_videomaev2 thumos_internvideo2 multithumos multithumos_rgb '
           'multithumos_videomaev2 epic_verb epic_noun anet hacs_i3d hacs_slowfast hapt',
    temporalmaxer='thumos thumos_internvideo2 multithumos_rgb epic_verb epic_noun hapt',
    logo='thumos anet hapt',
    asl='thumos multithumos epic_verb epic_noun anet hapt charades ego4d_mq ego4d_mq_streams',
    actionmamba='thumos thumos_internvideo2 multithumos anet hacs fineaction hapt',
    causaltad='thumos thumos_internvideo2 anet hacs epic_verb epic_noun hapt')
NAMES = [f'{method}_{data}' for method in METHODS for data in DATA
         if (CONFIGS / f'{method}_{data}.py').is_file()]
#: Rows whose authors published no settings: theirs for THUMOS14 with I3D features.
RECIPE_OURS = ['actionformer_thumos_videomaev2', 'actionformer_multithumos_rgb',
               'tridet_thumos_videomaev2', 'tridet_multithumos', 'tridet_multithumos_rgb',
               'tridet_multithumos_videomaev2', 'asl_multithumos', 'actionmamba_thumos']


def test_the_papers_data_sets_are_there():
    wanted = {f'{method}_{data}' for method, row in WANTED.items() for data in row.split()}
    assert wanted <= set(NAMES)


@pytest.mark.parametrize('name', NAMES)
def test_builds(name):
    method, data = name.split('_', 1)
    cfg = load(name)
    model = build(cfg)
    assert type(model.backbone) is getattr(backbones, METHODS[method][0])
    assert type(model.head) is getattr(heads, METHODS[method][1])
    dataset, num_classes = DATA[data]
    assert model.head.num_classes == CLASSES.get(name, num_classes)
    assert cfg.train_dataloader.dataset.type == dataset
    assert model.backbone.in_channels == cfg.train_dataloader.dataset.feature_dim
    levels = LEVELS.get(name, 6)
    assert model.head.num_levels == model.backbone.num_levels == len(model.neck.fpn_norms) == levels
    head = model.head.head if method == 'asl' else model.head
    assert head.in_channels == model.backbone.embed_dims
    assert cfg.test_dataloader.dataset.test_mode
    assert not cfg.train_dataloader.dataset.get('test_mode')


@pytest.mark.parametrize('name, total', [
    ('actionformer_thumos', 29.3), ('temporalmaxer_thumos', 7.1), ('tridet_thumos', 16.0)])
def test_parameters_are_the_papers(name, total):
    """Table 15 of CLTDR-GMG (TriDet there: 15.9)."""
    assert millions(build(load(name))) == pytest.approx(total, abs=0.06)


@pytest.mark.parametrize('data', ['thumos', 'anet'])
def test_logo_takes_its_noise_from_tridet(data):
    logo, tridet = load(f'logo_{data}').model, load(f'tridet_{data}').model
    assert logo.data_preprocessor.input_noise == tridet.data_preprocessor.input_noise > 0


# for these lr goes with more GPUs than one
SEVERAL_GPUS = {'encoded/bmn_anet': 2, 'encoded/tcanet_anet': 2}


@pytest.mark.parametrize('name', sorted(
    path.relative_to(CONFIGS).with_suffix('').as_posix()
    for folder in ('', 'encoded', 'hapt/swaps') for path in (CONFIGS / folder).glob('*.py')))
def test_lr_is_that_of_the_batch_size(name):
    """What --auto-scale-lr starts from."""
    cfg = load(name)
    assert cfg.auto_scale_lr.base_batch_size == \
        cfg.train_dataloader.batch_size * SEVERAL_GPUS.get(name, 1)


def test_asl_adds_its_evaluators_only():
    asl = build(load('asl_thumos'))
    extra = {name.split('.')[1] for name, _ in asl.named_parameters()
             if name.startswith('head.') and not name.startswith('head.head.')}
    assert extra == {'class_sensitivity', 'instance_sensitivity'}


@pytest.mark.parametrize('data', WANTED['asl'].split())
def test_asl_is_trained_as_actionformer(data):
    """All but the wrapper is that of ActionFormer's config for the data set."""
    ours = load(f'asl_{data}')
    plain = load(f"actionformer_{'multithumos_rgb' if data == 'multithumos' else data}")
    same_data = data not in ('multithumos', 'anet')  # other features there
    for key in plain:
        if key != 'model' and (same_data or key in (
                'train_cfg', 'param_scheduler', 'optim_wrapper', 'auto_scale_lr')):
            assert ours[key] == plain[key], key
    of_features = set() if same_data else {'in_channels', 'max_len'}
    for part in ('data_preprocessor', 'backbone', 'neck', 'postprocessor'):
        assert {k: v for k, v in ours.model[part].items() if k not in of_features} == \
            {k: v for k, v in plain.model[part].items() if k not in of_features}, part
    ours, plain = build(ours).head.head, build(plain).head
    assert str(ours) == str(plain)
    for key in ('loss_options', 'reg_weight', 'test_cfg', 'regression_ranges', 'num_classes'):
        assert getattr(ours, key) == getattr(plain, key), key


@pytest.mark.parametrize('data, epochs, end, lr, batch, sigma, kept, candidates', [
    ('charades', 15, 20, 1e-4, 16, 0.3, 1000, 2000),
    ('charades_videomae', 20, None, 1e-4, 16, 0.3, 1000, 2000),
    ('ego4d_mq', 20, 25, 1e-4, 2, 2.0, 2000, 5000),
    ('fineaction', 15, None, 1e-3, 16, 0.75, 100, 2000),
    ('epic_sounds', 25, 30, 1e-4, 2, 0.4, 2000, 5000)])
def test_actionformer_as_others_publish_it(data, epochs, end, lr, batch, sigma, kept, candidates):
    cfg = load(f'actionformer_{data}')
    assert (cfg.train_cfg.max_epochs, cfg.param_scheduler.get('end')) == (epochs, end)
    assert cfg.optim_wrapper.optimizer == dict(type='AdamW', lr=lr, weight_decay=0.05)
    assert cfg.train_dataloader.batch_size == batch
    window = cfg.val_dataloader.dataset.get('window')
    size = dict(epic_sounds=6144, charades_videomae=512).get(data)
    assert window == (dict(size=size, overlap=0.5) if size else None)
    # of windows that are put together first the evaluator takes care
    last = cfg.val_evaluator.postprocessor if window else cfg.model.postprocessor
    assert (last.nms.sigma, last.max_per_video) == (sigma, kept)
    assert window is None or cfg.model.postprocessor.nms is None
    model = build(cfg)
    assert model.head.test_cfg['nms_pre'] == candidates
    assert model.backbone.position is not None
    cropped = cfg.train_dataloader.dataset.pipeline[-2]
    assert model.backbone.position.max_len == cropped.max_len
    assert model.backbone.input_dropout == dict(
        charades=0.3, charades_videomae=0.3, ego4d_mq=0.2, epic_sounds=0.2, fineaction=0.)[data]


def test_ranges_and_windows_of_ego4d_and_epic_sounds():
    ranges = [(0, 4), *((2**i, 2**(i + 2)) for i in range(1, 10))]
    ego4d, sounds = (build(load(f'actionformer_{name}')) for name in ('ego4d_mq', 'epic_sounds'))
    assert ego4d.head.regression_ranges == [*ranges[:-1], (512, 10000)]
    assert sounds.head.regression_ranges == [*ranges[:6], (64, 10000)]
    assert [block.attn.window for block in ego4d.backbone.branch] == [17] * 6 + [-1] * 3
    attention = ego4d.backbone.stem[0].attn
    assert (attention.dropout, attention.attn_dropout) == (0.1, 0)
    assert ego4d.head.assigner.all_classes and not sounds.head.assigner.all_classes


@pytest.mark.parametrize('method', ['actionformer', 'asl'])
def test_streams_of_ego4d_are_those_of_the_data(method):
    cfg = load(f'{method}_ego4d_mq_streams')
    model, data = build(cfg), cfg.train_dataloader.dataset
    assert len(model.backbone.streams) == len(data.data_prefix.feats) == 3
    widths = [conv.conv.weight.shape[:2] for conv in model.backbone.proj]
    assert [tuple(width) for width in widths] == [(256, 2304), (192, 1536), (64, 256)]
    assert model.backbone.embd[0].conv.in_channels == 512 == model.backbone.embed_dims
    head = model.head.head if method == 'asl' else model.head
    assert head.regression_ranges == [(0, 4), *((2**i, 2**(i + 2)) for i in range(1, 8)),
                                      (256, 10000)]
    assert [block.attn.window for block in model.backbone.branch] == [9] * 5 + [-1] * 3


@pytest.mark.parametrize('method', METHODS)
def test_hapt_is_one_recipe(method):
    ours, cltdr = load(f'{method}_hapt'), load('cltdr_hapt')
    for key in cltdr:
        if key != 'model':
            assert ours[key] == cltdr[key], key
    ours, cltdr = ours.model, cltdr.model
    assert ours.data_preprocessor == cltdr.data_preprocessor
    assert ours.postprocessor == cltdr.postprocessor
    assert ours.backbone.embed_dims == cltdr.backbone.embed_dims
    assert ours.backbone.get('ffn_dims', 192) == cltdr.backbone.ffn_dims
    head = ours.head.head if method == 'asl' else ours.head
    assert {'in_channels', 'regression_ranges'}.isdisjoint({*head, *cltdr.head})  # they follow


@pytest.mark.parametrize('name, epochs, warmup, lr, decay', [
    ('tridet_thumos', 40, 20, 1e-4, .025), ('actionformer_thumos', 35, 5, 1e-4, .05),
    ('temporalmaxer_thumos', 65, 5, 1e-4, .05), ('logo_thumos', 40, 20, 1e-4, .025),
    ('tridet_anet', 15, 10, 1e-3, .04), ('actionformer_anet', 15, 5, 1e-3, .05),
    ('logo_anet', 15, 10, 1e-3, .04), ('asl_thumos', 35, 5, 1e-4, .05),
    ('asl_multithumos', 35, 5, 1e-4, .05), ('asl_epic_verb', 21, 5, 1e-4, .05),
    ('asl_epic_noun', 21, 5, 1e-4, .05), ('asl_anet', 15, 5, 1e-3, .05),
    ('asl_charades', 15, 5, 1e-4, .05), ('asl_ego4d_mq', 20, 5, 1e-4, .05),
    ('asl_ego4d_mq_streams', 20, 5, 1e-4, .05)])
def test_recipes(name, epochs, warmup, lr, decay):
    cfg = load(name)
    assert (cfg.train_cfg.max_epochs, cfg.param_scheduler.warmup) == (epochs, warmup)
    assert cfg.optim_wrapper.optimizer == dict(type='AdamW', lr=lr, weight_decay=decay)


def flat(value, prefix='model'):
    """A config's values by dotted name; lists are values."""
    if isinstance(value, dict):
        return {name: item for key, part in value.items()
                for name, item in flat(part, f'{prefix}.{key}').items()}
    return {prefix: str(list(value)) if isinstance(value, (list, tuple)) else value}


def differences(name, base, ignored=()):
    """What the config of a data set changes of THUMOS14's."""
    values = []
    for cfg in (load(base), load(name)):
        found = flat(cfg.model)
        found.setdefault('model.data_preprocessor.input_noise', 0)
        found.update(flat({k: cfg[k] for k in ('train_cfg', 'param_scheduler', 'optim_wrapper')}))
        values.append(found)
    before, after = values
    return {key: value for key, value in after.items()
            if key not in ignored and before.get(key, 'default') != value}


#: What follows from the rest, or belongs to padding, in the published settings.
FOLLOWS = {f'model.{key}' for key in (
    'data_preprocessor.size_divisor', 'data_preprocessor.pad_to', 'neck.in_channels',
    'neck.num_levels', 'head.in_channels', 'head.feat_channels')}


@pytest.mark.parametrize('name, published', [
    *((f'{method}_epic_{task}', f'{method}/epic_slowfast_{task}')
      for method in ('actionformer', 'tridet', 'temporalmaxer') for task in ('verb', 'noun')),
    *((f'tridet_hacs_{features}', f'tridet/hacs_{features}') for features in ('i3d', 'slowfast')),
    ('temporalmaxer_multithumos_rgb', 'temporalmaxer/multithumos_i3d')])
def test_differs_from_thumos_as_the_published_settings_do(name, published):
    method = name.split('_')[0]
    ranges = 'model.head.regression_ranges'
    ours = differences(name, f'{method}_thumos', {ranges})
    theirs = differences(f'release/{published}', f'release/{method}/thumos_i3d',
                         {ranges, *FOLLOWS})
    assert ours == theirs and len(ours) > 5
    released = load(f'release/{published}')
    assert build(load(name)).head.regression_ranges == \
        [tuple(pair) for pair in released.model.head.regression_ranges]
    for loader in ('train_dataloader', 'val_dataloader'):
        assert load(name)[loader].dataset == released[loader].dataset


def test_a_recipe_of_ours_says_so():
    found = [name for name in NAMES
             if 'recipe ours' in (CONFIGS / f'{name}.py').read_text().splitlines()[0]]
    assert sorted(found) == sorted(RECIPE_OURS)
    for name in found:
        method = name.split('_')[0]
        changed = {key.replace('.head.head.', '.head.')
                   for key in differences(name, f'{method}_thumos')}
        assert changed <= {'model.backbone.in_channels', 'model.head.num_classes',
                           'model.head.test_cfg.nms_pre', 'model.postprocessor.max_per_video'}
        page = (CONFIGS.parent / 'docs' / 'methods' / f'{method}.md').read_text()
        row, = (line for line in page.splitlines() if f'`{name}.py`' in line)
        assert 'recipe ours' in row


# tests/configs/test_mix.py looks at the steps of BSN
ENCODED = sorted(p.stem for p in (CONFIGS / 'encoded').glob('*.py') if p.stem[:4] != 'bsn_')


@pytest.mark.parametrize('name', ENCODED)
def test_encoded(name):
    cfg = load(f'encoded/{name}')
    kind = dict(bmn='BMN', tem='TEM', tcanet='TCANet')[name.split('_')[0]]
    for loader in filter(None, (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader)):
        steps = [s.type for s in loader.dataset.pipeline]
        proposals = ['LoadTALProposals'] if kind == 'TCANet' else []
        assert steps == ['LoadTALFeature', 'ResizeFeature', *proposals, 'PackTALInputs']
        assert loader.dataset.pipeline[1].length == cfg.model.localizer.temporal_dim
    for evaluator in filter(None, (cfg.val_evaluator, cfg.test_evaluator)):
        assert evaluator.type == 'ProposalMetric' and 'ann_file' in evaluator
    assert 'save_best' not in cfg.default_hooks.checkpoint  # by its default the last one counts
    if kind == 'BMN':  # its table of samples takes seconds at full size
        cfg.model.localizer.temporal_dim = 12
    model = build(cfg)
    assert type(model.head.localizer).__name__ == kind
    assert model.backbone.in_channels == cfg.train_dataloader.dataset.feature_dim
    # the encoder's width is what the localizer takes
    first = dict(BMN='x_1d_b', TEM='conv1', TCANet='x_1d_b_f')[kind]
    layer = getattr(model.head.localizer, first)
    layer = layer if kind == 'TEM' else layer[0]
    assert layer.in_channels == model.backbone.embed_dims


@pytest.mark.parametrize('ours, theirs', [
    ('bmn', '_base_/models/bmn_400x100.py'), ('tem', '_base_/models/bsn_tem.py'),
    ('tcanet', 'localization/tcanet/tcanet_2xb8-700x100-9e_hacs-feature.py')])
def test_localizers_are_configured_as_in_mmaction(ours, theirs, tmp_path):
    (tmp_path / 'theirs.py').write_text(f"_base_ = ['mmaction::{theirs}']\n")
    theirs = dict(Config.fromfile(tmp_path / 'theirs.py').model)
    ours = dict(load(f'encoded/{ours}_anet').model.localizer)
    for values in (ours, theirs):
        values.pop('_scope_', None)
    # left at its default here; and the width, which is the encoder's
    if ours['type'] == 'TCANet':
        assert theirs.pop('feature_extraction_interval') == 16
        assert (theirs.pop('feat_dim'), ours.pop('feat_dim')) == (700, 512)
    assert ours == theirs


@pytest.mark.parametrize('name, total', [
    ('actionmamba_thumos', 18.571), ('actionmamba_thumos_internvideo2', 20.341),
    ('actionmamba_anet', 6.363), ('actionmamba_hacs', 6.363), ('actionmamba_fineaction', 20.993),
    ('actionmamba_multithumos', 17.927), ('causaltad_thumos', 52.114),
    ('causaltad_thumos_internvideo2', 53.883), ('causaltad_anet', 12.755)])
def test_parameters_of_state_space_models(name, total):
    """Those of the published modules, counted."""
    assert millions(build(load(name))) == pytest.approx(total, abs=0.0011)


@pytest.mark.parametrize('name, epochs, lr, batch, length, norm, sigma, voting, kept', [
    ('actionmamba_thumos_internvideo2', 50, 1e-4, 2, 2304, 100, 0.5, 0.7, 200),
    ('actionmamba_anet', 15, 1e-3, 16, 192, 200, 0.75, 0.9, 100),
    ('actionmamba_hacs', 25, 1e-3, 16, 2304, 400, 0.75, 0.7, 100),
    ('actionmamba_fineaction', 25, 1e-3, 16, 2304, 100, 0.5, 0.7, 200),
    ('actionmamba_multithumos', 55, 1e-4, 2, 2304, 100, 0.5, 0.7, 8000),
    ('causaltad_thumos', 50, 1e-4, 2, 2304, 250, 0.5, 0.7, 2000),
    ('causaltad_thumos_internvideo2', 50, 1e-4, 2, 2304, 100, 0.5, 0.7, 2000),
    ('causaltad_anet', 15, 1e-3, 16, 192, 200, 0.75, 0.9, 100),
    ('causaltad_epic_verb', 35, 1e-4, 2, 2304, 250, 0.4, 0.75, 3000),
    ('causaltad_epic_noun', 35, 1e-4, 2, 2304, 250, 0.4, 0.75, 3000)])
def test_state_space_models_as_published(name, epochs, lr, batch, length, norm, sigma, voting,
                                         kept):
    cfg = load(name)
    assert (cfg.train_cfg.max_epochs, cfg.param_scheduler.warmup) == (epochs, 5)
    assert cfg.optim_wrapper.optimizer == dict(type='AdamW', lr=lr, weight_decay=0.05)
    assert cfg.optim_wrapper.clip_grad.max_norm == 1
    assert cfg.train_dataloader.batch_size == batch
    crop = cfg.train_dataloader.dataset.pipeline[-2]
    threshold = 0.75 if name.startswith('causaltad_thumos') else 0.5
    threshold = 0.3 if 'epic' in name else threshold
    assert (crop.max_len, crop.trunc_thresh) == (length, threshold)
    window = cfg.val_dataloader.dataset.get('window')
    assert window == (dict(size=2304, overlap=0.5) if 'causaltad_thumos' in name else None)
    last = cfg.val_evaluator.postprocessor if window else cfg.model.postprocessor
    assert (last.nms.sigma, last.voting.iou_threshold, last.max_per_video) == (sigma, voting, kept)
    assert cfg.model.head.get('normalizer', {}).get('init', 100) == norm
    published_by_opentad = 'causaltad' in name or 'multithumos' in name
    assert cfg.model.get('norm_eps') == (1e-6 if published_by_opentad else None)
    assert (cfg.model.backbone.get('input_dropout', 0) > 0) == published_by_opentad
