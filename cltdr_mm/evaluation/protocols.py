"""Named protocols: which classes, at which tIoUs, and on which subset, a benchmark judges."""
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Optional

import numpy as np

from ..datasets.benchmarks import (
    ActivityNet13Dataset,
    Ego4DMQDataset,
    EPICSoundsDataset,
    HACSDataset,
    HAPTDataset,
    THUMOS14Dataset,
)
from .functional.recall import RECALL_AVERAGES


def tiou_range(low: float, high: float, step: float) -> tuple[float, ...]:
    """Thresholds from ``low`` to ``high`` inclusive, without rounding residue.

    Args:
        low (float): First threshold.
        high (float): Last threshold.
        step (float): Difference of neighbours.

    Returns:
        tuple[float, ...]: Such as ``(0.3, 0.4, 0.5, 0.6, 0.7)``.
    """
    count = int(round((high - low) / step)) + 1
    return tuple(round(low + i * step, 10) for i in range(count))


def tiou_name(tiou: float) -> str:
    """How a threshold is written in keys and tables, such as ``'0.5'`` or ``'0.55'``."""
    return f'{tiou:.10g}'


@dataclass(frozen=True)
class Protocol:
    """How a benchmark is judged.

    Args:
        name (str): Its name in configs and on the command line.
        tious (tuple[float, ...]): Thresholds that the average mAP is taken over.
        subsets (tuple[str, ...]): Names of the subset judged, in order of preference, whatever
            their letter case.
        shown (tuple[float, ...], optional): Thresholds shown in tables. Defaults to None: all.
        extra (dict): Further averages: name to thresholds. Defaults to an empty dict.
        classes (tuple[str, ...], optional): Classes of the benchmark. Defaults to None: those of
            the data.
        ignored (tuple[str, ...]): Labels that are no class: annotations and detections that have
            them are left out. Defaults to ().
        count_empty (bool): Whether an annotation that ends where it starts counts as an instance,
            which nothing can find; else it is an error. Defaults to False.
        recall_average (str): ``average`` of :func:`.recall_at_kx`. Defaults to ``'macro'``.
        merge_duplicates (bool): Whether annotations of the same video and class within 1 ms of
            each other count once. Defaults to True.
        coverage_edges, length_edges, count_edges (tuple[float, ...]): Four upper bounds that part
            instances into XS, S, M, L and XL by part of the video covered, by length in seconds
            and (three bounds, XS to L) by instances of the class in the video; used by the
            diagnosis only.
    """

    name: str
    tious: tuple[float, ...]
    subsets: tuple[str, ...]
    shown: Optional[tuple[float, ...]] = None
    extra: dict = field(default_factory=dict)
    classes: Optional[tuple[str, ...]] = None
    ignored: tuple[str, ...] = ()
    count_empty: bool = False
    recall_average: str = 'macro'
    merge_duplicates: bool = True
    coverage_edges: tuple[float, ...] = (0.02, 0.04, 0.06, 0.08)
    length_edges: tuple[float, ...] = (3., 6., 12., 18.)
    count_edges: tuple[float, ...] = (1, 40, 80)

    @property
    def all_tious(self) -> tuple[float, ...]:
        """tuple[float, ...]: Every threshold that something is measured at, ascending."""
        return tuple(sorted({*self.tious, *(t for ts in self.extra.values() for t in ts)}))

    @property
    def shown_tious(self) -> tuple[float, ...]:
        """tuple[float, ...]: Thresholds for tables, ascending."""
        return tuple(sorted(self.tious if self.shown is None else self.shown))

    @property
    def f1_tiou(self) -> float:
        """float: For precision, recall and F1: of its thresholds the one nearest to 0.5."""
        # of two equally near the lower one
        return min(self.all_tious, key=lambda t: (round(abs(t - 0.5), 9), t))

    def with_tious(self, tious: Iterable[float]) -> 'Protocol':
        """The same protocol at other thresholds, all of them shown, without further averages.

        Raises:
            ValueError: If there is none, or one is not in (0, 1].
        """
        tious = tuple(sorted({float(t) for t in tious}))
        if not tious or not all(0 < t <= 1 for t in tious):
            raise ValueError(f'tIoU thresholds must be in (0, 1], got {tious}')
        return replace(self, tious=tious, shown=None, extra={})


