"""The package as installed: importable from anywhere, complete, with its configs and tools."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from mmengine.config import Config

from cltdr_mm import resources


def python(*args, cwd, path=None) -> str:
    env = dict(os.environ)
    if path is not None:
        env['PYTHONPATH'] = str(path)
    done = subprocess.run([sys.executable, *map(str, args)], cwd=cwd, env=env, text=True,
                          capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_import_registers_everything_from_any_folder(tmp_path):
    # one of each registry; a name that is missing makes the import useless in custom_imports
    code = '''
import cltdr_mm
from mmaction import registry as r
wanted = dict(
    MODELS=['SingleStageLocalizer', 'TALDataPreprocessor', 'GMG', 'SGP', 'ActionFormer',
            'TemporalMaxer', 'LoGo', 'ConvPyramid', 'IdentityNeck', 'FPN1D', 'CLTDRHead',
            'TridentHead', 'ActionFormerHead', 'WarmupEMA'],
    DATASETS=['TALDataset', 'THUMOS14Dataset', 'MultiTHUMOSDataset', 'EPICKitchens100Dataset',
              'ActivityNet13Dataset', 'HACSDataset', 'HAPTDataset'],
    TRANSFORMS=['LoadTALFeature', 'RandomCropFeature', 'ResizeFeature', 'LoadTALProposals',
                'PackTALInputs'],
    TASK_UTILS=['CenterSamplingAssigner', 'TALPostProcessor', 'SoftNMS', 'SegmentVoting',
                'ExternalScores'],
    METRICS=['TALMetric'], HOOKS=['EpochSeedHook', 'TALVisualizationHook'],
    VISUALIZERS=['TALVisualizer'], PARAM_SCHEDULERS=['WarmupCosineLR'],
    OPTIM_WRAPPERS=['CPUAmpOptimWrapper'],
    OPTIM_WRAPPER_CONSTRUCTORS=['TALOptimWrapperConstructor'])
# module_dict, not get(): nothing but the import above may be needed
print([n for k, names in wanted.items() for n in names if n not in getattr(r, k).module_dict])
'''
    assert python('-c', code, cwd=tmp_path).splitlines()[-1] == '[]'


def test_import_brings_nothing_that_a_run_may_not_need(tmp_path):
    heavy = ('matplotlib', 'av', 'onnx', 'onnxruntime', 'numba', 'mmaction.models')
    code = f'import sys, cltdr_mm; print([n for n in {heavy!r} if n in sys.modules])'
    assert python('-c', code, cwd=tmp_path).splitlines()[-1] == '[]'
    code = '''
from cltdr_mm import visualization
missing = [name for name in visualization.__all__ if not hasattr(visualization, name)]
print(missing, hasattr(visualization, 'draw_nothing'))
'''
    assert python('-c', code, cwd=tmp_path).splitlines()[-1] == '[] False'


@pytest.fixture(scope='module')
def wheel_site(project_root, tmp_path_factory) -> Path:
    """A folder with nothing but our wheel installed in it."""
    root = tmp_path_factory.mktemp('wheel')
    ignore = shutil.ignore_patterns('.git', '.venv', 'data', 'work_dirs', 'build', '*.egg-info',
                                    '__pycache__', '.*_cache')
    for source in project_root.iterdir():
        if source.name in ('cltdr_mm', 'configs', 'requirements', 'tools'):
            shutil.copytree(source, root / 'src' / source.name, symlinks=True, ignore=ignore)
        elif source.is_file():
            (root / 'src').mkdir(exist_ok=True)
            shutil.copy(source, root / 'src')
    pip = ['-m', 'pip', '--disable-pip-version-check', '-q']
    python(*pip, 'wheel', '--no-deps', '--no-build-isolation', '-w', root, root / 'src', cwd=root)
    wheel, = root.glob('*.whl')
    python(*pip, 'install', '--no-deps', '--target', root / 'site', wheel, cwd=root)
    return root / 'site'


def files_in(folder: Path, *suffixes: str) -> set:
    return {p.relative_to(folder).as_posix() for p in folder.rglob('*')
            if p.suffix in suffixes and '__pycache__' not in p.parts}


def test_wheel_is_complete(wheel_site, project_root):
    assert files_in(wheel_site / 'cltdr_mm/.mim/configs', '.py', '.yml') == files_in(
        project_root / 'configs', '.py', '.yml')
    assert files_in(wheel_site / 'cltdr_mm/.mim/tools', '.py', '.sh') == files_in(
        project_root / 'tools', '.py', '.sh')
    suffixes = ('.py', '.txt', '.json', '.csv', '.html', '.css', '.js')
    ours = {f for f in files_in(wheel_site / 'cltdr_mm', *suffixes) if not f.startswith('.mim/')}
    theirs = {f for f in files_in(project_root / 'cltdr_mm', *suffixes)
              if not f.startswith('.mim/')}
    assert ours == theirs
    for name, original in (('model-index.yml', 'model-index.yml'),
                           ('constraints.txt', 'requirements/constraints.txt')):
        assert (wheel_site / 'cltdr_mm/.mim' / name).read_text() == (
            project_root / original).read_text()
    assert os.access(wheel_site / 'cltdr_mm/.mim/tools/dist_train.sh', os.X_OK)


def test_wheel_finds_its_configs_and_tools(wheel_site, tmp_path):
    code = '''
import cltdr_mm
from cltdr_mm.resources import config_path, tool_path
from mmengine.config import Config
print(cltdr_mm.__file__)
print(config_path('_base_/default_runtime'))
print(Config.fromfile(config_path('_base_/default_runtime')).default_scope)
print(tool_path('train.py'))
'''
    lines = python('-c', code, cwd=tmp_path, path=wheel_site).splitlines()[-4:]
    assert all(str(wheel_site) in lines[i] for i in (0, 1, 3)), lines
    assert lines[2] == 'mmaction'
    usage = python(lines[3], '--help', cwd=tmp_path, path=wheel_site)
    assert '--work-dir' in usage


def test_a_config_in_an_empty_folder_inherits_from_the_wheel(wheel_site, tmp_path):
    (tmp_path / 'mine.py').write_text("_base_ = 'cltdr_mm::cltdr_hapt.py'\n")
    code = '''
import cltdr_mm
from mmengine.config import Config
print(Config.fromfile('mine.py').model.head.num_classes)
'''
    assert python('-c', code, cwd=tmp_path, path=wheel_site).splitlines()[-1] == '12'


def test_a_config_elsewhere_inherits_from_ours(tmp_path):
    base = resources.config_path('_base_/schedules/adamw_cosine.py')
    (tmp_path / 'mine.py').write_text(
        f'_base_ = {str(base)!r}\ntrain_cfg = dict(max_epochs=3)\n')
    cfg = Config.fromfile(tmp_path / 'mine.py')
    assert cfg.train_cfg.max_epochs == 3
    assert cfg.param_scheduler.type == 'WarmupCosineLR'


@pytest.mark.parametrize('find, name, similar', [
    (resources.config_path, '_base_/default_runtimes', '_base_/default_runtime.py'),
    (resources.tool_path, 'dist_trian.sh', 'dist_train.sh')])
def test_misspelt_names_are_answered_with_similar_ones(find, name, similar):
    with pytest.raises(FileNotFoundError, match=f'no {name}.*similar: .*{similar}'):
        find(name)


def test_links_are_a_convenience(monkeypatch, tmp_path, project_root):
    # what a checkout without links, or without its tools, looks like
    monkeypatch.setattr(resources, '_PACKAGE', tmp_path / 'cltdr_mm')
    with pytest.raises(FileNotFoundError, match='no configs and tools'):
        resources.resource_root()
    for name in ('configs', 'tools'):
        (tmp_path / name).mkdir()
    assert resources.resource_root() == tmp_path
