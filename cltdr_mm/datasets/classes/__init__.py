"""Class names of the benchmarks, in the order of their labels, one text file each."""
import os.path as osp
from functools import cache


@cache
def class_names(name: str) -> tuple[str, ...]:
    """Read a class list that ships with the package.

    Args:
        name (str): ``thumos14``, ``multithumos``, ``epic100_verb``, ``epic100_noun``,
            ``activitynet200``, ``hapt``, ``charades``, ``ego4d_mq`` or ``epic_sounds``.

    Returns:
        tuple[str, ...]: Names in the order of their labels.
    """
    with open(osp.join(osp.dirname(__file__), f'{name}.txt'), encoding='utf-8') as file:
        return tuple(line.rstrip('\n') for line in file)