_FINE = tiou_range(0.5, 0.95, 0.05)
# Bounds of the two data sets of Alwassel et al., Diagnosing Error in TAL Detectors, ECCV 2018.
_LONG = dict(
    coverage_edges=(0.2, 0.4, 0.6, 0.8), length_edges=(30., 60., 120., 180.), count_edges=(1, 4, 8))
_TEST, _VALIDATION = ('test', 'testing'), ('validation', 'val')
_TO_70 = tiou_range(0.3, 0.7, 0.1)
# ActivityNet's toolkit, with which HACS is judged too, counts the three empty annotations that
# the validation set has: no detection reaches a threshold with them.
_ACTIVITYNET = dict(shown=(0.5, 0.75, 0.95), count_empty=True, **_LONG)
_WITH_FINE = dict(shown=(*_TO_70, 0.75, 0.95), extra={'0.5:0.95': _FINE})

PROTOCOLS: dict[str, Protocol] = {
    p.name: p
    for p in (
        Protocol('thumos14', _TO_70, _TEST, classes=THUMOS14Dataset.METAINFO['classes'],
                 ignored=THUMOS14Dataset.IGNORED_LABELS),
        # of its 65 classes the annotations name 20 or all, by where they are from
        Protocol('multithumos', tiou_range(0.1, 0.9, 0.1), _TEST),
        # verbs or nouns
        Protocol('epic100', tiou_range(0.1, 0.5, 0.1), _VALIDATION),
        Protocol('anet13', _FINE, _VALIDATION, classes=ActivityNet13Dataset.METAINFO['classes'],
                 **_ACTIVITYNET),
        Protocol('hacs', _FINE, _VALIDATION, classes=HACSDataset.METAINFO['classes'],
                 **_ACTIVITYNET),
        Protocol('hapt', _TO_70, _TEST, classes=HAPTDataset.METAINFO['classes'], **_WITH_FINE),
        # its annotations call classes by codes or by names
        Protocol('charades', tiou_range(0.1, 0.9, 0.1), _TEST, shown=(0.2, 0.5, 0.7)),
        Protocol('ego4d_mq', tiou_range(0.1, 0.5, 0.1), _VALIDATION,
                 classes=Ego4DMQDataset.METAINFO['classes']),
        # as the challenge's own evaluation, whose numbers ActionFormer and OpenTAD do not print
        Protocol('ego4d_mq_official', tiou_range(0.1, 0.5, 0.1), _VALIDATION,
                 classes=Ego4DMQDataset.METAINFO['classes'], recall_average='micro',
                 merge_duplicates=False),
        # the annotation file lists its classes
        Protocol('fineaction', _FINE, _VALIDATION, **_ACTIVITYNET),
        Protocol('epic_sounds', tiou_range(0.1, 0.5, 0.1), _VALIDATION,
                 classes=EPICSoundsDataset.METAINFO['classes']),
        # for data that no benchmark names: generated ones, or a user's own
        Protocol('custom', _TO_70, _TEST, **_WITH_FINE),
    )
}


def get_protocol(name: str, tious: Optional[Sequence[float]] = None,
                 recall_average: Optional[str] = None) -> Protocol:
    """Look a protocol up.

    Args:
        name (str): One of :data:`PROTOCOLS`.
        tious (Sequence[float], optional): Thresholds in place of its own. Defaults to None.
        recall_average (str, optional): ``average`` of :func:`.recall_at_kx` in place of its own.
            Defaults to None.

    Returns:
        Protocol: The protocol.

    Raises:
        ValueError: If there is none of that name, or of that average, or a threshold makes no
            sense.
    """
    if name not in PROTOCOLS:
        raise ValueError(f'unknown protocol {name!r}, expected one of {sorted(PROTOCOLS)}')
    protocol = PROTOCOLS[name]
    if recall_average is not None:
        if recall_average not in RECALL_AVERAGES:
            raise ValueError(f'recall_average must be one of {RECALL_AVERAGES}, got '
                             f'{recall_average!r}')
        protocol = replace(protocol, recall_average=recall_average)
    return protocol if tious is None else protocol.with_tious(np.ravel(tious).tolist())
