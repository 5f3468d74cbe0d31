"""The tables of a benchmark: statistics by hand, pages filled by heading and name."""
import json
import runpy
import sys

import pytest
from benchmark_tables import (
    difference,
    difference_cell,
    filled_page,
    mean_and_spread,
    percents,
    runs_table,
)
from scipy import stats

PAGE = '''# A page

| `other_hapt.py` | not marked |

<!-- figures: runs.json -->
| | config | parameters | seeds | .3:.1:.7 | .75 | note |
|---|---|---|---|---|---|---|
| A | [x](y), `hapt/one_hapt.py` | | | | | 69.9 |
| B | `two.py` | old | old | 1.00 ± 2.00 | | |

<!-- figures: runs.json -->
| what | configs | .3:.1:.7 |
|---|---|---|
| A for B | `one_hapt` over `two` | |

| `one_hapt.py` | after it |
'''


def run(config='one_hapt', seed=0, fold=None, value=0.5, **kwargs):
    return dict(dict(config=config, settings='x', fold=fold, seed=seed, parameters=1_500_000,
                     epoch_seconds=2., average_mAP=value, mAP={'0.75': value / 2},
                     **{'average_mAP@0.5:0.95': value - 0.25}), **kwargs)


def several(config, values, fold=None):
    return [run(config, seed, fold, value) for seed, value in enumerate(values)]


def test_mean_and_spread():
    assert mean_and_spread({-1: [50.]}) == '50.00'
    assert mean_and_spread({-1: [50., 52.]}) == '51.00 ± 1.41'
    # of folds: the mean of their means, and the spread between seeds, not that between folds
    assert mean_and_spread({0: [50., 52.], 1: [80., 80.]}) == '65.50 ± 1.00'
    assert mean_and_spread({0: [50., 52.], 1: [80.]}) == '65.50'


def test_difference_is_welchs_t_test():
    one, other = [91.2, 92.1, 90.7, 91.9, 92.4], [90.1, 90.3, 91.8, 89.9, 90.6]
    mean, error, p = difference({-1: one}, {-1: other})
    expected = stats.ttest_ind(one, other, equal_var=False)
    assert p == pytest.approx(expected.pvalue) and mean / error == pytest.approx(expected.statistic)
    assert 4 < expected.df < 8
    # as many on both sides, spread the same: 2 (n - 1) degrees of freedom
    shifted = [value + 1 for value in one]
    mean, error, p = difference({-1: shifted}, {-1: one})
    assert mean == pytest.approx(1)
    assert p == pytest.approx(2 * stats.t.sf(1 / error, 8))


def test_differences_within_folds():
    """What a fold adds to both does not count as spread."""
    one, other = {0: [50., 51.], 1: [80., 82.], 2: [1.]}, {0: [49., 49.], 1: [78., 79.]}
    mean, error, p = difference(one, other)
    assert mean == pytest.approx((1.5 + 2.5) / 2)
    parts = [.5 / 2 / 4, 0., 2. / 2 / 4, .5 / 2 / 4]
    assert error == pytest.approx(sum(parts) ** .5)
    freedom = sum(parts) ** 2 / sum(part**2 for part in parts)
    assert p == pytest.approx(2 * stats.t.sf(mean / error, freedom))
    assert difference({0: [1.]}, {0: [3., 4.]}) == (-2.5, None, None)
    assert difference({0: [1., 1.]}, {0: [3., 3.]}) == (-2., 0., 0.)
    with pytest.raises(ValueError, match='never judged on the same fold'):
        difference({0: [1.]}, {1: [1.]})


def test_what_is_significant_is_bold():
    one, two = several('a', [.50, .51]), several('b', [.50, .52])
    assert difference_cell('.3:.1:.7', one, two) == '-0.50 ± 1.12'
    assert difference_cell('.3:.1:.7', several('a', [.80, .81]), two) == '**+29.50 ± 1.12**'
    assert difference_cell('.3:.1:.7', one[:1], two) == '-1.00'
    assert difference_cell('note', one, two) is None


