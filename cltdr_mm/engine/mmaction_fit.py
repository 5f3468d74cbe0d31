"""Asks before a run whether parts of MMAction2 get what they read.

Its localizers, its metric and its data set of clips look it up where they use it: what is missing
would end a run in the middle of a function of theirs, or in wrong numbers.
"""
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Optional

from torch import Tensor

from ..utils import Problem, TALDataError
from .runtime import RESULT_WRITERS

#: Metainfo by which BMN and TCANet come to seconds; the curves of TEM also need what is covered.
DURATIONS = ('duration_second', 'duration_frame')


def check_clips(dataset: Any, infos: Sequence[dict]) -> None:
    """Check that the files of MMAction2's VideoDataset are there.

    Args:
        dataset: Any data set; others, whose samples name no ``filename``, are not asked.
        infos (Sequence[dict]): Of all its samples.

    Raises:
        TALDataError: If files are missing; names each.
    """
    name = getattr(dataset, 'ann_file', type(dataset).__name__)
    # a data set that repeats another has each several times
    files = dict.fromkeys(info['filename'] for info in infos if 'filename' in info)
    missing = [file for file in files if '://' not in file and not Path(file).is_file()]
    if missing:
        raise TALDataError(
            [Problem(str(name), file, 'filename', 'no such file') for file in missing],
            f'{len(missing)} of {len(files)} clips are missing')


def check_localizer(model: Any, dataset: Any, infos: Sequence[dict],
                    judges: Optional[Sequence] = None, batch_size: Optional[int] = None) -> None:
    """Check that a data set gives MMAction2's BMN, TEM, TCANet or PEM what it takes.

    Args:
        model: Any model; others are not asked.
        dataset: Has samples of ``inputs`` and ``data_samples``.
        infos (Sequence[dict]): Of all its samples.
        judges (Sequence, optional): Metrics of what is predicted for it. Defaults to None: it is
            trained on.
        batch_size (int, optional): Of the data loader. Defaults to None: not asked.

    Raises:
        TALDataError: If features have another form, length or width, or samples lack something;
            names data set, video and field.
    """
    kind = _theirs(model)
    if kind == 'PEM' and infos:
        _check_pem(model, dataset, infos, judges, batch_size)
    if kind not in ('BMN', 'TEM', 'TCANet') or not infos:
        return
    refuse = partial(_refuse, f'the data do not fit {kind}', dataset)
    for index in _shortest_and_longest(infos):
        video, packed = infos[index].get('video_name'), dataset[index]
        _check_inputs(model, packed.get('inputs'), partial(refuse, video))
        sample = packed['data_samples']
        if judges is None:
            has_boxes = 'gt_bbox' in sample.get('gt_instances', ())
            keys = [] if has_boxes else ['gt_bbox']
        elif kind == 'TEM':
            ours = any(type(judge).__name__ in RESULT_WRITERS for judge in judges)
            keys = [*DURATIONS, 'feature_frame'] if ours else []
        else:
            keys = DURATIONS
        missing = [key for key in keys if key not in sample]
        if kind == 'TCANet' and 'proposals' not in sample:
            missing.append('proposals')
        if missing:
            refuse(video, ', '.join(missing), f'missing, but {kind} needs it: `keys` of '
                   'PackLocalizationInputs name gt_bbox (of GenerateLocalizationLabels) and '
                   'proposals (of LoadTALProposals), `meta_keys` all else')
        interval = getattr(model, 'feature_extraction_interval', 1)
        if judges is not None and 'gt_segments' in infos[index] \
                and sample.get('duration_frame', 0) % interval:
            refuse(video, 'duration_frame', f"is not counted in the model's feature_extraction_"
                   f"interval: dict(type='TALToActivityNet', interval={interval})")
    if judges is None:
        empty = [info.get('video_name') for info in infos if _shows_nothing(info)]
        if empty:
            refuse(empty[0], 'annotations', f'{kind} cannot learn from a video without an action: '
                   'filter_cfg=dict(filter_empty_gt=True) leaves such videos out')
    elif kind != 'TEM' and (batch_size or 1) > 1:
        refuse(None, 'batch_size', f'is {batch_size}, but {kind} predicts the first video of a '
               'batch only: set batch_size=1 of the data loader')


