"""Text of a config file: nested dicts, with a reason as a comment above each value that has one."""
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from .suggestions import Suggestion

_WIDTH = 98  # characters of a line


class Name(str):
    """Written as it is, without quotes: a name of the config, or ``**name`` as a key."""


def comment(text: str, indent: int = 0) -> list[str]:
    """Lines of a comment."""
    start = ' ' * indent + '# '
    return textwrap.wrap(text, _WIDTH, initial_indent=start, subsequent_indent=start)


def assignment(name: str, value: Any) -> list[str]:
    """Lines that give a name its value.

    Args:
        name (str): Of a key of the config.
        value: Nested dicts whose values are literals, a :class:`Name` or a :class:`.Suggestion`,
            whose reason becomes a comment above it.

    Returns:
        list[str]: Python, lines of up to 98 characters where values allow.
    """
    return _entry(f'{name} = ', value, 0, '')


def _entry(start: str, value: Any, indent: int, end: str) -> list[str]:
    lines = []
    if isinstance(value, Suggestion):
        lines, value = comment(value.reason, indent), value.value
    space = ' ' * indent
    flat = f'{space}{start}{_flat(value)}{end}'
    if len(flat) <= _WIDTH and not _has_reason(value):
        return [*lines, flat]
    if isinstance(value, Mapping):
        inner = [line for key, item in value.items() for line in _item(key, item, indent + 4)]
        return [*lines, f'{space}{start}dict(', *inner, f'{space}){end}']
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [*lines, f'{space}{start}[', *_packed(value, indent + 4), f'{space}]{end}']
    return [*lines, flat]


def _item(key: str, value: Any, indent: int) -> list[str]:
    if key.startswith('**'):
        return [f'{" " * indent}{key},']
    return _entry(f'{key}=', value, indent, ',')


def _packed(items: Sequence, indent: int) -> list[str]:
    """Items one after another; dicts and what else is long stand alone."""
    lines: list[str] = []
    for item in items:
        if isinstance(item, Mapping):
            lines += _entry('', item, indent, ',')
            continue
        text = f'{_flat(item)},'
        if lines and not isinstance(items[0], Mapping) and len(lines[-1]) + len(text) < _WIDTH:
            lines[-1] += f' {text}'
        else:
            lines.append(' ' * indent + text)
    return lines


def _flat(value: Any) -> str:
    if isinstance(value, Suggestion):
        value = value.value
    if isinstance(value, Name):
        return str(value)
    if isinstance(value, Mapping):
        items = (key if key.startswith('**') else f'{key}={_flat(item)}'
                 for key, item in value.items())
        return f'dict({", ".join(items)})'
    if isinstance(value, (list, tuple)):
        return f'[{", ".join(map(_flat, value))}]'
    return repr(value)


def _has_reason(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(isinstance(item, Suggestion) or _has_reason(item) for item in value.values())
    return False
