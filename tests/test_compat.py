"""Repairs of third-party packages."""
import subprocess
import sys
from pathlib import Path

import pytest

from cltdr_mm import compat


def run(code: str, *args: str, cwd) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, *args, '-c', code], cwd=cwd, text=True,
                          capture_output=True)


def fake_localizers(root: Path, init: str, drn: str = None) -> Path:
    folder = root / 'localizers'
    folder.mkdir()
    (folder / '__init__.py').write_text(init)
    if drn is not None:
        (folder / 'drn').mkdir()
        (folder / 'drn' / 'drn.py').write_text(drn)
    return folder


def test_mmaction_localizers_stay_usable(tmp_path):
    code = '''
import cltdr_mm
from mmaction.registry import MODELS
import mmaction.models.localizers as localizers
bmn = MODELS.build(dict(type='BMN', temporal_dim=20, boundary_ratio=0.5, num_samples=4,
                        num_samples_per_bin=3, feat_dim=8, soft_nms_alpha=0.4,
                        soft_nms_low_threshold=0.5, soft_nms_high_threshold=0.9,
                        post_process_top_k=5))
tem = MODELS.build(dict(type='TEM', temporal_dim=20, boundary_ratio=0.1, tem_feat_dim=8,
                        tem_hidden_dim=8, tem_match_threshold=0.5))
pem = MODELS.build(dict(type='PEM', pem_feat_dim=8, pem_hidden_dim=8, pem_u_ratio_m=1,
                        pem_u_ratio_l=2, pem_high_temporal_iou_threshold=0.6,
                        pem_low_temporal_iou_threshold=0.2, soft_nms_alpha=0.75,
                        soft_nms_low_threshold=0.65, soft_nms_high_threshold=0.9,
                        post_process_top_k=10))
print(sorted(type(m).__name__ for m in (bmn, tem, pem)), 'TCANet' in MODELS)
'''
    done = run(code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "['BMN', 'PEM', 'TEM'] True"


def test_placeholder_gives_the_reason():
    module = compat.drn_placeholder('a reason')
    with pytest.raises(ImportError, match="^MMAction2's DRN cannot be built here: a reason; it "
                                          'finds the one segment that a sentence describes'):
        module.DRN(1, x=2)


def test_building_drn_says_why_and_what_to_do(tmp_path):
    """Here as the wheel lacks it; one that works is left alone."""
    code = '''
import sys, types
from mmaction.registry import MODELS
if len(sys.argv) > 1:  # a complete installation
    package, module = (types.ModuleType(f'mmaction.models.localizers.{n}')
                       for n in ('drn', 'drn.drn'))
    package.__path__, package.drn = [], module
    sys.modules[package.__name__], sys.modules[module.__name__] = package, module
    module.DRN = MODELS.register_module(name='DRN')(type('DRN', (), {}))
import cltdr_mm
import mmaction.models
print(type(MODELS.build(dict(type='DRN'))).__module__)
'''
    done = run(code, cwd=tmp_path)
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: MMAction2's DRN cannot be built here: this installation "
                           'of MMAction2 does not contain it')
    assert 'install MMAction2 from its repository' in last
    done = subprocess.run([sys.executable, '-c', code, 'complete'], cwd=tmp_path, text=True,
                          capture_output=True)
    assert done.returncode == 0 and done.stdout.split() == ['__main__'], done.stderr


@pytest.mark.parametrize('init, drn, torchvision, expected', [
    ('from .bmn import BMN\n', None, False, None),  # releases before 1.2
    ('from .bmn import BMN\nfrom .drn.drn import DRN\n', None, True, 'lacks it'),
    ('from .drn.drn import DRN\n', 'from torchvision.ops import nms\n', False, 'torchvision'),
    ('from .drn.drn import DRN\n', 'from torchvision.ops import nms\n', True, None),
    ('from .drn.drn import DRN\n', 'import torch\n', False, None),
])
def test_only_broken_installations_are_repaired(tmp_path, init, drn, torchvision, expected):
    reason = compat.missing_drn_reason(fake_localizers(tmp_path, init, drn), torchvision)
    assert reason is None if expected is None else expected in reason


def test_without_mmcv_the_message_names_both_wheels(tmp_path):
    # A finder that hides mmcv is what an installation without it looks like.
    code = '''
import importlib.abc, importlib.machinery, sys
find = importlib.machinery.PathFinder.find_spec
class Hide(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        return None if name == 'mmcv' else find(name, path, target)
sys.meta_path = [f for f in sys.meta_path if f is not importlib.machinery.PathFinder] + [Hide()]
import cltdr_mm
'''
    done = run(code, cwd=tmp_path)
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith('ImportError: cltdr_mm needs mmcv or mmcv-lite')
    assert 'mmcv-lite>=' in last and 'mmcv>=' in last


def test_remains_of_mmcv_are_recognised(tmp_path, monkeypatch):
    (tmp_path / 'mmcv').mkdir()
    (tmp_path / 'mmcv' / '_ext.so').write_bytes(b'')
    monkeypatch.setattr(sys, 'path', [str(tmp_path)])
    monkeypatch.delitem(sys.modules, 'mmcv', raising=False)
    monkeypatch.setattr(sys, 'meta_path', [f for f in sys.meta_path
                                           if 'Editable' not in repr(f)])
    with pytest.raises(ImportError, match='incomplete'):
        compat.check_mmcv()


@pytest.mark.parametrize('base', ['cltdr_hapt.py', '_base_/models/tridet.py'])
def test_configs_inherit_from_this_package(base, tmp_path):
    """Wherever the config lies and the package is installed; others' packages still work."""
    from mmengine.config import Config

    import cltdr_mm
    (tmp_path / 'mine.py').write_text(f"_base_ = 'cltdr_mm::{base}'\nmodel = dict(num_levels=4)\n")
    found = Config.fromfile(tmp_path / 'mine.py')
    assert found.model.num_levels == 4 and found.model.backbone.type in ('GMG', 'SGP')
    root = Path(cltdr_mm.__file__).parent.parent
    expected = Config.fromfile(root / 'configs' / base)
    expected.model.num_levels = 4
    assert found.model == expected.model
    (tmp_path / 'wrong.py').write_text("_base_ = 'cltdr_mm::cltdr_hpt.py'\n")
    with pytest.raises(FileNotFoundError, match='cltdr_hapt.py'):
        Config.fromfile(tmp_path / 'wrong.py')
    (tmp_path / 'other.py').write_text("_base_ = 'nothing::some/config.py'\n")
    with pytest.raises(AssertionError, match='does not support to load nothing'):
        Config.fromfile(tmp_path / 'other.py')
