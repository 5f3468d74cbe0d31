"""The middle step of BSN: proposals and their features, between TEM and PEM.

MMAction2 computes them (``generate_candidate_proposals`` and ``generate_bsp_feature``), and its
transform ``LoadProposals`` reads what is written. Its own tool for it,
``tools/misc/bsn_proposal_generation.py``, takes annotations in ActivityNet's layout only.
"""
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Union

import mmengine
import numpy as np
from mmaction.registry import DATASETS, TRANSFORMS
from mmengine.config import Config
from mmengine.registry import init_default_scope

from ...utils import Problem, TALDataError, atomic_path

LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
HEADER = 'tmin,tmax,tmin_score,tmax_score,score,match_iou,match_ioa'
#: What the two functions read of a video.
KEYS = ('video_name', 'duration_second', 'duration_frame', 'feature_frame')
#: An action that no proposal overlaps, for videos without any: they take a maximum over actions.
NOWHERE = dict(segment=[-2., -1.])
_TITLE = 'making proposals'


@dataclass(frozen=True)
class ProposalVideo:
    """A video that gets proposals.

    Args:
        info (dict): What MMAction2's functions read of it: :data:`KEYS` and ``annotations`` in
            seconds.
        proposals (Path): CSV file to write, a proposal a row, the best first.
        features (Path): NPY file to write, (P, C) features of the first of them.
        top_k (int): P, at most.
    """

    info: dict
    proposals: Path
    features: Path
    top_k: int


def make_proposals(cfg: Union[Config, dict], tem_dir: Union[str, Path], peak_threshold: float = 0.5,
                   workers: int = 1) -> dict[str, int]:
    """Make the proposals, and their features, that a config of PEM reads.

    Args:
        cfg (Config or dict): Its data sets say of which videos, their ``LoadProposals`` where files
            shall be and of how many proposals there are features.
        tem_dir (str or Path): Curves of TEM, a file ``<video>.csv`` each, as ``ANetMetric`` or
            :class:`.TEMCurves` write them.
        peak_threshold (float): A step may be a start (or end) if its probability is a peak or
            exceeds this times the video's largest. Defaults to 0.5.
        workers (int): Number of processes. Defaults to 1.

    Returns:
        dict[str, int]: Counts: ``videos``; ``proposals``; ``matching``, those that overlap an
        action by a tIoU above 0.5.

    Raises:
        ValueError: If no data set of the config loads proposals.
        TALDataError: If a video has no curves, or they cannot be used; nothing is written then.
    """
    init_default_scope(cfg.get('default_scope', 'mmaction'))
    videos = proposal_videos(cfg)
    curves = Path(tem_dir)
    problems = [problem for video in videos for problem in _problems(video, curves)]
    if problems:
        raise TALDataError(problems, _TITLE, 'a test of TEM by ANetMetric or TEMCurves writes the '
                           'curves of the subsets that its test_dataloader has')
    work = partial(_write, tem_dir=str(curves), peak_threshold=peak_threshold)
    counts = np.array(mmengine.track_parallel_progress(work, videos, workers) if workers > 1 else
                      mmengine.track_progress(work, videos))
    return dict(videos=len(videos), proposals=int(counts[:, 0].sum()),
                matching=int(counts[:, 1].sum()))


def proposal_videos(cfg: Union[Config, dict]) -> list[ProposalVideo]:
    """List the videos of a config of PEM.

    Args:
        cfg (Config or dict): See :func:`make_proposals`.

    Returns:
        list[ProposalVideo]: Each video once.

    Raises:
        ValueError: If no data set loads proposals.
        TALDataError: If a sample lacks what MMAction2's functions read; names it.
    """
    videos: dict[tuple, ProposalVideo] = {}
    for name in LOADERS:
        dataset = (cfg.get(name) or {}).get('dataset') or {}
        steps = list(dataset.get('pipeline') or ())
        places = [i for i, step in enumerate(steps) if step.get('type') == 'LoadProposals']
        if not places:
            continue
        load = TRANSFORMS.build(steps[places[0]])
        # up to there a sample gets its durations and annotations
        for sample in _samples(dict(dataset, pipeline=steps[:places[0]])):
            missing = [key for key in KEYS if key not in sample]
            if missing:
                raise TALDataError.of(
                    _TITLE, dataset.get('ann_file', name), ', '.join(missing), 'missing before '
                    "LoadProposals: dict(type='TALToActivityNet') makes them of a sample of "
                    'TALDataset', sample.get('video_name'))
            video = _video(sample, load)
            key = str(video.proposals), str(video.features)
            if key not in videos or videos[key].top_k < video.top_k:
                videos[key] = video
    if not videos:
        raise ValueError('no data set of the config has LoadProposals in its pipeline: '
                         'the config must be one that trains PEM')
    return list(videos.values())


def _samples(dataset: dict) -> Any:
    built = DATASETS.build(dataset)
    return (built[i] for i in range(len(built)))


def _video(sample: dict, load: Any) -> ProposalVideo:
    info = {key: sample[key] for key in KEYS}
    info['annotations'] = list(sample.get('annotations') or [NOWHERE])
    name = info['video_name']
    return ProposalVideo(info, Path(load.pgm_proposals_dir, f'{name}.csv'),
                         Path(load.pgm_features_dir, f'{name}.npy'), load.top_k)


def _problems(video: ProposalVideo, curves: Path) -> Sequence[Problem]:
    """What is wrong with the curves of a video."""
    name = video.info['video_name']
    path = curves / f'{name}.csv'
    problem = partial(Problem, str(path), name)
    if not path.is_file():
        return [problem('curves', 'there is no such file')]
    try:
        rows = np.loadtxt(path, delimiter=',', skiprows=1, ndmin=2)
    except ValueError as error:
        return [problem('curves', f'cannot be read: {error}')]
    if rows.shape[1] != 5 or len(rows) < 2:
        return [problem('curves', 'must have 5 columns (action, start, end and both ends of a '
                        f'step) and 2 steps or more, got {rows.shape[1]} and {len(rows)}')]
    if not np.isfinite(rows).all():
        return [problem('curves', 'hold NaN or infinity')]
    return []


def _write(video: ProposalVideo, tem_dir: str, peak_threshold: float) -> tuple[int, int]:
    """Write both files of a video; number of proposals, and of those that match an action."""
    from mmaction.models.localizers.utils import generate_bsp_feature, generate_candidate_proposals
    name = video.info['video_name']
    steps = len(np.loadtxt(Path(tem_dir, f'{name}.csv'), delimiter=',', skiprows=1))
    found = generate_candidate_proposals(
        [0], [video.info], tem_dir, temporal_scale=steps, peak_threshold=peak_threshold)[name]
    count, matching = len(found), int((found[:, 5] > 0.5).sum())
    if count == 1:  # MMAction2 would read a file of one row as a vector
        found = found.repeat(2, axis=0)
    with atomic_path(video.proposals) as path:
        np.savetxt(path, found, header=HEADER, delimiter=',', comments='')
    features = generate_bsp_feature(
        [0], [video.info], tem_dir, str(video.proposals.parent), top_k=video.top_k)[name]
    with atomic_path(video.features) as path:
        np.save(path, features)
    return count, matching
