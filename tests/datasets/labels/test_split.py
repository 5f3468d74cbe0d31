"""Splits: whole groups, the same each time, every class everywhere where that can be."""
from collections import Counter

import numpy as np
import pytest

from cltdr_mm.datasets import TALDataError
from cltdr_mm.datasets.labels import SUBSETS, LabelRow, Labels, VideoFacts, split_videos

SHARES = (0.7, 0.15, 0.15)


def make(videos: dict, groups=None) -> Labels:
    """Labels of videos with the classes given."""
    rows = [LabelRow(name, i, i + 0.5, label, 'a.csv', f'line {i}')
            for name, labels in videos.items() for i, label in enumerate(labels)]
    return Labels(rows, {name: VideoFacts(100.0, 25.0, group=(groups or {}).get(name))
                         for name in videos}, [])


def many(number=60, classes=8, seed=0):
    """Videos with one to three classes each, some of them rare."""
    random = np.random.default_rng(seed)
    share = 1 / np.arange(1, classes + 1)
    return {f'v{i:02d}': random.choice(
        list('abcdefgh')[:classes], random.integers(1, 4), p=share / share.sum()).tolist()
        for i in range(number)}


def classes_of(videos, subsets):
    found = {subset: set() for subset in SUBSETS}
    for name, labels in videos.items():
        found[subsets[name]] |= set(labels)
    return found


@pytest.mark.parametrize('seed', range(20))
def test_every_class_is_everywhere(seed):
    videos = many(seed=seed)
    subsets = split_videos(make(videos), SHARES, seed)
    holders = Counter(label for labels in videos.values() for label in set(labels))
    for found in classes_of(videos, subsets).values():
        assert {label for label, count in holders.items() if count >= 3} <= found
    counts = Counter(subsets.values())
    assert all(abs(counts[name] - 60 * share) <= 5 for name, share in zip(SUBSETS, SHARES))
    # and frequent classes by their share of segments
    for label in 'abc':
        number = Counter()
        for name, labels in videos.items():
            number[subsets[name]] += labels.count(label)
        for name, share in zip(SUBSETS, SHARES):
            assert number[name] / sum(number.values()) == pytest.approx(share, abs=0.15)


def test_three_videos_of_a_class_are_one_a_subset():
    videos = {f'{label}{i}': [label] for label in 'abcd' for i in range(3)}
    for seed in range(10):
        subsets = split_videos(make(videos), SHARES, seed)
        for label in 'abcd':
            assert {subsets[f'{label}{i}'] for i in range(3)} == set(SUBSETS)


@pytest.mark.parametrize('seed', range(10))
def test_groups_are_whole(seed):
    videos = many(seed=seed)
    groups = {name: f'p{i % 11}' for i, name in enumerate(videos)}
    subsets = split_videos(make(videos, groups), SHARES, seed)
    of_group = {}
    for name, subset in subsets.items():
        of_group.setdefault(groups[name], set()).add(subset)
    assert all(len(found) == 1 for found in of_group.values()) and len(of_group) == 11
    assert set(subsets.values()) == set(SUBSETS)


def test_seeds():
    videos = many()
    splits = [split_videos(make(videos), SHARES, seed) for seed in range(5)]
    assert splits[0] == split_videos(make(videos), SHARES, 0)
    assert len({tuple(split.items()) for split in splits}) == 5
    backwards = dict(reversed(videos.items()))
    assert split_videos(make(backwards), SHARES, 3) == splits[3]
    assert list(split_videos(make(backwards), SHARES, 3)) == list(backwards)


def test_videos_without_labels_fill_up():
    videos = {f'v{i:02d}': (['a'] if i < 4 else []) for i in range(20)}
    assert Counter(split_videos(make(videos), SHARES).values()) == dict(
        training=14, validation=3, test=3)


@pytest.mark.parametrize('shares, names', [
    ((0.5, 0, 0.5), {'training', 'test'}), ((1, 0, 0), {'training'}), ((0, 0, 1), {'test'})])
def test_subsets_without_a_share_stay_empty(shares, names):
    assert set(split_videos(make(many()), shares).values()) == names


@pytest.mark.parametrize('shares', [
    (0.7, 0.2), (0.7, 0.2, 0.2), (1.2, -0.2, 0), (0.7, 0.3, float('nan')), (0, 0, 0)])
def test_wrong_shares(shares):
    with pytest.raises(ValueError, match='must be three numbers from 0 to 1 that add up to 1'):
        split_videos(make(many()), shares)


def test_what_cannot_be_split():
    with pytest.raises(ValueError, match='2 videos, or groups of videos, cannot be divided among '
                                         '3 subsets'):
        split_videos(make(dict(a=['x'], b=['x'])), SHARES)
    with pytest.raises(ValueError, match='no video is left for validation and test: nearly'):
        split_videos(make({name: [name] for name in 'abcdef'}), SHARES)
    with pytest.raises(TALDataError, match="video 'b': group: is not known, but that of other"):
        split_videos(make(dict(a=['x'], b=['x'], c=['x']), dict(a='p', c='q')), SHARES)
    labels = make(dict(a=['x'], b=['x'], c=['x']))
    labels.videos['b'].subset = 'test'
    with pytest.raises(TALDataError, match="video 'b': subset: is 'test' already; either give"):
        split_videos(labels, SHARES)