def test_figures_of_one_fold():
    runs = several('a', [.5, .7], fold=0) + several('a', [.9], fold=2)
    assert percents(runs, '.3:.1:.7') == {0: [50, 70], 2: [90]}
    assert percents(runs, '.75, fold 2') == {2: [45]}
    assert percents(runs, '.5:.05:.95, fold 1') == {}


def test_a_page_is_filled(tmp_path):
    runs = several('one_hapt', [.5, .52]) + several('two', [.3])
    (tmp_path / 'runs.json').write_text(json.dumps(dict(runs=runs)))
    page = filled_page(PAGE, tmp_path)
    assert '| A | [x](y), `hapt/one_hapt.py` | 1.50 M | 2 | 51.00 ± 1.41 | 25.50 ± 0.71 | 69.9 |' \
        in page
    assert '| B | `two.py` | 1.50 M | 1 | 30.00 | 15.00 | |' in page
    assert '| A for B | `one_hapt` over `two` | +21.00 |' in page
    assert filled_page(page, tmp_path) == page
    kept = [line for line in PAGE.splitlines() if not line.startswith(('| A', '| B'))]
    assert [line for line in page.splitlines() if not line.startswith(('| A', '| B'))] == kept


@pytest.mark.parametrize('old, new, message', [
    ('`two.py`', '`three.py`', r'runs\.json has no runs of the row \| B \|'),
    ('`two.py`', 'two', r'has no runs of the row \| B'),
    ('| 69.9 |', '|', '7 headings, but 6 cells in | A'),
    ('runs.json', 'none.json', 'there is no file .*none.json')])
def test_a_page_that_cannot_be_filled(tmp_path, old, new, message):
    runs = several('one_hapt', [.5]) + several('two', [.3])
    (tmp_path / 'runs.json').write_text(json.dumps(dict(runs=runs)))
    with pytest.raises(ValueError, match=message):
        filled_page(PAGE.replace(old, new), tmp_path)


def test_table_of_all_runs():
    table = runs_table(several('gmg', [.5, .6], 0) + several('gmg', [.7], 1) + [run('sgp')])
    rows = [[part.strip() for part in line.split('|')[1:-1]] for line in table.splitlines()]
    assert rows[0] == ['config', 'parameters', 'seeds', '.3:.1:.7', '.5:.05:.95',
                       '.3:.1:.7, fold 0', '.3:.1:.7, fold 1', '.5:.05:.95, fold 0',
                       '.5:.05:.95, fold 1', 's/epoch']
    assert rows[2] == ['`gmg`', '1.50 M', '1 to 2', '62.50', '37.50', '55.00 ± 7.07', '70.00',
                       '30.00 ± 7.07', '45.00', '2.0']
    assert rows[3] == ['`sgp`', '1.50 M', '1', '50.00', '25.00', '-', '-', '-', '-', '2.0']


def test_the_command_writes_pages_and_prints_files(project_root, tmp_path, monkeypatch, capsys):
    runs = several('one_hapt', [.5]) + several('two', [.3])
    (tmp_path / 'runs.json').write_text(json.dumps(dict(runs=runs)))
    (tmp_path / 'page.md').write_text(PAGE)
    monkeypatch.setattr(sys, 'argv', [
        'benchmark_tables.py', str(tmp_path / 'page.md'), str(tmp_path / 'runs.json')])
    runpy.run_path(str(project_root / 'tools' / 'benchmark_tables.py'), run_name='__main__')
    assert '`one_hapt` over `two` | +20.00 |' in (tmp_path / 'page.md').read_text()
    assert '| `two` | 1.50 M | 1 | 30.00 | 5.00 | 2.0 |' in capsys.readouterr().out
    monkeypatch.setattr(sys, 'argv', ['benchmark_tables.py', str(tmp_path / 'no.json')])
    with pytest.raises(SystemExit, match='error: there is no file .*no.json'):
        runpy.run_path(str(project_root / 'tools' / 'benchmark_tables.py'), run_name='__main__')
