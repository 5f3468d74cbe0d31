"""Divides videos among training, validation and test."""
import math
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from ...utils import Problem, TALDataError
from .reading import Labels
from .rows import TITLE

SUBSETS = ('training', 'validation', 'test')


def split_videos(labels: Labels, shares: Sequence[float], seed: int = 0) -> dict[str, str]:
    """Divide videos at random so that every class is in every subset where that can be.

    Videos of one group stay together. A greedy form of iterative stratification (Sechidis,
    Tsoumakas and Vlahavas, ECML PKDD 2011): classes are taken from the one in fewest groups on,
    the groups of a class in random order. A group goes to the largest subset that lacks the class;
    when none does, to the one that is furthest from its share of the class's segments. Where that
    is a tie, what counts is how many of the group's other classes a subset lacks, and then how far
    it is from its share of all videos, which alone decides on videos without labels.

    Args:
        labels (Labels): Segments, and videos with their groups.
        shares (Sequence[float]): Shares of training, validation and test; they add up to 1.
        seed (int): Of the random order; the order of files and rows does not matter. Defaults
            to 0.

    Returns:
        dict[str, str]: Subset by video.

    Raises:
        ValueError: If the shares are wrong, or a subset would be left without a video.
        TALDataError: If some videos have a group and others do not, or a subset is known already.
    """
    shares = [float(share) for share in shares]
    if (len(shares) != 3 or not all(0 <= share <= 1 for share in shares)
            or not math.isclose(sum(shares), 1, abs_tol=1e-6)):
        raise ValueError('shares of training, validation and test must be three numbers from 0 to '
                         f'1 that add up to 1, got {shares}')
    parts = {subset: share for subset, share in zip(SUBSETS, shares) if share > 0}
    groups = _groups(labels)
    if len(groups) < len(parts):
        raise ValueError(f'{len(groups)} videos, or groups of videos, cannot be divided among '
                         f'{len(parts)} subsets')
    counts: dict[str, Counter] = {group: Counter() for group in groups}
    of_video = {video: group for group, videos in groups.items() for video in videos}
    for row in labels.rows:
        counts[of_video[row.video]][row.label] += 1
    placed = _place(groups, counts, parts, np.random.default_rng(seed))
    subsets = {video: placed[group] for group, videos in groups.items() for video in videos}
    empty = [subset for subset in parts if subset not in placed.values()]
    if empty:
        raise ValueError(f'no video is left for {" and ".join(empty)}: nearly every class is in '
                         'one video, or group of videos, only; say which subset each video is in')
    return {video: subsets[video] for video in labels.videos}


def _groups(labels: Labels) -> dict[str, list[str]]:
    """Videos by group, sorted; a video is its own group if none has one."""
    problems = []
    grouped = any(known.group is not None for known in labels.videos.values())
    groups = defaultdict(list)
    for name, known in sorted(labels.videos.items()):
        if known.subset is not None:
            problems.append(Problem(TITLE, name, 'subset', f'is {known.subset!r} already; either '
                                    'give a split, or go by these subsets'))
        if grouped and known.group is None:
            problems.append(Problem(TITLE, name, 'group', 'is not known, but that of other videos '
                                    'is'))
        groups[known.group if grouped else name].append(name)
    if problems:
        raise TALDataError(problems, 'split')
    return dict(sorted(groups.items()))


def _place(groups: dict[str, list[str]], counts: dict[str, Counter], parts: dict[str, float],
           random: np.random.Generator) -> dict[str, str]:
    """Subset by group, see :func:`split_videos`."""
    names = list(groups)
    order = [names[i] for i in random.permutation(len(names))]
    holders = defaultdict(list)  # groups by class
    for group in order:
        for label in counts[group]:
            holders[label].append(group)
    totals = sum(counts.values(), Counter())
    videos = {subset: share * sum(map(len, groups.values())) for subset, share in parts.items()}
    segments = {subset: {label: share * total for label, total in totals.items()}
                for subset, share in parts.items()}  # what each subset is short of
    there = {subset: set() for subset in parts}  # classes that each has
    placed: dict[str, str] = {}

    def place(group: str, subset: str) -> None:
        placed[group] = subset
        videos[subset] -= len(groups[group])
        for label, count in counts[group].items():
            segments[subset][label] -= count
            there[subset].add(label)

    for label in sorted(holders, key=lambda label: (len(holders[label]), label)):
        for group in holders[label]:
            if group in placed:
                continue

            def wants(subset: str, group: str = group, label: str = label) -> tuple:
                lacks = label not in there[subset]
                return (lacks, parts[subset] if lacks else segments[subset][label],
                        len(set(counts[group]) - there[subset]), videos[subset])

            place(group, max(parts, key=wants))
    for group in order:
        if group not in placed:
            place(group, max(parts, key=videos.get))
    return placed
