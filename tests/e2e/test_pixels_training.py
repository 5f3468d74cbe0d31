"""A front learns from pixels: two dozen generated videos, in less than a minute on one core."""
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

import cltdr_mm  # noqa: F401
from cltdr_mm.datasets.converters.pixel_set import PIXELS, make_pixel_set

CONFIG = Path(__file__).parents[2] / 'configs' / 'pixels' / 'resnet_full_random.py'
