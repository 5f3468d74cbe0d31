"""Runs an ONNX file in the place of a localizer."""
import json
from pathlib import Path
from typing import Optional, Union

import torch
from mmaction.registry import MODELS, TASK_UTILS
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.structures import InstanceData
from torch import Tensor

from ...engine.checkpoint_config import checkpoint_config
from ...models.localizers import SingleStageLocalizer
from ...models.task_modules import candidates_of, top_pairs
from ...structures import Layout, PackedRows
from ...utils import TALDataError
from ...utils.json_files import number_problem, shown
from .onnx_export import import_onnx, open_session

#: What a file has to say, and of candidates the numbers; the first two are whole.
KEYS = {'classes', 'candidates', 'config'}
SETTINGS = ('num_levels', 'nms_pre', 'score_thr', 'min_length')


class OnnxLocalizer(BaseModel):
    """A localizer whose network is an ONNX file of :func:`.export_onnx`.

    The file alone suffices: classes, grid, thresholds, post-processing and the config of the data
    set are in it. Networks run on the CPU, one sequence after the other.

    Args:
        path (str | Path): The file.

    Raises:
        ImportError: If onnx or onnxruntime is not installed.
        TALDataError: If it is no such file; names it.

    Examples:
        >>> inferencer = TALInferencer('model.onnx')
        >>> out = inferencer('features/')
    """

    def __init__(self, path: Union[str, Path]) -> None:
        super().__init__()
        import_onnx()
        path = str(path)
        try:
            self.session = open_session(path)
        except Exception as error:  # of as many kinds as the runtime has
            why = 'there is no such file' if not Path(path).is_file() else str(error)
            raise TALDataError.of('model', path, 'graph', why) from None
        known = self.session.get_modelmeta().custom_metadata_map
        names = [[x.name for x in side] for side in (self.session.get_inputs(),
                                                      self.session.get_outputs())]
        if names != [['features'], ['scores', 'segments']] or not KEYS <= set(known):
            raise TALDataError.of('model', path, 'metadata', 'is not that of a file written by '
                                  '`cltdr export`')
        self.dataset_meta = dict(classes=_classes(path, known['classes']),
                                 features=_json(known.get('features', 'null')))
        self.settings = _settings(path, known['candidates'])
        #: Config of the model, its data set and its metric.
        self.cfg: Config = checkpoint_config(dict(meta=dict(cfg=known['config'])), path)
        self.in_channels = self.session.get_inputs()[0].shape[1]
        # padding, if any, is in the graph
        self.data_preprocessor = MODELS.build(dict(type='TALDataPreprocessor'))
        model = self.cfg.get('model')
        self.postprocessor = TASK_UTILS.build(
            isinstance(model, dict) and model.get('postprocessor')
            or dict(type='TALPostProcessor'))

    def forward(self, inputs: PackedRows, data_samples: Optional[list] = None,
                mode: str = 'predict') -> list:
        """Localize.

        Args:
            inputs (PackedRows): What the data preprocessor made.
            data_samples (list): One a video.
            mode (str): Only 'predict'. Defaults to 'predict'.

        Returns:
            list: The data samples with ``pred_instances``.

        Raises:
            ValueError: On another mode.
        """
        if mode != 'predict':
            raise ValueError(f"an ONNX file knows mode 'predict' only, not {mode!r}")
        layout = inputs.layout
        found = [self.predict(inputs.rows[first:first + length])
                 for first, length in zip(layout.first, layout.lengths)]
        return self.add_predictions(found, data_samples)

    #: See :meth:`.SingleStageLocalizer.add_predictions`.
    add_predictions = SingleStageLocalizer.add_predictions

    def predict(self, features: Tensor) -> InstanceData:
        """Candidates of one video, as :meth:`.PointHead.predict` chooses them.

        Args:
            features (Tensor): (T, C).

        Returns:
            InstanceData: ``segments`` (M, 2) in grid steps, ``scores`` and ``labels`` (M,).
        """
        scores, segments = (torch.from_numpy(x) for x in self.session.run(
            None, {'features': features.float().cpu().numpy()}))
        settings = self.settings
        lengths = [-(-len(features) // 2**level) for level in range(settings['num_levels'])]
        layout = Layout(lengths, levels=range(len(lengths)), videos=[0] * len(lengths), gap=0)
        score, pairs = top_pairs(scores, layout, settings['nms_pre'], settings['score_thr'])
        # classes that share their boundaries have one segment a point
        label = pairs.label if segments.shape[1] > 1 else torch.zeros_like(pairs.label)
        return candidates_of(score, pairs, segments[pairs.row, label], layout,
                             settings['min_length'], 1)[0]


def _classes(path: str, text: str) -> list[str]:
    """Class names of a file; raises TALDataError."""
    classes = _json(text)
    if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
        raise TALDataError.of('model', path, 'metadata classes',
                              f'must be a list of names, got {shown(text)}')
    return classes


def _settings(path: str, text: str) -> dict:
    """Number of levels and thresholds of a file; raises TALDataError."""
    settings = _json(text)
    numbers = [settings.get(key) if isinstance(settings, dict) else None for key in SETTINGS]
    if any(number_problem(number) for number in numbers) or not all(
            isinstance(number, int) and number > 0 for number in numbers[:2]):
        raise TALDataError.of('model', path, 'metadata candidates',
                              f'must give numbers for {", ".join(SETTINGS)}, got {shown(text)}')
    return settings


def _json(text: str):
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
