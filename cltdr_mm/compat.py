"""Repairs of third-party packages, most of which have to happen before their first import.

:mod:`cltdr_mm` imports this module before anything else. MMEngine's configs inherit from installed
packages by ``package::name.py``, but from OpenMMLab's own only, and never from an editable
installation; ``cltdr_mm::`` is taught to it here. And two things can be wrong with an installation
that pip considers complete:

* mmcv and mmcv-lite are both there, or neither. pip cannot express "one of the two": mmcv-lite is
  required, and who has full mmcv installs without dependencies. Two overwrite each other; without
  any MMAction2 would fail with a bare ``No module named 'mmcv'``;
* the wheel of MMAction2 1.2.0 asks for ``mmaction.models.localizers.drn`` and does not contain it,
  or it does contain it (source checkout) but that model needs torchvision, which is not there.
  Either way ``import mmaction.models`` fails, and with it the first ``MODELS.build``, although no
  other model needs the missing part.
"""
import importlib.util
import re
import sys
import types
import warnings
from importlib import metadata
from pathlib import Path
from typing import Optional

_DRN_PACKAGE = 'mmaction.models.localizers.drn'
_INSTEAD_OF_DRN = (
    'it finds the one segment that a sentence describes (Charades-STA), and takes words that no '
    'data set here has: for it install MMAction2 from its repository, and torchvision, and run its '
    'own config; for actions of classes build a SingleStageLocalizer, for proposals BMN')
_HOW_TO_GET_MMCV = (
    'install exactly one of them: pip install "mmcv-lite>=2.1.0,<2.2.0" (a wheel without '
    'compiled operators, all that cltdr_mm needs) or pip install "mmcv>=2.1.0,<2.2.0" '
    '(with compiled operators)')


def check_mmcv() -> None:
    """Check that exactly one of mmcv and mmcv-lite is installed, without importing it.

    Raises:
        ImportError: If neither is there, or if only remains of one are left behind.
    """
    spec = importlib.util.find_spec('mmcv')
    if spec is None:
        raise ImportError(f'cltdr_mm needs mmcv or mmcv-lite and finds neither: {_HOW_TO_GET_MMCV}')
    if spec.origin is None:  # a folder without __init__.py: what uninstalling one of two leaves
        folders = ', '.join(spec.submodule_search_locations or ())
        raise ImportError(f'mmcv in {folders} is incomplete, as after removing one of mmcv and '
                          f'mmcv-lite where both were installed: uninstall both, then '
                          f'{_HOW_TO_GET_MMCV}')
    if _is_distribution('mmcv') and _is_distribution('mmcv-lite'):
        warnings.warn(
            'mmcv and mmcv-lite are both installed and overwrite each other: uninstall both, then '
            f'{_HOW_TO_GET_MMCV}', stacklevel=2)


def _is_distribution(name: str) -> bool:
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def missing_drn_reason(localizers: Path, has_torchvision: bool) -> Optional[str]:
    """Say why MMAction2's DRN cannot be imported from this installation.

    Args:
        localizers (Path): The folder ``mmaction/models/localizers``.
        has_torchvision (bool): Whether torchvision can be imported.

    Returns:
        str, optional: The reason, or None where DRN is complete or nobody asks for it.
    """
    init = localizers / '__init__.py'
    asks = init.is_file() and re.search(r'^\s*from \.drn\b', init.read_text('utf-8'), re.MULTILINE)
    if not asks:
        return None
    drn = localizers / 'drn'
    if not (drn / 'drn.py').is_file():
        return 'this installation of MMAction2 does not contain it (the wheel of 1.2.0 lacks it)'
    needs_torchvision = any(
        re.search(r'^\s*(from|import) torchvision\b', file.read_text('utf-8'), re.MULTILINE)
        for file in drn.rglob('*.py'))
    if needs_torchvision and not has_torchvision:
        return 'it needs torchvision, which is not installed'
    return None


def drn_placeholder(reason: str) -> types.ModuleType:
    """Make a module with a class ``DRN`` that can be registered but not built.

    Args:
        reason (str): Why the real one is not there; part of the error of who tries to use it.

    Returns:
        ModuleType: Stands for ``mmaction.models.localizers.drn.drn``.
    """

    class DRN:
        """Stands for MMAction2's DRN, which this installation cannot offer."""

        def __init__(self, *args, **kwargs):
            raise ImportError(f"MMAction2's DRN cannot be built here: {reason}; {_INSTEAD_OF_DRN}")

    module = types.ModuleType(f'{_DRN_PACKAGE}.drn', DRN.__doc__)
    DRN.__module__ = module.__name__
    module.DRN = DRN
    return module


def repair_mmaction() -> Optional[str]:
    """Let ``import mmaction.models`` succeed where only MMAction2's DRN is missing.

    ``MODELS.build`` of a DRN then says why, and what to do. Complete installations, and releases
    that do not know DRN (1.1.0 and older), are left alone.

    Returns:
        str, optional: Why a placeholder was put in place, or None where none was needed.
    """
    spec = importlib.util.find_spec('mmaction')
    if spec is None or _DRN_PACKAGE in sys.modules:
        return None
    for location in spec.submodule_search_locations or ():
        reason = missing_drn_reason(
            Path(location, 'models', 'localizers'),
            importlib.util.find_spec('torchvision') is not None)
        if reason is not None:
            module = drn_placeholder(reason)
            package = types.ModuleType(_DRN_PACKAGE, 'Placeholder of a missing package.')
            package.__path__ = []
            package.drn = module
            sys.modules[_DRN_PACKAGE] = package
            sys.modules[module.__name__] = module
            _register(module.DRN)
            return reason
    return None


def _register(kind: type) -> None:
    """Let ``MODELS.build`` find a class, unless there is one of that name."""
    from mmaction.registry import MODELS
    if kind.__name__ not in MODELS.module_dict:
        MODELS.register_module(module=kind)


def find_own_bases() -> None:
    """Let configs inherit ``cltdr_mm::cltdr_thumos.py``, wherever this package is installed."""
    from mmengine.config import Config

    from .resources import config_path
    find = Config._get_cfg_path

    def get_cfg_path(cfg_path: str, filename: str) -> tuple[str, Optional[str]]:
        package, _, name = cfg_path.partition('::')
        if package == 'cltdr_mm' and name:
            return str(config_path(name)), None
        return find(cfg_path, filename)

    Config._get_cfg_path = staticmethod(get_cfg_path)


check_mmcv()
find_own_bases()
repair_mmaction()
# mmcv-lite says so whenever MMAction2's models are imported; no component here uses that operator.
warnings.filterwarnings('ignore', message='Fail to import ``MultiScaleDeformableAttention``')
