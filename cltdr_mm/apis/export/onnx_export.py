"""Writes a localizer as an ONNX file that takes a feature sequence of any length.

The graph goes from features (T, C) of one video to what every point of the pyramid predicts: P
points, P the sum of ceil(T / 2^l) over the levels, finest first. Choosing candidates, suppression
and the way to seconds are left to the host; what it needs to know is in the file's metadata.
"""
import json
import warnings
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Union

import numpy as np
import torch
from mmengine.config import Config
from torch import Tensor, nn

from ...structures import TimeMajor
from ...utils import atomic_path
from ...version import __version__
from ..inference.inferencer import TALInferencer

#: Largest difference to torch, see :class:`Parity`.
TOLERANCE = 1e-4
#: Steps at which a file is compared with torch; one is long.
LENGTHS = (1, 2, 37, 256, 2305)
#: First opset with LayerNormalization.
OPSET = 17


@dataclass(frozen=True)
class Parity:
    """How far a file's results are from those of torch, at one length.

    Attributes:
        steps (int): Steps T.
        scores (float): Largest difference of a score.
        segments (float): Largest difference of a boundary, over the largest of its position, its
            segment's length and one grid step.
    """

    steps: int
    scores: float
    segments: float

    @property
    def holds(self) -> bool:
        """bool: Whether both are at most :data:`TOLERANCE`; not so of NaN."""
        return self.scores <= TOLERANCE and self.segments <= TOLERANCE