def check_anet_metric(dataset: Any, infos: Sequence[dict], judges: Sequence) -> None:
    """Check that MMAction2's ANetMetric, if it judges a data set by AR@AN, can.

    Args:
        dataset: Has samples of ``data_samples``.
        infos (Sequence[dict]): Of all its samples.
        judges (Sequence): Metrics; others are not asked.

    Raises:
        TALDataError: If samples lack what it judges by, a video has no action, or two names are
            one for it; names data set, video and field.
    """
    if not infos or not any(_theirs(judge) == 'ANetMetric' and judge.metric_type == 'AR@AN'
                            for judge in judges):
        return
    refuse = partial(_refuse, 'the data do not fit ANetMetric', dataset)
    names = [info.get('video_name', '') for info in infos]
    if 'annotations' not in dataset[0]['data_samples']:
        refuse(names[0], 'annotations', 'missing in the metainfo, but ANetMetric judges by them: '
               "dict(type='TALToActivityNet') makes them of a sample of TALDataset, and meta_keys "
               'of PackLocalizationInputs name them')
    # it takes the first two letters for the `v_` of ActivityNet
    same = Counter(name[2:] for name in names)
    for name, info in zip(names, infos):
        if _shows_nothing(info):
            refuse(name, 'annotations', 'there are none, and ANetMetric cannot judge a video '
                   'without an action; ProposalMetric can')
        if same[name[2:]] > 1:
            refuse(name, 'video name', 'differs from that of another video in its first two '
                   'letters only, which ANetMetric leaves out; ProposalMetric does not')


def _check_pem(model: Any, dataset: Any, infos: Sequence[dict], judges: Optional[Sequence],
               batch_size: Optional[int]) -> None:
    """BSN's PEM takes features of proposals, which `cltdr proposals` writes."""
    refuse = partial(_refuse, 'the data do not fit PEM', dataset)
    index = _shortest_and_longest(infos)[0]
    video = infos[index].get('video_name')
    try:
        sample = dataset[index]['data_samples']
    except FileNotFoundError as error:
        refuse(video, 'proposals', f'{error}: `cltdr proposals CONFIG CURVES` writes them')
    given = sample.get('gt_instances', {})
    wanted = ('bsp_feature', 'reference_temporal_iou') if judges is None else (
        'bsp_feature', 'tmin', 'tmax', 'tmin_score', 'tmax_score')
    missing = [key for key in wanted if key not in given]
    missing += [key for key in DURATIONS if judges is not None and key not in sample]
    if missing:
        refuse(video, ', '.join(missing), 'missing, but PEM needs it: `keys` of '
               'PackLocalizationInputs name what LoadProposals gives, `meta_keys` all else')
    width = given['bsp_feature'].shape[1]
    if width != model.feat_dim:
        refuse(video, 'bsp_feature', f'has {width} numbers a proposal, but PEM takes '
               f'{model.feat_dim}')
    if judges is not None and (batch_size or 1) > 1:
        refuse(None, 'batch_size', f'is {batch_size}, but PEM gives the proposals of a batch to '
               'its first video: set batch_size=1 of the data loader')


def _check_inputs(model: Any, inputs: Any, refuse: Any) -> None:
    """Features must be (C, T) of the length and width that a localizer is made for."""
    kind = _theirs(model)
    if kind == 'TCANet':
        channels, steps = model.x_1d_b_f[0].in_channels, model.lgtes[0].mask.shape[-1]
    else:
        channels, steps = model.feat_dim, model.tscale if kind == 'BMN' else model.temporal_dim
    if not isinstance(inputs, Tensor):
        refuse('pipeline', f"{kind} takes tensors (C, T): write dict(type='TALToActivityNet'), "
               "dict(type='GenerateLocalizationLabels') and dict(type='PackLocalizationInputs', "
               '...) in place of PackTALInputs')
    if inputs.ndim != 2 or len(inputs) != channels:
        refuse('channels', f'features have the shape {tuple(inputs.shape)}, but {kind} takes '
               f'{channels} channels')
    if inputs.shape[1] != steps:
        refuse('steps', f'features have {inputs.shape[1]} steps, but {kind} is made for {steps}: '
               f"dict(type='ResizeFeature', length={steps}) brings all videos to its length")


def _theirs(part: Any) -> Optional[str]:
    """Name of the class of a part, if it is one of MMAction2 itself."""
    return type(part).__name__ if type(part).__module__.startswith('mmaction.') else None


def _shortest_and_longest(infos: Sequence[dict]) -> list[int]:
    """Positions of two samples, which differ in length before a pipeline if any two do."""
    def steps(index: int) -> int:
        return infos[index].get('num_steps') or 0

    return sorted({min(range(len(infos)), key=steps), max(range(len(infos)), key=steps)})


def _shows_nothing(info: dict) -> bool:
    """Whether a sample of TALDataset or ActivityNetDataset says that its video has no action."""
    return len(info.get('gt_labels', info.get('annotations', (None, )))) == 0


def _refuse(title: str, dataset: Any, video: Optional[str], field: str, message: str) -> None:
    name = getattr(dataset, 'ann_file', type(dataset).__name__)
    raise TALDataError.of(title, name, field, message, video)
