"""Settings that fit a data set, each with its reason; docs/choosing_settings.md has the rules.

Pure functions of the statistics of the training subset. Recipes that were published, or measured
here, are where the numbers come from: THUMOS14 (200 videos, 3,007 instances, width 512, 4,000 steps
of 2 videos, rate 1e-4), HAPT (42 recordings, 849 instances, width 128, 735 steps) and the generated
sequences of `make demo` (160 videos, 923 instances, width 64, 400 steps of 4 videos).
"""
import math
from dataclasses import dataclass, fields
from typing import Any, Optional

import numpy as np

from ...datasets.statistics import SubsetStatistics, level_shares

FIRST_RANGE = 4      # grid steps; ranges double from here, as the heads' defaults do
LEVELS = (4, 9)      # fewest, for context; most
MAX_LEN = 2304       # steps of a training sequence in all published recipes
WIDTHS = ((300, 64), (1500, 128), (3000, 256), (math.inf, 512))  # below so many instances
CPU_WIDTH = 128
STEPS = dict(cuda=4000, cpu=2000)  # steps of the optimizer that a training should have
EPOCHS = (15, 100)
BATCHES = (2, 16)
COARSE = 4           # grid steps: a median length below asks for lower tIoUs
COARSE_TIOUS = (0.1, 0.2, 0.3, 0.4, 0.5)


@dataclass(frozen=True)
class Suggestion:
    """A value and why.

    Args:
        value: Of a setting of a config.
        reason (str): A sentence, without its full stop.
    """

    value: Any
    reason: str


@dataclass(frozen=True)
class Suggestions:
    """What a config for a data set should say; see :func:`suggest`.

    Args:
        num_levels (Suggestion): Levels of the pyramid; regression ranges follow.
        max_len (Suggestion): Longest training sequence, grid steps.
        width (Suggestion): Channels of the model.
        batch_size (Suggestion): Videos a step.
        epochs (Suggestion): Passes over the training videos, the warm-up among them.
        warmup (Suggestion): Epochs in which the learning rate rises.
        lr (Suggestion): Learning rate.
        val_interval (Suggestion): Epochs between validations.
        tious (Suggestion): Thresholds of the average mAP; None for those of the protocol `custom`.
    """

    num_levels: Suggestion
    max_len: Suggestion
    width: Suggestion
    batch_size: Suggestion
    epochs: Suggestion
    warmup: Suggestion
    lr: Suggestion
    val_interval: Suggestion
    tious: Suggestion

    def rows(self) -> list[tuple[str, str, str]]:
        """Name, value and reason of each setting, in order."""
        def text(value: Any) -> str:
            if isinstance(value, float):
                return f'{value:g}'
            if isinstance(value, (tuple, list)):
                return ', '.join(map(text, value))
            return 'as they are' if value is None else str(value)

        found = [(field.name, getattr(self, field.name)) for field in fields(self)]
        return [(name, text(one.value), one.reason) for name, one in found]


def regression_ranges(num_levels: int) -> list[tuple[float, float]]:
    """The ranges that heads take by themselves: 0 to 4, doubling, the last one open."""
    bounds = [0, *(FIRST_RANGE * 2**level for level in range(num_levels - 1)), 10000]
    return list(zip(bounds[:-1], bounds[1:]))