class PointGraph(nn.Module):
    """A localizer from the features of one video to all its points.

    Args:
        model (nn.Module): A :class:`.SingleStageLocalizer`; goes to evaluation mode.

    Raises:
        ValueError: If it is another kind of model.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        if not hasattr(getattr(model, 'head', None), 'all_points'):
            raise ValueError(f'{type(model).__name__} cannot be exported: only a '
                             'SingleStageLocalizer with a point head can')
        self.model = model
        self.eval()  # the exporter sets all modules to the mode of the outermost

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Features (T, C) to scores (P, K) and segments (P, K or 1, 2) in grid steps."""
        packed = self.model.data_preprocessor.pack([TimeMajor(features)])
        return self.model.head.all_points(self.model.extract_feat(packed))

    def example(self) -> Tensor:
        """Features to record the graph with."""
        # several steps on every level; and padded, if any length is
        steps = 5 * 2**(self.model.backbone.num_levels - 1) + 3
        pad_to = self.model.data_preprocessor.pad_to
        steps = steps if pad_to is None else max(1, min(steps, pad_to // 2))
        return torch.randn(steps, self.model.backbone.in_channels)


def export_onnx(cfg: Union[str, Config, None],
                checkpoint: Optional[str],
                path: Union[str, Path],
                lengths: Sequence[int] = LENGTHS) -> list[Parity]:
    """Write a config's localizer as an ONNX file, and compare it with torch.

    Args:
        cfg (str | Config, optional): The config or its file; None for the one in the checkpoint.
        checkpoint (str, optional): Weights; None exports the model untrained.
        path (str | Path): The file to write.
        lengths (Sequence[int]): Steps at which results are compared. Defaults to five.

    Returns:
        list[Parity]: One a length.

    Raises:
        ImportError: If onnx or onnxruntime is not installed.
        ValueError: If the model cannot be exported, or its results differ; nothing is written.
    """
    import_onnx()
    inferencer = TALInferencer(cfg, checkpoint, 'cpu')
    graph = PointGraph(inferencer.model)
    with atomic_path(path) as temporary:
        write_graph(graph, temporary, metadata_of(inferencer))
        found = compare(graph, temporary, lengths)
        wrong = [parity for parity in found if not parity.holds]
        if wrong:
            raise ValueError(f'{path}: not written, for its results differ from those of torch by '
                             f'more than {TOLERANCE:g}: {wrong[0]}')
    return found


def write_graph(graph: PointGraph, path: str, metadata: dict[str, str]) -> None:
    """Record a graph and write it.

    Args:
        graph (PointGraph): The graph.
        path (str): The file.
        metadata (dict[str, str]): What to store in it.
    """
    onnx, _ = import_onnx()
    with torch.no_grad(), _quiet():
        # the recorder: the other exporter takes a minute for a model, and asks for onnxscript
        torch.onnx.export(
            graph, (graph.example(), ), path, dynamo=False, opset_version=OPSET,
            input_names=['features'], output_names=['scores', 'segments'],
            dynamic_axes=dict(features={0: 'steps'}, scores={0: 'points'},
                              segments={0: 'points'}))
    model = onnx.load(path)
    onnx.helper.set_model_props(model, metadata)
    model.producer_name, model.producer_version = 'cltdr_mm', __version__
    onnx.save(model, path)


def metadata_of(inferencer: TALInferencer) -> dict[str, str]:
    """What a host has to know, by key: JSON texts, and the config.

    Args:
        inferencer (TALInferencer): Of the model that is exported.

    Returns:
        dict[str, str]: ``version`` of this library; ``classes``; ``grid``, stride, window (frames)
        and rate of the features, null where they are each video's own; ``features``, how they were
        made, null where there is no manifest; ``candidates``, number of levels and thresholds;
        ``config``, the model's, its data set's and its metric's.
    """
    model, source = inferencer.model, inferencer.pipeline.source
    cfg = inferencer.cfg
    kept = {key: cfg[key] for key in ('model', 'test_dataloader', 'test_evaluator')
            if cfg.get(key) is not None}
    return {
        'version': json.dumps(__version__),
        'classes': json.dumps(inferencer.classes),
        'grid': json.dumps(dict(stride=source.stride, window=source.window or source.stride,
                                fps=source.fps or source.default_fps)),
        'features': json.dumps(source.settings),
        'candidates': json.dumps(dict(num_levels=model.head.num_levels, **model.head.test_cfg)),
        'config': Config(kept).pretty_text}


@torch.no_grad()
def compare(graph: PointGraph, path: str, lengths: Sequence[int], seed: int = 0) -> list[Parity]:
    """Hold a file against torch on drawn features.

    Args:
        graph (PointGraph): What was written.
        path (str): The file.
        lengths (Sequence[int]): Steps.
        seed (int): Of the features, standard normal. Defaults to 0.

    Returns:
        list[Parity]: One a length.
    """
    session = open_session(path)
    generator, found = torch.Generator().manual_seed(seed), []
    for steps in lengths:
        features = torch.randn(steps, graph.model.backbone.in_channels, generator=generator)
        expected = [x.numpy() for x in graph(features)]
        got = session.run(None, {'features': features.numpy()})
        if [x.shape for x in got] != [x.shape for x in expected]:
            raise ValueError(f'{steps} steps give {[x.shape for x in got]} in place of '
                             f'{[x.shape for x in expected]}')
        score, segment = (np.abs(a - b) for a, b in zip(got, expected))
        length = np.diff(expected[1])  # (P, K, 1): start and end are sums of numbers of that size
        segment = segment / np.maximum(1, np.maximum(np.abs(expected[1]), length))
        found.append(Parity(steps, float(score.max()), float(segment.max())))
    return found


def open_session(path: str):
    """A runtime for a file, on the CPU, with as many threads as torch has."""
    _, runtime = import_onnx()
    options = runtime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3  # errors
    return runtime.InferenceSession(str(path), options, providers=['CPUExecutionProvider'])


def import_onnx():
    """Modules onnx and onnxruntime; raises ImportError, which says what to install."""
    try:
        import onnx
        import onnxruntime
    except ImportError as error:
        raise ImportError('ONNX files need onnx and onnxruntime: pip install "cltdr-mm[export]" '
                          f'({error})') from error
    return onnx, onnxruntime


@contextmanager
def _quiet():
    """Without the recorder's remarks: that it is the older one, and that sizes are looked at."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', DeprecationWarning)
        warnings.simplefilter('ignore', torch.jit.TracerWarning)
        warnings.filterwarnings('ignore', module=r'torch\.onnx')
        yield
