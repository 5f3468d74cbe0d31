"""How much memory one array or one member of an archive may take.

A small file can unpack to any size. What a file says of its contents is looked at before memory is
taken. Allowed are 4 GiB; for what is compressed more than a hundredfold, which no features are,
64 MiB. The environment variable ``CLTDR_MAX_BYTES`` takes the place of both.
"""
import os
from typing import Optional

VARIABLE = 'CLTDR_MAX_BYTES'
_SIZE, _RATIO, _SMALL = 2**32, 100, 2**26


def max_bytes(stored: Optional[int] = None) -> int:
    """Bytes that may be taken for one array or member.

    Args:
        stored (int, optional): Bytes that it has in the file, if that may be compressed. Defaults
            to None.

    Raises:
        ValueError: If ``CLTDR_MAX_BYTES`` is no number of bytes.
    """
    text = os.environ.get(VARIABLE)
    if text is None:
        return _SIZE if stored is None else min(_SIZE, max(_SMALL, _RATIO * stored))
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f'the environment variable {VARIABLE} must be a number of bytes, got '
                         f'{text!r}')
    return int(text)


def size_problem(size: int, stored: Optional[int] = None) -> Optional[str]:
    """Say why something is too large to be read; None when it is not.

    Args:
        size (int): Bytes that it takes in memory, or the first of them when there are more.
        stored (int, optional): See :func:`max_bytes`. Defaults to None.
    """
    allowed = max_bytes(stored)
    if size <= allowed:
        return None
    packed = '' if stored is None else f', of {stored:,} in the file'
    return (f'would take {size:,} bytes of memory or more{packed}; {allowed:,} are allowed (to '
            f'allow more, set the environment variable {VARIABLE} to a number of bytes)')
