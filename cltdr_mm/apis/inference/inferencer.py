"""Inferencer: features or videos in, scored segments, JSON and pictures out."""
import io
import os
from collections.abc import Sequence
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np
import torch
from mmaction.registry import DATASETS, INFERENCERS, TASK_UTILS
from mmaction.structures import ActionDataSample
from mmengine.config import Config, ConfigDict
from mmengine.infer import BaseInferencer
from mmengine.registry import FUNCTIONS, init_default_scope
from mmengine.runner.checkpoint import _load_checkpoint
from rich.progress import track
from torch import nn

from ...datasets import TALDataset, TALVideoDataset
from ...datasets.feature_source import FeatureSource
from ...engine.checkpoint_config import checkpoint_config
from ...engine.checkpoint_fit import (
    check_features,
    check_fit,
    checkpoint_classes,
    checkpoint_features,
)
from ...structures import merge_windows
from ...utils import file_name, result_content, write_json
from ...visualization import TALVisualizer
from ..features.video_features import VideoFeatureExtractor
from .frame_inputs import FRAME_PIPELINE, FrameSampleMaker
from .input_list import is_video, list_inputs
from .inputs import SampleMaker
from .kept_detections import checked_limits, keep_strongest

_PIPELINE = (dict(type='LoadTALFeature'), dict(type='PackTALInputs'))


