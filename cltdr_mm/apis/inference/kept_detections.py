"""Which detections of an inference are kept: those of a score, and not too many."""
from typing import Optional, Union

from mmaction.structures import ActionDataSample

from ...engine.score_threshold import checkpoint_score_threshold
from ...utils.json_files import number_problem

AUTO = 'auto'


def checked_limits(min_score: Union[float, str, None], top: Optional[int],
                   weights: Optional[str]) -> tuple[Optional[float], Optional[int]]:
    """Check the limits, and look up what ``'auto'`` stands for.

    Args:
        min_score (float | str, optional): Smallest score, or ``'auto'``: the score of best F1 in
            the validation of the checkpoint.
        top (int, optional): Most detections a video.
        weights (str, optional): The checkpoint.

    Returns:
        tuple[Optional[float], Optional[int]]: Both, as numbers; None where there is no limit.

    Raises:
        ValueError: If one makes no sense, or the checkpoint has no score for ``'auto'``.
    """
    if min_score == AUTO:
        if weights is None:
            raise ValueError("min_score 'auto' needs a checkpoint, which knows the score; "
                             'without one, as with an ONNX file, a number is wanted')
        min_score = checkpoint_score_threshold(weights)
    if min_score is not None and number_problem(min_score) is not None:
        raise ValueError(f"min_score must be a number or 'auto', got {min_score!r}")
    if top is not None and (number_problem(top) is not None or top < 1 or top % 1):
        raise ValueError(f'top must be a whole number from 1 on, got {top!r}')
    return min_score, top


def keep_strongest(sample: ActionDataSample, min_score: Optional[float],
                   top: Optional[int]) -> ActionDataSample:
    """Leave out the detections beyond the limits.

    Args:
        sample (ActionDataSample): With ``pred_instances``, by falling score.
        min_score (float, optional): Smallest score.
        top (int, optional): Most detections.

    Returns:
        ActionDataSample: ``sample``.
    """
    detected = sample.pred_instances
    if min_score is not None:
        detected = detected[detected.scores >= min_score]
    sample.pred_instances = detected[:top]
    return sample
