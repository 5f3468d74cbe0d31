"""Numbers on the pages that no command line prints: sizes of models, differences of means."""
import json
import re

import pytest
import torch
from benchmark_figures import mean_and_spread
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
    row = 'configs/ablations/cltdr_gmg/table08_self_attention.py'
    cfg = Config.fromfile(ROOT / row).model.backbone
    assert cfg.in_channels == 3200 and cfg.ffn_dims == 2048
    other = Config.fromfile(ROOT / 'configs/actionformer_thumos.py').model.backbone
    with torch.device('meta'):
        ours, theirs = (MODELS.build({**one, 'in_channels': 2048}) for one in (cfg, other))
    assert millions(ours) == said(row, r'parameters \(([\d.]+) M\)')
    page = 'docs/methods/gmg.md'
    assert millions(ours) == said(page, r'the features, this encoder has ([\d.]+) M')
    assert millions(theirs) == said(row, r"ActionFormer's encoder \(([\d.]+) M\)")
    assert millions(theirs) == said(page, r'in its place, which has ([\d.]+) M')


def test_differences_of_the_comparison():
    text = (ROOT / 'docs/methods/comparison.md').read_text('utf-8')
    value = r'([+-]?[\d.]+) ± ([\d.]+)'
    measured = {name: list(map(float, numbers)) for name, *numbers in re.findall(
        rf'`(?:[\w/]+/)?(\w+)\.py` \|.*?\| {value} \| {value} \|', text)}
    rows = re.findall(rf'`(\w+)` over `(\w+)` \| {value} \| {value} \|', text)
    assert len(rows) == text.count('` over `') > 5
    for one, other, *said_here in rows:
        one, other = measured[one], measured[other]
        for i in (0, 2):
            error = ((one[i + 1]**2 + other[i + 1]**2) / 3)**0.5
            assert said_here[i:i + 2] == [f'{one[i] - other[i]:+.2f}', f'{error:.2f}']


def test_measured_means_are_those_of_the_single_runs():
    runs = json.loads((ROOT / 'docs/methods/hapt_benchmark.json').read_text('utf-8'))
    rows = {name: [mean_and_spread([run[key] for run in seeds])
                   for key in ('average_mAP', 'average_mAP@0.5:0.95')]
            for name, seeds in runs.items()}
    value = r'\d+\.\d+ ± \d+\.\d+'
    text = (ROOT / 'docs/methods/comparison.md').read_text('utf-8')
    found = re.findall(rf'`(?:[\w/]+/)?(\w+)\.py` \| ([\d.]+) M \| ({value}) \| ({value}) \|', text)
    # the table is 0.1.0's
    of_table = {name for name in rows if not name.startswith('0.2.0')}
    assert {name for name, *_ in found} == of_table - {'hapt_all'}
    for name, size, *means in found:
        assert means == rows[name] and size == f"{runs[name][0]['parameters'] / 1e6:.2f}"
    known = {mean for means in rows.values() for mean in means}
    pages = [ROOT / 'README.md', *(ROOT / 'docs/methods').glob('*.md')]
    for page in pages:
        said = set(re.findall(rf'(?<![+\-\d.]){value}', page.read_text('utf-8')))
        assert said <= known, (page, said - known)


def test_figures_of_the_readme_are_those_of_the_pages():
    rows = re.findall(r'^\|.*\| `(?:time )?(?:python )?(\S+)[^|]*` \|[^|]*\| ([^|]*) \|$',
                      (ROOT / 'README.md').read_text('utf-8'), re.MULTILINE)
    pages = {'benchmarks/training_step.py': 'docs/performance.md',
             'benchmarks/evaluator.py': 'docs/evaluation.md'}
    found = {tool: result for tool, result in rows if tool in pages}
    assert set(found) == set(pages)
    for tool, result in found.items():
        words = (ROOT / pages[tool]).read_text('utf-8').split()
        for number in re.findall(r'\d+\.\d+', result):
            assert any(word.strip(',') == number for word in words), (tool, number)
