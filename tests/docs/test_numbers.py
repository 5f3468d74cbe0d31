"""Numbers on the pages that no command line prints: sizes of models."""
import re

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from pages import ROOT


def millions(module) -> str:
    return f'{sum(p.numel() for p in module.parameters()) / 1e6:.2f}'


@pytest.fixture(scope='module')
def thumos():
    with torch.device('meta'):
        return MODELS.build(Config.fromfile(ROOT / 'configs/cltdr_thumos.py').model)


def said(page: str, pattern: str) -> str:
    text = ' '.join((ROOT / page).read_text('utf-8').split())
    return re.search(pattern, text).group(1)


def test_size_of_cltdr_gmg(thumos):
    assert millions(thumos) == said('docs/methods/cltdr.md', r'cltdr_thumos.py` has ([\d.]+) M')


def test_size_of_gmg(thumos):
    assert millions(thumos.backbone) == said('docs/methods/gmg.md',
                                             r'cltdr_thumos.py` has ([\d.]+) M')


def test_size_of_gmg_with_attention():
    with torch.device('meta'):
        encoder = MODELS.build(dict(type='GMG', in_channels=2048, ffn_dims=2048,
                                    global_mixer='attention'))
    wanted = said('docs/methods/gmg.md', r'as wide as the features, this encoder has ([\d.]+) M')
    assert f'{float(millions(encoder)):.1f}' == wanted
