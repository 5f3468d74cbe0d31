"""Actions of EPIC-KITCHENS-100, pairs of a verb and a noun, of two models' scores.

Source: the combined action task as OpenTAD publishes it: at every point the best verbs and the
best nouns are paired, and a pair scores the geometric mean of both.
"""
from typing import NamedTuple

import torch
from torch import Tensor


class ActionPairs(NamedTuple):
    """Chosen (point, verb, noun) triples, best first.

    Attributes:
        scores (Tensor): (M,).
        point (Tensor): (M,) int64, which row of the scores.
        verb (Tensor): (M,) int64.
        noun (Tensor): (M,) int64.
    """

    scores: Tensor
    point: Tensor
    verb: Tensor
    noun: Tensor


def pair_actions(verb_scores: Tensor, noun_scores: Tensor, top_classes: int = 10,
                 score_thr: float = 0.001, num: int = 5000) -> ActionPairs:
    """Pair the verbs and nouns of every point, and take the best pairs of all points.

    Args:
        verb_scores (Tensor): (P, V) probabilities.
        noun_scores (Tensor): (P, N) probabilities of the same points.
        top_classes (int): How many of the verbs, and of the nouns, of a point take part.
            Defaults to 10.
        score_thr (float): Pairs that score no more than this are left out. Defaults to 0.001.
        num (int): Most pairs. Defaults to 5000.

    Returns:
        ActionPairs: M pairs.

    Raises:
        ValueError: If the scores are not of the same points.
    """
    if len(verb_scores) != len(noun_scores):
        raise ValueError(f'verbs are scored at {len(verb_scores)} points, nouns at '
                         f'{len(noun_scores)}')
    verb, verbs = verb_scores.topk(min(top_classes, verb_scores.shape[1]), dim=1)  # (P, v)
    noun, nouns = noun_scores.topk(min(top_classes, noun_scores.shape[1]), dim=1)  # (P, n)
    scores = (verb[:, :, None] * noun[:, None, :]).sqrt().flatten()  # (P v n,)
    # said so that NaN stays, for the post-processor to name its video
    kept = (~(scores <= score_thr)).nonzero().squeeze(1)
    best, order = scores[kept].topk(min(num, len(kept)))
    index = kept[order]
    of_point = index % (verb.shape[1] * noun.shape[1])
    point = index.div(verb.shape[1] * noun.shape[1], rounding_mode='floor')
    first = of_point.div(noun.shape[1], rounding_mode='floor')
    return ActionPairs(best, point, verbs[point, first], nouns[point, of_point % noun.shape[1]])


def mean_segments(verb_segments: Tensor, noun_segments: Tensor) -> Tensor:
    """Segments of actions: the mean of what both models say, (M, 2) and (M, 2) to (M, 2)."""
    return torch.lerp(verb_segments, noun_segments, 0.5)
