"""Settings that concern several parts of a model at once, written into the parts' configs."""
import inspect
from collections.abc import Sequence
from typing import Optional

from mmaction.registry import MODELS

Ranges = Sequence[Sequence[float]]


def with_levels(num_levels: int, backbone: dict, neck: Optional[dict],
                head: dict) -> tuple[dict, Optional[dict], dict]:
    """Configs of a model with another number of pyramid levels (CLTDR-GMG, table 14).

    Args:
        num_levels (int): Number of levels L, at least 1.
        backbone (dict): Config; its ``num_levels`` becomes L, or its ``arch`` gets L - 1 branch
            blocks.
        neck (dict, optional): Config; its ``num_levels`` becomes L.
        head (dict): Config; its ``regression_ranges`` follow :func:`resized_ranges`.

    Returns:
        tuple: The three changed configs; those given stay as they are.

    Raises:
        ValueError: If ``num_levels`` is not positive or the backbone has neither.
    """
    if num_levels < 1:
        raise ValueError(f'num_levels must be positive, got {num_levels}')
    known = _parameter(backbone, 'arch')
    if _parameter(backbone, 'num_levels') is not None:
        backbone = dict(backbone, num_levels=num_levels)
    elif known is not None:
        arch = tuple(backbone.get('arch', known.default))
        backbone = dict(backbone, arch=(*arch[:2], num_levels - 1))
    else:
        raise ValueError(f"num_levels: backbone {backbone['type']} has neither arch nor "
                         'num_levels to change')
    neck = None if neck is None else dict(neck, num_levels=num_levels)
    return backbone, neck, _with_ranges(head, num_levels)


def resized_ranges(ranges: Ranges, num_levels: int) -> list[tuple[float, float]]:
    """Regression ranges for more or fewer levels than there are.

    Args:
        ranges (Sequence[Sequence[float]]): Per level (low, high) in grid steps, the last open.
        num_levels (int): Number of levels L asked for.

    Returns:
        List[Tuple[float, float]]: The first ones as they were, continued by doubling; the last
        reaches as far as before.
    """
    ranges = [tuple(bounds) for bounds in ranges]
    last, finite = ranges[-1][1], ranges[:-1]
    while len(finite) < num_levels:
        if len(finite) < 2:  # twice 0 leads nowhere: the second level starts where it started
            first = finite[0] if finite else (0, 4)
            second = ranges[1][0] if len(ranges) > 1 else first[1]
            finite = [first, (second, 2 * first[1])]
        else:
            finite.append(tuple(2 * bound for bound in finite[-1]))
    return [*finite[:num_levels - 1], (finite[num_levels - 1][0], last)]


def with_variant(variant: str, part: Optional[dict]) -> Optional[dict]:
    """Config of a part that computes the paper's or the published code's version.

    Args:
        variant (str): 'paper' or 'release'.
        part (dict, optional): Config; a head within it (:class:`.ASLHead`) is meant as well.

    Returns:
        dict or None: Changed config; the same if the part knows no variants.
    """
    if part is None:
        return None
    part = dict(part)
    if isinstance(part.get('head'), dict):
        part['head'] = with_variant(variant, part['head'])
    if _parameter(part, 'variant') is not None:
        part['variant'] = variant
    return part


def _with_ranges(head: dict, num_levels: int) -> dict:
    if isinstance(head.get('head'), dict):  # a head around a head
        return dict(head, head=_with_ranges(head['head'], num_levels))
    return dict(head, regression_ranges=resized_ranges(
        head.get('regression_ranges', [(0, 10000)]), num_levels))


def _parameter(part: dict, name: str) -> Optional[inspect.Parameter]:
    """A parameter of a part's class, also where a subclass passes it on as ``**kwargs``."""
    kind = MODELS.get(part['type']) if isinstance(part['type'], str) else part['type']
    for base in kind.__mro__ if inspect.isclass(kind) else ():
        parameters = inspect.signature(base.__init__).parameters
        if name in parameters:
            return parameters[name]
    return None
