"""Runs that are killed, on a few short generated videos."""
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / 'tests' / 'e2e'), str(Path(__file__).parent), str(ROOT / 'tools')]

CONFIG = '''
_base_ = ['{root}/configs/cltdr_synthetic.py']
custom_imports = dict(imports=['cltdr_mm', 'kills'], allow_failed_imports=False)
custom_hooks = [dict(type='FaultHook')]
data_root = '{data}/'
model = dict(backbone=dict(in_channels=16, embed_dims=16, ffn_dims=24), head=dict(num_classes=3))
train_cfg = dict(max_epochs=3, val_interval=1)
param_scheduler = dict(warmup=1)
train_dataloader = dict(batch_size=2, num_workers=0, persistent_workers=False,
                        dataset=dict(data_root=data_root, feature_dim=16))
val_dataloader = dict(batch_size=2, num_workers=0, persistent_workers=False,
                      dataset=dict(data_root=data_root, feature_dim=16))
test_dataloader = val_dataloader
val_evaluator = dict(ann_file=data_root + 'annotations.json')
test_evaluator = val_evaluator
default_hooks = dict(logger=dict(interval=1), checkpoint=dict(max_keep_ckpts=2))
'''


def pytest_configure(config):
    config.addinivalue_line('markers', 'full_faults: only with --faults=full')


def pytest_collection_modifyitems(config, items):
    if config.getoption('--faults') != 'full':
        skip = pytest.mark.skip(reason='takes long: --faults=full')
        for item in items:
            if 'full_faults' in item.keywords:
                item.add_marker(skip)


class Trainings:
    """Starts tools/train.py on small data.

    Args:
        folder (Path): Where data, config and work directories lie.
    """

    def __init__(self, folder: Path):
        from cltdr_mm.datasets.converters.synthetic import SyntheticSpec, make_synthetic

        self.folder = folder
        # unequal numbers, so that ranks get unequal shares
        make_synthetic(str(folder / 'data'), SyntheticSpec(
            num_train=7, num_test=5, num_validation=5, num_classes=3, channels=16, min_steps=32,
            max_steps=64, long=16, noise=0.3))
        self.config = folder / 'config.py'
        self.config.write_text(CONFIG.format(root=ROOT, data=folder / 'data'))

    def start(self, work_dir: str, *args, fault=None, ranks: int = 1, **kwargs):
        """Start a training; returns the process, whose output is text."""
        from tool_runs import free_port

        env = dict(os.environ, OMP_NUM_THREADS='1', PYTHONUNBUFFERED='1', PORT=free_port(),
                   PYTHON=sys.executable, PYTHONPATH=f'{Path(__file__).parent}:{ROOT}')
        if fault is not None:
            env['CLTDR_TEST_FAULT'] = json.dumps(fault)
        tool = [sys.executable, str(ROOT / 'tools' / 'train.py'), str(self.config)]
        if ranks > 1:
            tool = ['bash', str(ROOT / 'tools' / 'dist_train.sh'), str(self.config), str(ranks)]
        return subprocess.Popen(
            [*tool, '--work-dir', str(self.folder / work_dir), *map(str, args)], env=env,
            text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=self.folder, **kwargs)

    def run(self, work_dir: str, *args, status: int = 0, **kwargs) -> str:
        """Run a training to its end, and return what it printed."""
        with self.start(work_dir, *args, **kwargs) as process:
            out, _ = process.communicate(timeout=600)
        assert process.returncode == status, out[-6000:]
        return out

    def killed(self, work_dir: str, *args, **kwargs) -> str:
        """Run a training that kills itself."""
        return self.run(work_dir, *args, status=-signal.SIGKILL, **kwargs)


@pytest.fixture(scope='session')
def trainings(tmp_path_factory) -> Trainings:
    """Trainings in a folder of their own."""
    return Trainings(tmp_path_factory.mktemp('faults'))


@pytest.fixture(scope='session')
def straight(trainings) -> Path:
    """Work directory of a training that nothing disturbed."""
    trainings.run('straight')
    return trainings.folder / 'straight'


@pytest.fixture(scope='session')
def workplace(tmp_path_factory) -> Path:
    """Folder of good files: data, config, checkpoint, detections and metrics, all small."""
    from mistakes import forget_runs, main_of

    folder = tmp_path_factory.mktemp('workplace')
    Trainings(folder)
    # without serialize_data, for which MMEngine collects garbage, half a second each time
    (folder / 'config.py').write_text(CONFIG.format(root=ROOT, data='data').replace(
        'feature_dim=16', 'feature_dim=16, serialize_data=False'))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv('LOCAL_RANK', '0')
        forget_runs()
        main_of('train')(['config.py', '--work-dir', 'run', '--no-validate', '--cfg-options',
                          'train_cfg.max_epochs=1', 'param_scheduler.warmup=0'])
        main_of('test')(['config.py', 'run', '--work-dir', 'run', '--out', 'run'])
    for name, new in (('epoch_1.pth', 'good.pth'), ('detections.json', 'results.json'),
                      ('metrics.json', 'metrics.json')):
        shutil.move(folder / 'run' / name, folder / new)
    shutil.rmtree(folder / 'run')
    return folder


@pytest.fixture
def place(workplace, tmp_path, monkeypatch) -> Path:
    """A copy of the workplace, in which a command runs."""
    from mistakes import forget_runs

    forget_runs()
    shutil.copytree(workplace, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('LOCAL_RANK', '0')
    monkeypatch.delenv('RANK', raising=False)
    return tmp_path