@INFERENCERS.register_module()
class TALInferencer(BaseInferencer):
    """Localizes actions in feature sequences or videos.

    A model that reads frames, whose test data set is a :class:`.TALVideoDataset`, takes videos,
    window by window. For any other, features of videos are made first.

    The test data set of the config says how features lie on disk, at which stride they were taken
    and what the classes are called; its annotation file is not needed. Class names of the
    checkpoint go first.

    Args:
        model (str | dict | Config | nn.Module, optional): Config, its file, an ONNX file of
            ``cltdr export``, or a localizer that is built already. Defaults to None: the config
            that ``weights`` contain.
        weights (str, optional): Checkpoint. Defaults to None.
        device (str, optional): Defaults to None: the best there is.
        classes (Sequence[str], optional): Class names, before all others. Defaults to None.
        extractor (VideoFeatureExtractor | dict, optional): Makes features of video files; or
            options of :meth:`.VideoFeatureExtractor.like`, such as the ``checkpoint`` of the
            recognizer that the manifest of the training features names. Defaults to None: none of
            them.
        cfg (dict | Config, optional): Config of the data set for a model that is built already.
            Defaults to None: ``model.cfg`` if there is one.
        show_progress (bool): Whether to show a progress bar. Defaults to False.

    Raises:
        TypeError: If ``model`` is none of the above, or one of MMAction2's own localizers.
        ValueError: If neither model nor weights are given, the config has no model, or the weights
            are not the model's.

    Examples:
        >>> inferencer = TALInferencer('configs/cltdr_hapt.py', 'best.pth')
        >>> out = inferencer('features/exp01_user01.npy', out_file='results.json')
        >>> out['predictions'][0]['detections'][0]
        {'label': 'walking', 'segment': [12.5, 31.0], 'score': 0.97}
    """

    preprocess_kwargs = {'annotations', 'videos', 'skip_broken', 'duration', 'fps', 'stride',
                         'window', 'layout'}
    forward_kwargs: set = set()
    visualize_kwargs = {'picture_dir', 'return_vis', 'show'}
    postprocess_kwargs = {'out_file'}

    def __init__(self,
                 model: Union[str, dict, Config, nn.Module, None] = None,
                 weights: Optional[str] = None,
                 device: Optional[str] = None,
                 classes: Optional[Sequence[str]] = None,
                 extractor: Union[VideoFeatureExtractor, dict, None] = None,
                 cfg: Union[dict, Config, None] = None,
                 show_progress: bool = False):
        init_default_scope('mmaction')
        self.extractor = {} if extractor is None else extractor
        self._weights = None
        if isinstance(model, (str, Path)) and str(model).endswith('.onnx'):
            if weights is not None:
                raise ValueError(f'{model} holds its weights, {weights} has no place in it')
            from ..export.onnx_localizer import OnnxLocalizer
            model = OnnxLocalizer(model)
        self._module = model if isinstance(model, nn.Module) else None
        self._from_weights = model is None
        if self._module is not None:
            model = cfg if cfg is not None else getattr(model, 'cfg', None)
            model = Config(dict(model)) if model else Config(dict(pipeline=None))
        if isinstance(model, Path):
            model = str(model)
        if isinstance(model, str) and not os.path.isfile(model):
            raise FileNotFoundError(f'{model}: no such config file')
        if weights is not None and '://' not in str(weights) and not os.path.isfile(weights):
            raise FileNotFoundError(f'{weights}: no such checkpoint')
        super().__init__(model, None if weights is None else str(weights), device,
                         scope='mmaction', show_progress=show_progress)
        names = classes or self._checkpoint_classes or self._dataset_classes
        self.classes = list(names or ())
        self.visualizer.dataset_meta = dict(classes=self.classes)
        for processor in (getattr(self.model, 'postprocessor', None), self._merge):
            if hasattr(processor, 'set_classes'):
                processor.set_classes(self.classes)

    def _init_model(self, cfg, weights, device='cpu') -> nn.Module:
        self._checkpoint_classes = self._checkpoint_features = None
        self._device, self._weights = device, weights
        model = self._module
        if model is None:
            if not self._from_weights and not isinstance(cfg.get('model'), dict):
                raise ValueError('`model` of the config must be dict(type=...), got '
                                 f'{cfg.get("model")!r}')
            if self._from_weights:  # the base class would execute the config in the checkpoint
                cfg.update(checkpoint_config(_read(weights), str(weights))._cfg_dict)
            with redirect_stdout(io.StringIO()):  # it prints which file it reads
                model = super()._init_model(cfg, weights, device)
        elif weights is not None:
            self._load_weights_to_model(model, _read(weights), cfg)
        if type(model).__module__.startswith('mmaction.'):
            raise TypeError(f'{type(model).__name__} of MMAction2 returns no data samples: `cltdr '
                            'test` writes what it finds, and an EncodedLocalizer with it infers')
        meta = getattr(model, 'dataset_meta', None) or {}
        self._checkpoint_classes = self._checkpoint_classes or meta.get('classes')
        self._checkpoint_features = self._checkpoint_features or checkpoint_features(
            dict(meta=dict(dataset_meta=meta)))
        return model.to(device).eval()

    def _load_weights_to_model(self, model, checkpoint, cfg) -> None:
        if checkpoint is not None:
            check_fit(checkpoint, model, str(self._weights))
            self._checkpoint_classes = checkpoint_classes(checkpoint)
            self._checkpoint_features = checkpoint_features(checkpoint)
        super()._load_weights_to_model(model, checkpoint, cfg)

    def _init_pipeline(self, cfg) -> SampleMaker:
        """Take from the test data set's config what it says about features."""
        dataset_cfg = _innermost((cfg.get('test_dataloader') or {}).get('dataset'))
        self._dataset_classes = self._merge = sliding = spec = ann_file = None
        if _metric_postprocessor(cfg) is not None:
            self._merge = TASK_UTILS.build(_metric_postprocessor(cfg))
        source, pipeline, class_agnostic = FeatureSource(), _PIPELINE, False
        if dataset_cfg is not None:
            pipeline = dataset_cfg.get('pipeline') or _PIPELINE
            dataset = DATASETS.build(ConfigDict(dataset_cfg, lazy_init=True, pipeline=[]))
            self._dataset_classes = dataset.metainfo.get('classes')
            if isinstance(dataset, TALVideoDataset):
                return self._frame_maker(dataset_cfg.get('pipeline') or FRAME_PIPELINE, dataset)
            if isinstance(dataset, TALDataset):
                source, sliding, spec = dataset.source, dataset.window, dataset.feature_spec
                class_agnostic, ann_file = dataset.class_agnostic, dataset.ann_file
        if self._checkpoint_features is not None:
            where = str(self._weights or 'the model')
            check_features(self._checkpoint_features, source.settings, where)
            source = source.with_settings(self._checkpoint_features, where)
        if hasattr(self.model, 'front'):
            raise ValueError(f'{type(self.model).__name__} reads frames, but the config has no '
                             'TALVideoDataset as its test data set, which says at which rate')
        takes = getattr(self.model, 'backbone', self.model)
        in_channels = getattr(takes, 'in_channels', None)
        extractor = None if isinstance(self.extractor, dict) else self.extractor
        return SampleMaker(pipeline, source, in_channels, extractor, sliding, spec,
                           class_agnostic, ann_file)

    def _frame_maker(self, pipeline: Sequence, dataset: TALVideoDataset) -> FrameSampleMaker:
        """What makes samples of videos for a model that reads their frames."""
        if not isinstance(self.extractor, dict):
            raise ValueError(f'{type(self.model).__name__} reads frames: it takes no recognizer '
                             'that makes features of them')
        return FrameSampleMaker(pipeline, dataset.source, dataset.sampling, dataset.window,
                                dataset.feature_spec, dataset.class_agnostic, dataset.ann_file)

    def _init_collate(self, cfg):
        """MMEngine's inferencer takes a name only, its Runner a config with arguments."""
        collate = (cfg.get('test_dataloader') or {}).get('collate_fn') or 'pseudo_collate'
        options = dict(type=collate) if isinstance(collate, str) else dict(collate)
        return partial(FUNCTIONS.get(options.pop('type')), **options)

    def _init_visualizer(self, cfg) -> TALVisualizer:
        """Make the config's visualizer if it is ours; pictures go where the call says."""
        options = dict(cfg.get('visualizer') or {})
        if options.pop('type', 'TALVisualizer') != 'TALVisualizer':
            options = {}
        options.update(name=f'inferencer-{id(self)}', vis_backends=None)
        return TALVisualizer(**options)

    def __call__(self, inputs: Any, return_datasamples: bool = False, batch_size: int = 1,
                 min_score: Union[float, str, None] = None, top: Optional[int] = None,
                 **kwargs) -> dict:
        """Localize actions.

        Args:
            inputs: Features as an array or tensor, (T, C) or (C, T); a feature file; a video
                file; a folder of such files; a dict with ``path`` (a list of files is
                concatenated along channels) or ``feats`` and any of ``video_name``,
                ``duration``, ``fps``, ``stride``, ``window``, ``feature_key``, ``layout``; or a
                sequence of these.
            return_datasamples (bool): Whether ``predictions`` are data samples. Defaults to
                False.
            batch_size (int): Defaults to 1.
            min_score (float | str, optional): Smallest score of a detection that is kept;
                ``'auto'`` for the one of best F1 in the validation of the checkpoint. Defaults to
                None: no limit.
            top (int, optional): Most detections kept a video, the strongest. Defaults to None: no
                limit.
            **kwargs: ``duration`` (s), ``fps``, ``stride``, ``window`` (frames) and ``layout``
                (``'time_major'`` or ``'channel_major'``) of all inputs; ``annotations``, an
                annotation file that knows durations and rates; ``videos``, a folder of the
                features' videos, which say them where nothing else does; ``skip_broken``,
                whether video inputs that cannot be read are left out; ``out_file``, a result
                JSON to write; ``picture_dir``, a folder for timelines; ``return_vis``, whether to
                return them as arrays; ``show``, whether to open windows.

        Returns:
            dict: ``predictions``: per video a dict of ``video_name``, ``duration``, ``fps``,
            ``video`` (its file, None where it is not known) and ``detections`` (``label``,
            ``segment`` in seconds, ``score``; by falling score), or a data sample; detections of a
            model without classes are proposals, which have no ``label``. ``visualization``:
            pictures (H, W, 3) uint8, RGB, or None. ``broken``: a :class:`.Problem` for each video
            that was left out.

        Raises:
            FileNotFoundError, TypeError, ValueError: If an input cannot be used; names the file.
                ValueError also if the checkpoint has no score for ``'auto'``.
        """
        min_score, top = self.limits(min_score, top)
        pre, forward, visual, post = self._dispatch_kwargs(**kwargs)
        items = list_inputs(inputs)
        batches = self.preprocess(items, batch_size=batch_size, **pre)
        samples, pending = [], []
        if self.show_progress:
            batches = track(batches, description='Inference')
        for batch in batches:
            found = self.forward(batch, **forward)
            del batch  # before the next one is read
            for sample in found:
                if pending and pending[0].video_name != sample.video_name:
                    pending = []  # of a video that turned out to be broken
                pending.append(sample)
                if len(pending) == (sample.get('num_windows') or 1):
                    samples.append(keep_strongest(self._merge_windows(pending), min_score, top))
                    pending = []
        visualization = self.visualize(items, samples, score_thr=min_score, top_k=top, **visual)
        return self.postprocess(samples, visualization, return_datasamples, **post)

    def limits(self, min_score: Union[float, str, None],
               top: Optional[int]) -> tuple[Optional[float], Optional[int]]:
        """Limits of what is kept, see :func:`.checked_limits`."""
        return checked_limits(min_score, top, self._weights)

    def preprocess(self, inputs: list, batch_size: int = 1, **kwargs):
        """Yield collated batches; every input is checked before the first is read."""
        if batch_size < 1:
            raise ValueError(f'batch_size must be at least 1, got {batch_size}')
        settings = self.pipeline.source.settings
        if self.pipeline.extractor is None and settings and any(map(is_video, inputs)):
            self.pipeline.extractor = VideoFeatureExtractor.like(
                settings, **{'device': self._device, **self.extractor})
        items = self.pipeline.complete(inputs, **kwargs)
        self._videos = {item['video_name']: item['video'] for item in items}
        samples = (sample for item in items for sample in self.pipeline.samples(item))
        yield from map(self.collate_fn, self._get_chunk_data(samples, batch_size))

    def _merge_windows(self, windows: list) -> ActionDataSample:
        """One result of the windows of one video, as TALMetric makes it."""
        sample = windows[0]
        if len(windows) == 1 and self._merge is None:
            return sample
        meta = {k: v for k, v in sample.metainfo.items()
                if k not in ('window_index', 'num_windows', 'grid')}
        result = ActionDataSample(metainfo=meta)
        result.pred_instances = merge_windows([w.pred_instances for w in windows], meta,
                                              self._merge)
        return result

    def visualize(self, inputs: list, preds: list, picture_dir: Optional[str] = None,
                  return_vis: bool = False, show: bool = False,
                  score_thr: Optional[float] = None,
                  top_k: Optional[int] = None) -> Optional[list]:
        """Draw a timeline per video, if anybody asks for one."""
        if picture_dir is None and not return_vis and not show:
            return None
        pictures = []
        for sample in preds:
            name = str(sample.video_name)
            out_file = (None if picture_dir is None
                        else str(Path(picture_dir) / file_name(name, '.png')))
            pictures.append(self.visualizer.add_datasample(
                name, data_sample=sample, draw_gt=False, show=show, out_file=out_file,
                score_thr=score_thr, top_k=top_k))
        return pictures if return_vis else None

    def postprocess(self, preds: list, visualization: Optional[list] = None,
                    return_datasamples: bool = False, out_file: Optional[str] = None) -> dict:
        """Name the classes, write the result file, pack what :meth:`__call__` returns."""
        predictions = [self._to_dict(sample) for sample in preds]
        if out_file is not None:
            results = {p['video_name']: p['detections'] for p in predictions}
            write_json(result_content(results), out_file)
        return dict(predictions=list(preds) if return_datasamples else predictions,
                    visualization=visualization, broken=list(self.pipeline.broken))

    def _to_dict(self, sample) -> dict:
        detected = sample.pred_instances
        rows = zip(np.asarray(detected.segments.detach().cpu().double()).tolist(),
                   detected.scores.detach().cpu().double().tolist())
        detections = [dict(segment=segment, score=score) for segment, score in rows]
        if 'labels' in detected:
            known = len(self.classes)
            labels = torch.as_tensor(detected.labels).cpu().tolist()
            detections = [dict(label=self.classes[c] if c < known else f'class {c}', **detection)
                          for c, detection in zip(labels, detections)]
        return dict(video_name=sample.video_name, duration=float(sample.duration),
                    fps=float(sample.fps), video=self._videos.get(sample.video_name),
                    detections=detections)


def _read(weights: str) -> dict:
    return _load_checkpoint(weights, map_location='cpu', logger='silent')


def _innermost(dataset: Optional[dict]) -> Optional[dict]:
    """Config of the data set inside wrappers such as RepeatDataset and ConcatDataset."""
    while dataset is not None and ('dataset' in dataset or 'datasets' in dataset):
        dataset = dataset['dataset'] if 'dataset' in dataset else dataset['datasets'][0]
    return dataset


def _metric_postprocessor(cfg) -> Optional[dict]:
    """What the config's metric applies to every video after it put its windows together."""
    evaluators = cfg.get('test_evaluator') or {}
    for evaluator in evaluators if isinstance(evaluators, (list, tuple)) else [evaluators]:
        if evaluator.get('postprocessor'):
            return evaluator['postprocessor']
    return None
