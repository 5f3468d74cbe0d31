"""Named protocols: at which tIoUs, and on which subset, a benchmark is judged."""
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Optional

import numpy as np


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

PROTOCOLS: dict[str, Protocol] = {
    p.name: p
    for p in (
        Protocol('thumos14', tiou_range(0.3, 0.7, 0.1), _TEST),
        Protocol('multithumos', tiou_range(0.1, 0.9, 0.1), _TEST),
        Protocol('epic100', tiou_range(0.1, 0.5, 0.1), _VALIDATION),
        Protocol('anet13', _FINE, _VALIDATION, shown=(0.5, 0.75, 0.95), **_LONG),
        Protocol('hacs', _FINE, _VALIDATION, shown=(0.5, 0.75, 0.95), **_LONG),
        # 'custom' is for data that no benchmark names: generated ones, or a user's own
        *(Protocol(
            name,
            tiou_range(0.3, 0.7, 0.1),
            _TEST,
            shown=(0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.95),
            extra={'0.5:0.95': _FINE}) for name in ('hapt', 'custom')),
    )
}


def get_protocol(name: str, tious: Optional[Sequence[float]] = None) -> Protocol:
    """Look a protocol up.

    Args:
        name (str): One of :data:`PROTOCOLS`.
        tious (Sequence[float], optional): Thresholds in place of its own. Defaults to None.

    Returns:
        Protocol: The protocol.

    Raises:
        ValueError: If there is none of that name, or a threshold makes no sense.
    """
    if name not in PROTOCOLS:
        raise ValueError(f'unknown protocol {name!r}, expected one of {sorted(PROTOCOLS)}')
    protocol = PROTOCOLS[name]
    return protocol if tious is None else protocol.with_tious(np.ravel(tious).tolist())
