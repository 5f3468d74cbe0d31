"""What a training on other data takes from a checkpoint, and what it starts anew."""
import copy
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional

import torch
from mmengine.config import Config
from terminaltables import AsciiTable
from torch import Tensor

from ...engine.checkpoint_config import checkpoint_config
from ...engine.checkpoint_fit import (
    checkpoint_classes,
    checkpoint_features,
    kept_keys,
    state_dict_in,
)
from ...engine.checkpoint_io import load_from_local
from ...utils import TALDataError
from ...utils.feature_settings import differing
from ..running.config_files import config_from_file
from .data_check import CheckedData
from .suggestions import Suggestion, Suggestions


class StartingPoint:
    """A checkpoint that a training on other data starts from.

    Args:
        path (str): The checkpoint, published and converted, or of a training of one's own.
        config (str or Path, optional): Its config. Defaults to None: the one that it holds.

    Raises:
        FileNotFoundError: If there is no such checkpoint.
        TALDataError: If it cannot be used.
        ValueError: If it holds no config and none is given.

    Attributes:
        model (dict): Config of its model.
        classes (list[str], optional): Names of its classes, where it brings them.
        features (dict): How its features were made, as far as it says so.
    """

    def __init__(self, path: str, config: Optional[Path] = None):
        self.path = path
        checkpoint = load_from_local(path, map_location='cpu')
        self.state: Mapping[str, Tensor] = state_dict_in(checkpoint, path)
        self.classes = checkpoint_classes(checkpoint)
        cfg: Config = (
            checkpoint_config(checkpoint, path, 'give the config file of its training: --config')
            if config is None else config_from_file(config))
        if not isinstance(cfg.get('model'), dict) or 'in_channels' not in cfg.model.get(
                'backbone', {}):
            raise TALDataError.of('checkpoint', path, 'config', 'has no model with '
                                  'backbone.in_channels: only trainings of our localizers go on')
        self.model: dict[str, Any] = cfg.model.to_dict()
        loader = cfg.get('train_dataloader') or {}
        self.features = _made(checkpoint_features(checkpoint), loader.get('dataset') or {})

    def model_for(self, channels: int, num_classes: int) -> dict[str, Any]:
        """Config of the same model for other features and classes."""
        model = copy.deepcopy(self.model)
        model['backbone']['in_channels'] = channels
        head = model['head']
        while isinstance(head.get('head'), dict):  # a head around a head
            head = head['head']
        head['num_classes'] = num_classes
        return model

    def fit(self, chosen: Suggestions, model: torch.nn.Module) -> Suggestions:
        """Settings with the levels and the width of a model built from :meth:`model_for`."""
        why = 'as in the checkpoint'
        return replace(chosen, num_levels=Suggestion(model.backbone.num_levels, why),
                       width=Suggestion(model.backbone.out_channels, why))

    def report(self, model: torch.nn.Module, data: CheckedData) -> str:
        """Say what a model takes from the checkpoint.

        Args:
            model (nn.Module): Built from :meth:`model_for`.
            data (CheckedData): What it will be trained on.

        Returns:
            str: A table of parts with the numbers that are kept and that start anew, the tensors
            that start anew, and how the features and classes differ from the checkpoint's.

        Raises:
            TALDataError: If nothing is kept.
        """
        expected = model.state_dict()
        kept = kept_keys(self.state, expected)
        if not kept:
            raise TALDataError.of('checkpoint', self.path, 'state_dict',
                                  'has nothing for this model')
        rows = [['part', 'numbers kept', 'start anew']]
        for part in dict.fromkeys(_part(key) for key in expected):
            keys = [key for key in expected if _part(key) == part]
            numbers = [sum(expected[key].numel() for key in keys if (key in kept) == wanted)
                       for wanted in (True, False)]
            rows.append([part, *(f'{number:,}' for number in numbers)])
        table = AsciiTable(rows, f'from {self.path}')
        table.justify_columns = {1: 'right', 2: 'right'}
        lines = [table.table]
        for key in expected:
            if key not in kept:
                was = f', was {tuple(self.state[key].shape)}' if key in self.state else ''
                lines.append(f'starts anew: {key} {tuple(expected[key].shape)}{was}')
        found = differing(self.features, _made(data.manifest, data.features))
        if found:
            lines.append('note: the features were made otherwise than those of the checkpoint '
                         f'({"; ".join(found)}, the checkpoint first): what is kept was learned '
                         'from those')
        classes = data.training.classes
        if self.classes and list(classes) != self.classes and len(classes) == len(self.classes):
            lines.append('note: there are as many classes as in the checkpoint, but others: their '
                         'outputs start from those of the old classes')
        return '\n'.join(lines)


def _made(manifest: Optional[Mapping], dataset: Mapping) -> dict[str, Any]:
    """How features were made, by their manifest or else by the settings of their data set."""
    said = {name: dataset.get(f'feature_{name}') for name in ('stride', 'window')}
    return {**{name: value for name, value in said.items() if value is not None},
            **(manifest or {})}


def _part(key: str) -> str:
    return '.'.join(key.split('.')[:2])
