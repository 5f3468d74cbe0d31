"""Compares how features were made: what one localizer takes is of one kind."""
from collections.abc import Mapping
from typing import Any

from .json_files import shown


def differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Say in which settings of a manifest two kinds of features differ.

    Weights are known by their hash, and a recognizer by its weights, if it has any.

    Args:
        one (Mapping): ``settings()`` of a :class:`.FeatureManifest`, or some of them.
        other (Mapping): Those of the other one.

    Returns:
        list[str]: Such as ``'stride: 4 and 8'``; of those that both have.
    """
    keys = [key for key in one if key in other]
    if None in (one.get('recognizer', ''), other.get('recognizer', '')):  # from elsewhere
        keys = [key for key in keys if key in ('stride', 'window', 'fps', 'channels')]
    if one.get('weights') and other.get('weights'):
        keys = [key for key in keys if key != 'recognizer']
    found = []
    for key in keys:
        a, b = one[key], other[key]
        if key == 'weights':
            a, b = (value.get('sha256') if isinstance(value, Mapping) else value
                    for value in (a, b))
        if a != b:
            found.append(f'{key}: {_short(a)} and {_short(b)}')
    return found


def _short(value: Any) -> str:
    return 'none' if value is None else value if isinstance(value, str) else shown(value)
