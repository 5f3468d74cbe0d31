"""Finds configs and tools, whether the package was installed from a wheel or from a checkout.

They lie at the root of the project, outside the package. ``cltdr_mm/.mim``, the folder where
OpenMMLab's tools look, holds links to them; a wheel contains copies in their place.
"""
from difflib import get_close_matches
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def resource_root() -> Path:
    """Find the folder that holds ``configs`` and ``tools``.

    Returns:
        Path: Absolute path.

    Raises:
        FileNotFoundError: If there is none, as when the package's files were copied one by one.
    """
    # A checkout on a system without links has text files there; the originals are one level up.
    for root in (_PACKAGE / '.mim', _PACKAGE.parent):
        if (root / 'configs').is_dir() and (root / 'tools').is_dir():
            return root
    raise FileNotFoundError(f'no configs and tools in {_PACKAGE / ".mim"} or {_PACKAGE.parent}')


def config_path(name: str) -> Path:
    """Find a config of this library.

    Args:
        name (str): Path below ``configs``, with or without ``.py``: ``'cltdr_thumos'``.

    Raises:
        FileNotFoundError: If there is no such config; names similar ones.
    """
    return _find('configs', name if name.endswith('.py') else f'{name}.py')


def tool_path(name: str) -> Path:
    """Find a command line tool of this library.

    Args:
        name (str): Path below ``tools``: ``'train.py'``, ``'dataset_converters/hapt.py'``.

    Raises:
        FileNotFoundError: If there is no such tool; names similar ones.
    """
    return _find('tools', name)


def _find(kind: str, name: str) -> Path:
    folder = resource_root() / kind
    path = folder / name
    if path.is_file():
        return path
    # os-independent names relative to the folder; rglob would not follow the links of .mim
    known = [p.relative_to(folder.resolve()).as_posix() for p in folder.resolve().rglob('*.*')
             if p.suffix in ('.py', '.sh')]
    similar = ', '.join(get_close_matches(name, known, n=3)) or 'none'
    raise FileNotFoundError(f'there is no {name} in {folder}; similar: {similar}')