def suggest(training: SubsetStatistics, channels: int, device: str = 'cpu',
            epochs: Optional[int] = None, width: Optional[int] = None) -> Suggestions:
    """Settings for a data set.

    Args:
        training (SubsetStatistics): Of the training subset alone.
        channels (int): Of the features.
        device (str): ``'cuda'`` or ``'cpu'``. Defaults to ``'cpu'``.
        epochs (int, optional): Taken as they are. Defaults to None: as many as fit.
        width (int, optional): Likewise.

    Returns:
        Suggestions: Each with its reason.

    Raises:
        ValueError: If there is no training instance, or a number asked for is none.
    """
    if not training.num_instances:
        raise ValueError('the training subset has no instance: nothing can be learned from it')
    for name, value in dict(epochs=epochs, width=width).items():
        if value is not None and value < 1:
            raise ValueError(f'{name} must be at least 1, got {value}')
    levels = _levels(training)
    size = (_width(training, channels, device) if width is None
            else Suggestion(width, 'as asked for'))
    batch = _batch_size(training)
    per_epoch = math.ceil(training.num_videos / batch.value)
    length = (_epochs(per_epoch, device) if epochs is None
              else Suggestion(epochs, f'as asked for; {epochs * per_epoch} steps in all'))
    warmup = max(1, round(length.value / 6)) if length.value > 1 else 0
    interval = max(1, length.value // 20)
    return Suggestions(
        num_levels=levels,
        max_len=_max_len(training, levels.value),
        width=size,
        batch_size=batch,
        epochs=length,
        warmup=Suggestion(warmup, f'about a sixth of the epochs, here {warmup * per_epoch} steps'),
        lr=_learning_rate(size.value, batch.value),
        val_interval=Suggestion(interval, f'{-(-length.value // interval)} validations in all'),
        tious=_tious(training))


def _levels(training: SubsetStatistics) -> Suggestion:
    """So many that the last, open one holds the few longest only, and can express the longest."""
    half, longest = training.length_quantile(0.95) / 2, training.length_quantile(1.0) / 2
    fewest, most = LEVELS
    # the coarsest level should still have four points in the longest sequence
    most = max(fewest, min(most, 1 + int(math.log2(max(1, training.steps.max() / 4)))))
    levels = fewest
    while levels < most and (FIRST_RANGE * 2**(levels - 2) < half
                             or 8 * 2**(levels - 1) < longest):
        levels += 1
    ranges = regression_ranges(levels)
    shares, missed = level_shares(training.segments, ranges)
    listed = ', '.join(f'{low}-{high} {100 * share:.0f} %' for (low, high), share in
                       zip([*ranges[:-1], (ranges[-1][0], 'on')], shares))
    nobody = f', no level {100 * missed:.1f} %' if missed > 0.0005 else ''
    return Suggestion(
        levels, f'95 % of the instances are up to {2 * half:.0f} grid steps long, the longest '
        f'{2 * longest:.0f}; share of instances by regression range: {listed}{nobody}')


def _max_len(training: SubsetStatistics, levels: int) -> Suggestion:
    longest, wanted = int(training.steps.max()), 2 * training.length_quantile(0.99)
    if longest <= MAX_LEN:
        return Suggestion(MAX_LEN, f'the longest training video has {longest} steps: none is cut '
                          'for its length')
    if wanted <= MAX_LEN:
        return Suggestion(MAX_LEN, f'longer videos, up to {longest} steps, are cut at random; 99 % '
                          f'of the instances are up to {wanted / 2:.0f} steps long')
    unit = 2**(levels - 1)
    value = math.ceil(min(wanted, longest) / unit) * unit
    return Suggestion(value, f'twice the length of 99 % of the instances, of up to {longest} steps '
                      'that videos have')


def _width(training: SubsetStatistics, channels: int, device: str) -> Suggestion:
    count = training.num_instances
    width = next(width for limit, width in WIDTHS if count < limit)
    reason = f'{count} training instances'
    cap = max(WIDTHS[0][1], 2**math.ceil(math.log2(channels)))
    if cap < width:
        width, reason = cap, f'the features have {channels} channels'
    if device == 'cpu' and width > CPU_WIDTH:
        width, reason = CPU_WIDTH, f'{reason}, and no GPU to train on'
    return Suggestion(width, reason)


def _batch_size(training: SubsetStatistics) -> Suggestion:
    """A power of two: epochs of about 40 steps, batches of about 2 of the longest sequences."""
    least, most = BATCHES
    room = 2 * MAX_LEN / max(1.0, float(np.median(training.steps)))
    wanted = min(training.num_videos / 40, room, most)
    size = max(least, 2**int(math.log2(max(1, wanted))))
    median = np.median(training.steps)
    return Suggestion(
        size, f'{training.num_videos} training videos, of {median:.0f} grid steps in the median: '
        f'{math.ceil(training.num_videos / size)} batches an epoch')


def _epochs(per_epoch: int, device: str) -> Suggestion:
    wanted = STEPS['cpu' if device == 'cpu' else 'cuda']
    low, high = EPOCHS
    epochs = min(max(math.ceil(wanted / per_epoch), low), high)
    return Suggestion(epochs, f'{epochs * per_epoch} steps in all; about {wanted} are aimed at, in '
                      f'{low} to {high} epochs')


def _learning_rate(width: int, batch_size: int) -> Suggestion:
    """THUMOS14's 1e-4, at width 512 and batches of 2, for others: AdamW's scaling."""
    rate = 1e-4 * (512 / width) * math.sqrt(batch_size / 2)
    digits = 1 - math.floor(math.log10(rate))
    return Suggestion(round(rate, digits), '1e-4 at width 512 and batches of 2; a narrower model '
                      'takes a higher rate, and a larger batch the root of its size more')


def _tious(training: SubsetStatistics) -> Suggestion:
    median = training.length_quantile(0.5)
    if median < COARSE:
        return Suggestion(COARSE_TIOUS, f'instances of {median:.1f} grid steps in the median: half '
                          'a step at either end is much of them')
    return Suggestion(None, f'instances of {median:.1f} grid steps in the median: .3:.1:.7, with '
                      '.5:.05:.95 beside it')
