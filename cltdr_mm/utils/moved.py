"""Answers to keys and names of an earlier version: what to write instead.

A config of an earlier version should not end in ``unexpected keyword argument``::

    MOVED = dict(variant='stem_kernel_size=..., see docs/changelog.md')

    class GMG(BaseModule):

        def __init__(self, stem_kernel_size=3, **kwargs):
            refuse_moved(kwargs, 'GMG', MOVED)
            super().__init__(**kwargs)
"""
from collections.abc import Mapping
from typing import Any, NoReturn


def refuse_moved(kwargs: Mapping[str, Any], owner: str, table: Mapping[str, str]) -> None:
    """Refuse keys that an earlier version took; keys that it did not know are left to the caller.

    Args:
        kwargs (Mapping[str, Any]): Keys that were given, with their values.
        owner (str): Whose keys they are: the registered name of a class.
        table (Mapping[str, str]): What to write instead, by old key.

    Raises:
        TypeError: If there are some; the message has one line for each.
    """
    lines = [_line(f'{owner}: `{key}`', table[key]) for key in kwargs if key in table]
    if lines:
        raise TypeError('\n'.join(lines))


def moved_class(name: str, instead: str) -> type:
    """Make a class that can be registered under a name that is gone, and cannot be built.

    Args:
        name (str): The old registered name.
        instead (str): What to write instead.

    Returns:
        type: Its constructor raises TypeError, whatever its arguments.
    """

    def refuse(self, *args, **kwargs):
        raise TypeError(_line(f'`{name}`', instead))

    return type(name, (), dict(__init__=refuse, __doc__=f'Gone: write {instead}.'))


def refuse_moved_name(module: str, name: str, table: Mapping[str, str]) -> NoReturn:
    """Refuse a name that a module had, from its ``__getattr__``.

    Args:
        module (str): Its ``__name__``.
        name (str): What is asked for.
        table (Mapping[str, str]): What to write instead, by old name.

    Raises:
        ImportError: If the name is in the table.
        AttributeError: If it is not.
    """
    if name in table:
        raise ImportError(_line(f'{module}.{name}', table[name]))
    raise AttributeError(f'module {module!r} has no attribute {name!r}')


def _line(what: str, instead: str) -> str:
    return f'{what} is gone: write {instead}'
