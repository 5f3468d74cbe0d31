"""Scalars and pictures for TensorBoard, in groups."""
import re
from typing import Any

import numpy as np
from mmaction.registry import VISBACKENDS
from mmengine.logging import MessageHub
from mmengine.visualization import TensorboardVisBackend

#: Names of what was measured, and the group and name that they get.
_MEASURES = (
    (re.compile(r'average_mAP'), r'mAP/average'),
    (re.compile(r'average_mAP@(.+)'), r'mAP/average_\1'),
    (re.compile(r'mAP@(.+)'), r'mAP/\1'),
    (re.compile(r'recall@(\w+)@(.+)'), r'recall_\1/\2'),
    (re.compile(r'(f1|precision|recall|f1_threshold)'), r'F1/\1'))


@VISBACKENDS.register_module()
class TALTensorboardVisBackend(TensorboardVisBackend):
    """TensorBoard with its cards in groups, where MMEngine's back-end has all names side by side.

    ``train/loss``, ``train/...``, ``lr/lr``, ``val/mAP/0.5``, ``val/mAP/average``,
    ``val/AP/<class>``, ``val/recall_1x/0.5``, ``val/F1/f1``, ``val/...``; pictures under
    ``timelines/<video>``.

    Args:
        save_dir (str): Folder of the event files.
    """

    def _init_env(self) -> None:
        try:
            super()._init_env()
        except ImportError as error:
            raise ImportError('TALTensorboardVisBackend needs TensorBoard: '
                              'pip install "cltdr-mm[tensorboard]"') from error

    def add_scalar(self, name: str, value: Any, step: int = 0, **kwargs) -> None:
        """Record a number under its group; arguments as in the base."""
        stage = MessageHub.get_current_instance().runtime_info.get('loop_stage', 'train')
        super().add_scalar(grouped(name, stage), value, step, **kwargs)

    def add_image(self, name: str, image: np.ndarray, step: int = 0, **kwargs) -> None:
        """Record a picture among the timelines; arguments as in the base."""
        super().add_image(f'timelines/{_clean(name)}', image, step, **kwargs)


def grouped(name: str, stage: str) -> str:
    """Put a scalar into its group.

    Args:
        name (str): As MMEngine logs it.
        stage (str): ``'train'``, ``'val'`` or ``'test'``: when it was logged.

    Returns:
        str: Groups and name, with ``/`` between them.
    """
    if name.rpartition('_')[2] in ('lr', 'momentum'):
        return f'lr/{_clean(name)}'
    if name.startswith('AP/'):
        return f'{stage}/AP/{_clean(name[3:])}'
    for pattern, place in _MEASURES:
        found = pattern.fullmatch(name)
        if found and stage != 'train':
            return f'{stage}/' + '/'.join(map(_clean, found.expand(place).split('/')))
    return f'{stage}/{_clean(name)}'


def _clean(name: str) -> str:
    """Without what TensorBoard does not take, or takes for a group."""
    return re.sub(r'[^-\w.]', '_', name)
