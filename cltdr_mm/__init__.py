"""Temporal action localization for MMEngine and MMAction2.

Importing this package registers every component in ``mmaction.registry``; in a config
``custom_imports = dict(imports=['cltdr_mm'])`` does the same.
"""
from . import compat  # noqa: F401, I001  (first: repairs imports of the packages below)
from . import (apis, datasets, engine, evaluation, models, postprocessing, structures, utils,
               visualization)
from .version import __version__

__all__ = [
    '__version__', 'apis', 'datasets', 'engine', 'evaluation', 'models', 'postprocessing',
    'structures', 'utils', 'visualization'
]
