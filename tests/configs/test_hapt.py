"""The HAPT comparisons build and differ from their base in what their name says."""
import pytest
from config_models import CONFIGS, build, load

FOLDER = CONFIGS / 'hapt'
NAMES = sorted(p.relative_to(FOLDER).with_suffix('').as_posix() for p in FOLDER.rglob('*.py'))


def test_all_are_seen():
    assert len([n for n in NAMES if n.startswith('switches/')]) == 12
    assert len([n for n in NAMES if n.startswith('swaps/')]) == 5


@pytest.mark.parametrize('name', NAMES)
def test_builds_and_differs(name):
    config = load(f'hapt/{name}')
    model = build(config)
    assert model.head.num_classes == 12
    base = 'cltdr_hapt'
    if name == 'swaps/gmg_actionformer':
        base = 'actionformer_hapt'
    elif name == 'swaps/gmg_trident':
        base = 'tridet_hapt'
    base = load(base)
    assert config.model != base.model
    for part in ('train_cfg', 'optim_wrapper', 'param_scheduler', 'train_dataloader'):
        assert config[part] == base[part], 'one recipe for all'


@pytest.mark.parametrize('name, backbone, head', [
    ('gmg_actionformer', 'GMG', 'ActionFormerHead'), ('gmg_trident', 'GMG', 'TridentHead'),
    ('actionformer_cltdr', 'ActionFormer', 'CLTDRHead'), ('tridet_cltdr', 'SGP', 'CLTDRHead'),
    ('temporalmaxer_cltdr', 'TemporalMaxer', 'CLTDRHead')])
def test_swaps(name, backbone, head):
    model = build(load(f'hapt/swaps/{name}'))
    assert type(model.backbone).__name__ == backbone
    assert type(model.head).__name__ == head
    # an encoder comes with its neck
    groups = 'GroupNorm' in str(model.neck)
    assert groups == (backbone == 'TemporalMaxer')


@pytest.mark.parametrize('name, parts', [
    ('backbone', {'backbone'}), ('neck', {'neck'}), ('head', {'head'}),
    ('all', {'backbone', 'neck', 'head'}), ('eq13', set())])
def test_release_parts(name, parts):
    model = build(load(f'hapt/switches/hapt_{name}'))
    assert {p for p in ('backbone', 'neck', 'head') if getattr(model, p).release} == parts
    assert (model.head.loss_coarse is None) == (name == 'eq13')
    assert model.head.balance_negatives == (name == 'eq13')
