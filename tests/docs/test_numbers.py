"""Numbers on the pages that no command line prints: sizes of models, differences of means."""
import re

import pytest
import torch
from benchmark_figures import read_runs
from benchmark_tables import AVERAGES, filled_page, mean_and_spread, percents
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


MARKED = [path for path in sorted((ROOT / 'docs').rglob('*.md'))
          if re.search('^<!-- figures: ', path.read_text('utf-8'), re.MULTILINE)]


def test_pages_have_tables_of_measured_runs():
    assert ROOT / 'docs/methods/comparison.md' in MARKED


@pytest.mark.parametrize('page', MARKED, ids=lambda path: path.name)
def test_tables_are_what_the_runs_give(page):
    """tools/benchmark_tables.py would change nothing: means, spreads, differences."""
    text = page.read_text('utf-8')
    assert filled_page(text, page.parent) == text


def test_means_in_the_text_are_those_of_the_runs():
    known = set()
    for path in (ROOT / 'docs/methods').glob('*.json'):
        runs = read_runs(path)
        for name in {run['config'] for run in runs}:
            own = [run for run in runs if run['config'] == name]
            folds = {run['fold'] for run in own}
            known |= {mean_and_spread(percents(own, tious + fold)) for tious in AVERAGES
                      for fold in ('', *(f', fold {fold}' for fold in folds if fold is not None))}
    value = r'(?<![+\-\d.])\d+\.\d+ ± \d+\.\d+'
    for page in (ROOT / 'README.md', *(ROOT / 'docs/methods').glob('*.md')):
        # a marked table is compared above, and may have figures at single tIoUs
        text = re.sub(r'<!-- figures: .*?\n\n', '', page.read_text('utf-8') + '\n\n',
                      flags=re.DOTALL)
        said = set(re.findall(value, text))
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
