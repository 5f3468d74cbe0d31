"""Builds the full-sized model of a config without memory or time: on the meta device."""
from pathlib import Path

from meta_device import meta_device
from mmaction.registry import MODELS
from mmengine.config import Config

import cltdr_mm  # noqa: F401

CONFIGS = Path(__file__).parents[2] / 'configs'


def load(name: str) -> Config:
    """A config by its path under configs/, without extension."""
    return Config.fromfile(CONFIGS / f'{name}.py')


def build(cfg: Config):
    """The model of a config; video-level scores are left out, whose file is the user's."""
    model = cfg.model.copy()
    model.postprocessor = {k: v for k, v in model.postprocessor.items() if k != 'fusion'}
    with meta_device():
        return MODELS.build(model)


def millions(module) -> float:
    """Parameters in millions."""
    return sum(p.numel() for p in module.parameters()) / 1e6
