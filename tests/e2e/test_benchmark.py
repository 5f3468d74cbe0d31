"""A benchmark of a config that trains and one that does not, asked for again in other ways."""
import json
import re

import pytest
from tool_runs import CONFIG, small

SHORT = {'train_cfg.max_epochs': 1, 'param_scheduler.warmup': 0}


@pytest.fixture(scope='module')
def first(tools, synthetic, tmp_path_factory):
    """Folder of the runs, and what the command printed."""
    root = tmp_path_factory.mktemp('benchmark')
    (root / 'bad.py').write_text(
        f"_base_ = {str(tools.root / CONFIG)!r}\nmodel = dict(head=dict(type='NoSuchHead'))\n")
    printed = tools('benchmark_methods.py', root / 'bad.py', f'good={tools.root / CONFIG}',
                    '--seeds', 0, '--threads', 1, '--work-dir', root / 'runs',
                    '--out', root / 'figures.json', *small(synthetic, **SHORT), ok=False)
    return root, printed


def trainings(root):
    return sorted(path.name for path in (root / 'runs' / 'good' / 'seed0').glob('2*'))


def test_a_failure_costs_its_own_row_only(first):
    root, printed = first
    log = root / 'runs' / 'bad' / 'seed0' / 'output.log'
    assert 'NoSuchHead' in log.read_text()
    failure = f'bad, seed 0: tools/train.py failed, see {log}'
    # when it happens, and at the end
    before, table, after = re.split(r'(\n\+-.*-\+\n)', printed, flags=re.DOTALL)
    assert failure in before and after.splitlines() == ['error: 1 of 2 runs failed:', failure]
    assert 'Traceback' not in printed
    rows = {line.split()[1]: line for line in table.splitlines() if line.startswith('| ')}
    assert rows['bad'].count('failed') > 2
    figures = json.loads((root / 'figures.json').read_text())['figures']
    assert figures['bad'] == [None]
    assert f"{100 * figures['good'][0]['average_mAP']:.2f}" in rows['good']


def test_a_finished_run_is_used_again(first, tools, synthetic):
    root, _ = first
    before = trainings(root)
    # a config that was given up there; the folder's first by name
    (root / 'runs' / 'good' / 'seed0' / 'a.py').write_text('model = None\n')
    tools('benchmark_methods.py', f'good={tools.root / CONFIG}', '--seeds', 0,
          '--work-dir', root / 'runs', '--out', root / 'again.json', *small(synthetic, **SHORT))
    assert trainings(root) == before
    figures, again = (json.loads((root / name).read_text())['figures']['good']
                      for name in ('figures.json', 'again.json'))
    assert again == figures


def test_figures_of_other_settings_are_refused(first, tools, synthetic):
    root, _ = first
    changes = {'train_cfg.max_epochs': 3, 'model.backbone.kernel_size': 5,
               'test_dataloader.dataset.subset': 'training'}
    # seed 1, which is not there, would be trained first
    printed = tools('benchmark_methods.py', f'good={tools.root / CONFIG}', '--seeds', 1, 0,
                    '--work-dir', root / 'runs', *small(synthetic, **{**SHORT, **changes}),
                    ok=False)
    for key, value in changes.items():
        assert re.search(rf'/good/seed0: {re.escape(key)}: .* there, {value} asked for', printed)
    assert not (root / 'runs' / 'good' / 'seed1').exists()
