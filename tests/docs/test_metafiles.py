"""Metafiles in OpenMMLab's format: complete, true to the configs, and honest about results."""
import re

import pytest
import yaml
from mmengine.config import Config
from mmengine.config.utils import _get_cfg_metainfo
from pages import ROOT

INDEX = yaml.safe_load((ROOT / 'model-index.yml').read_text('utf-8'))
FILES = {path: yaml.safe_load((ROOT / path).read_text('utf-8')) for path in INDEX['Import']}
COLLECTIONS = [c for file in FILES.values() for c in file['Collections']]
MODELS = [m for file in FILES.values() for m in file['Models']]
every_model = pytest.mark.parametrize('model', MODELS, ids=lambda m: m['Name'])


def test_index_names_all_metafiles():
    found = sorted(p.relative_to(ROOT).as_posix() for p in (ROOT / 'configs').rglob('metafile.yml'))
    assert found == sorted(INDEX['Import'])


def test_names_are_unique():
    for items in (COLLECTIONS, MODELS):
        names = [item['Name'] for item in items]
        assert len(names) == len(set(names))


def test_every_config_is_listed_once():
    configs = sorted(p.relative_to(ROOT).as_posix() for p in (ROOT / 'configs').glob('*.py'))
    assert sorted(model['Config'] for model in MODELS) == configs


@pytest.mark.parametrize('collection', COLLECTIONS, ids=lambda c: c['Name'])
def test_collection(collection):
    readme = (ROOT / collection['README']).read_text('utf-8')
    assert readme.startswith(f'# {collection["Name"]}\n')
    title = collection['Paper']['Title']
    assert title in readme
    pages = re.findall(r'\((?:\.\./){2}(docs/methods/\w+\.md)\)', readme)
    assert pages
    for page in pages:
        text = (ROOT / page).read_text('utf-8')
        assert f'title={{{title}}}' in text
        if 'URL' in collection['Paper']:
            assert f'arXiv:{collection["Paper"]["URL"].rsplit("/", 1)[1]}' in text


@every_model
def test_model(model):
    assert model['In Collection'] in {c['Name'] for c in COLLECTIONS}
    cfg = Config.fromfile(ROOT / model['Config'])
    assert model['Metadata']['Epochs'] == cfg.train_cfg.max_epochs
    assert model['Metadata']['Batch Size'] == cfg.train_dataloader.batch_size
    assert 'Weights' not in model  # none are published
    for result in model.get('Results', ()):
        assert re.match(r'paper \(.+, table \d\)$|published code \(.+\)$', result['Reported by'])
        assert 0 < result['Metrics']['average mAP'] < 100


#: As the paper prints them; the method pages say so.
DISAGREE = ('cltdr_thumos', 'actionformer_thumos_internvideo2')


@every_model
def test_average_is_that_of_the_table(model):
    """Where all thresholds of a protocol are given, they average to the average, as printed."""
    for result in model.get('Results', ()):
        values = [v for k, v in result['Metrics'].items() if k != 'average mAP']
        if len(values) == 5:
            agree = abs(sum(values) / 5 - result['Metrics']['average mAP']) < 0.11
            assert agree == (model['Name'] not in DISAGREE)


def test_readmes_show_the_same_numbers():
    for collection in COLLECTIONS:
        readme = (ROOT / collection['README']).read_text('utf-8')
        for model in MODELS:
            if model['In Collection'] == collection['Name']:
                row, = re.findall(rf'^\| \[`{model["Name"]}\.py`\].*\| ([\d.-]+) \|$', readme, re.M)
                said = model.get('Results', [{'Metrics': {'average mAP': '-'}}])
                assert row == str(said[0]['Metrics']['average mAP'])


def test_mmengine_finds_models_by_name():
    """As ``mmengine.hub`` and ``mim`` look configs up."""
    found = _get_cfg_metainfo(str(ROOT / 'cltdr_mm'), 'cltdr_thumos.py')
    assert found['Config'] == 'configs/cltdr_thumos.py'
