"""A benchmark of a config that trains and one that does not, asked for again in other ways."""
import json
import shutil

import pytest
from tool_runs import CONFIG, load, small

SHORT = {'train_cfg.max_epochs': 1, 'param_scheduler.warmup': 0}


def runs_of(root):
    return json.loads((root / 'runs.json').read_text())['runs']


def trainings(root, name='good'):
    return sorted(path.name for path in (root / 'runs' / name).glob('*/2*'))


@pytest.fixture(scope='module')
def first(tools, synthetic, tmp_path_factory):
    """Folder of the runs, how to ask for them, and what the command printed."""
    root = tmp_path_factory.mktemp('benchmark')
    (root / 'bad.py').write_text(
        f"_base_ = {str(tools.root / CONFIG)!r}\nmodel = dict(head=dict(type='NoSuchHead'))\n")

    def ask(*words, ok=True, **changes):
        return tools('benchmark_methods.py', *words, '--threads', 1, '--work-dir', root / 'runs',
                     '--out', root / 'runs.json', *small(synthetic, **{**SHORT, **changes}), ok=ok)

    return root, ask, ask(root / 'bad.py', f'good={tools.root / CONFIG}', '--seeds', 0, ok=False)


def test_a_failure_costs_its_own_run_only(first):
    root, _, printed = first
    log, = (root / 'runs' / 'bad').glob('seed0_*/output.log')
    assert 'NoSuchHead' in log.read_text()
    failure = f'bad, seed 0: tools/train.py failed, see {log}'
    # when it happens, and at the end
    before, done, after = printed.partition('good, seed 0: done')
    assert 'runs.json has 0 of 2 runs' in before and failure in before and done
    assert after.splitlines()[-2:] == ['error: 1 of 2 runs are not done:', failure]
    assert 'Traceback' not in printed
    run, = runs_of(root)
    assert (run['config'], run['fold'], run['seed']) == ('good', None, 0)
    size = f"{run['parameters'] / 1e6:.2f} M"
    assert f"| `good` | {size} | 1 | {100 * run['average_mAP']:.2f} |" in after
    assert run['parameters'] > 10_000 and run['epoch_seconds'] > 0 and '0.95' in run['mAP']


def test_a_finished_run_is_not_repeated(first, tools):
    root, ask, _ = first
    before, runs = trainings(root), runs_of(root)
    assert 'has 1 of 1 runs' in ask(f'good={tools.root / CONFIG}', '--seeds', 0)
    assert trainings(root) == before and runs_of(root) == runs
    # killed between the end of a run and the writing of its figures
    (root / 'runs.json').unlink()
    assert 'has 0 of 1 runs' in ask(f'good={tools.root / CONFIG}', '--seeds', 0)
    assert trainings(root) == before and runs_of(root) == runs


def test_a_stopped_run_is_resumed(first, tools):
    """Here after the epoch, before the test: the training is not begun again."""
    root, ask, _ = first
    folder, = (root / 'runs' / 'good').glob('seed0_*')
    runs, weights = runs_of(root), load(folder / 'epoch_1.pth')['state_dict']
    (root / 'runs.json').unlink()
    (folder / 'metrics.json').unlink()
    ask(f'good={tools.root / CONFIG}', '--seeds', 0)
    assert 'nothing is left to train' in (folder / 'output.log').read_text()
    assert runs_of(root) == runs
    assert all(weights[name].equal(value) for name, value in load(
        folder / 'epoch_1.pth')['state_dict'].items())


def test_runs_of_other_settings_and_of_folds(first, tools, synthetic):
    root, ask, _ = first
    content = json.loads((synthetic / 'annotations.json').read_text())
    content['database'] = {name: entry for name, entry in content['database'].items()
                           if entry['subset'] != 'test'}
    fold = synthetic / 'annotations_fold3.json'
    fold.write_text(json.dumps(content))
    ask(f'good={tools.root / CONFIG}', '--seeds', 0, '--folds', 3)
    fold.unlink()
    assert [run['fold'] for run in runs_of(root)] == [None, 3]
    assert runs_of(root)[0]['settings'] == runs_of(root)[1]['settings']
    folder, = (root / 'runs' / 'good').glob('fold3_seed0_*')
    metrics = json.loads((folder / 'metrics.json').read_text())
    assert metrics['fingerprint']['subset'] == 'validation'
    for path in folder.rglob('*'):  # no test video in what it leaves
        assert path.suffix in ('.pth', '') or 'test_0000' not in path.read_text(), path
    shutil.rmtree(folder)
    printed = ask(f'good={tools.root / CONFIG}', '--seeds', 0, **{'model.backbone.kernel_size': 5})
    assert 'good: 2 runs there have other settings, and go with the first new one' in printed
    run, = runs_of(root)
    assert len(list((root / 'runs' / 'good').glob('seed0_*'))) == 2 and run['fold'] is None
