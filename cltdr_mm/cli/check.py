r"""Check data, and a config for them, before anything is trained; exit status 0 if it can be.

Annotations and features are looked at as a training would, statistics are printed, and settings
that would fit. All that is wrong is listed, one line each with file, video and field.

Examples::

    cltdr check configs/mine.py --out-dir pictures/
    cltdr check data/mine/annotations.json --features data/mine/features --stride 8 --window 16
"""
import argparse
import os

from mmengine.config import DictAction  # noqa: F401

from ..apis.command_line import read_config
from ..apis.data_check import check_annotations, check_config, suggestions_for
from ..utils import exit_on_error, out_folder
from . import verb_parser
