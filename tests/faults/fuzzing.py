"""Mutants of bytes, of nested values and of tables of text, drawn from a generator.

The generator of a mutant is made of a seed, the name of a reader and a number, so that the same
mutant comes out on any machine.
"""
import copy
import os
import unicodedata
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

MARKER = 'marker'  # what planted code makes in the current folder


def generator(seed: int, reader: str, number: int) -> np.random.Generator:
    """The source of chance of one mutant."""
    return np.random.default_rng([seed, zlib.crc32(reader.encode()), number])


def pick(rng: np.random.Generator, items) -> Any:
    """One of a list, tuple or string, as it is."""
    return items[int(rng.integers(len(items)))]


class Bomb:
    """Runs code when it is unpickled."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call

    def __deepcopy__(self, memo) -> 'Bomb':
        return self


class Nested:
    """A list in a list in a list, and so on."""

    def __init__(self, depth: int):
        self.depth = depth

    def __deepcopy__(self, memo) -> 'Nested':
        return self


class Pairs(list):
    """Members (key, value) of an object in which a key may be given twice."""


BOMBS = (Bomb(os.mkdir, MARKER), Bomb(open, MARKER, 'w'), Bomb(os.system, f'touch {MARKER}'),
         Bomb(eval, f"__import__('os').mkdir('{MARKER}')"), Bomb(exec, f"open('{MARKER}', 'w')"))
VALUES = (None, True, False, [], {}, [1, 2], [[0.5]], {'a': 1}, 'text', '', '1', 0, -1, 3, -2.5,
          float('nan'), float('inf'), -float('inf'), 1e308, -1e308, 1e-320, 10**400, -10**400,
          2**63, Nested(300), Nested(900), Nested(1000), Nested(100_000))
NAMES = ('', ' ', '.', '..', '../../out', '/', '/a', 'a/b', 'C:\\a', 'a\0b', 'x' * 300,
         'x' * 200_000, 'a\nb', 'a\r\n\tb', '\x1b[31mred', '\u202eabc', '\ud800', 'e\u0301',
         '\u00e9', '\uff11', '{video}', '{0.__class__}', '%s', '"', "'", 'state_dict', 'classes',
         'nan', '__proto__', f"__import__('os').mkdir('{MARKER}')", f"a = open('{MARKER}', 'w')",
         "a = dict(type='os.system')")
CELLS = ('', ' ', 'nan', 'inf', '-inf', '1e308', '1e999', '1' + '0' * 400, '1' + '0' * 5000,
         '-1', '-0', '0', '1_000', '1,5', '0x10', '1:2', '0:0:nan', '0:0:1e999', '::', 'None',
         'true', '[1, 2]', '"', '#', '1\t2', *NAMES)


# ---- bytes


def mutate_bytes(data: bytes, rng: np.random.Generator) -> bytes:
    """Change a file somewhere, one to four times; it grows by less than a hundred bytes each."""
    for _ in range(int(rng.choice([1, 1, 1, 2, 4]))):
        start, size = int(rng.integers(len(data) + 1)), int(rng.choice([1, 2, 8, 60]))
        stop, other = min(start + size, len(data)), int(rng.integers(len(data) + 1))
        block = data[start:stop]
        change = pick(rng, ('cut', 'remove', 'insert', 'flip', 'flip', 'set', 'duplicate', 'zero',
                            'swap', 'append'))
        if change == 'cut':
            data = data[:start]
        elif change == 'remove':
            data = data[:start] + data[stop:]
        elif change == 'insert':
            data = data[:start] + rng.bytes(size) + data[start:]
        elif change == 'flip' and block:
            flipped = block[0] ^ 1 << int(rng.integers(8))
            data = data[:start] + bytes([flipped]) + data[start + 1:]
        elif change == 'set' and block:
            other = pick(rng, b'\x00\x01\x7f\x80\xff,"[{}]:.-0\n')
            data = data[:start] + bytes([other]) + data[start + 1:]
        elif change == 'duplicate':
            data = data[:stop] + block + data[stop:]
        elif change == 'zero':
            data = data[:start] + bytes(len(block)) + data[stop:]
        elif change == 'swap' and stop <= other:
            data = data[:start] + data[other:other + size] + data[stop:other] + block \
                + data[other + size:]
        elif change == 'append':
            data += pick(rng, (rng.bytes(size), b'\n', b'\0', b'}', b'PK\x05\x06', data[:size]))
    return data


# ---- nested values


def mutate_value(value: Any, rng: np.random.Generator, more: tuple = ()) -> Any:
    """Change a copy of nested dicts and lists with arrays and plain values in them.

    Args:
        value: What is right.
        rng (np.random.Generator): Source of chance.
        more (tuple): What may stand in a place beside ``VALUES``.

    Returns:
        Any: The copy, changed in one to three places; may hold :class:`Pairs` and
        :class:`Nested`.
    """
    root = [copy.deepcopy(value)]
    for _ in range(int(rng.choice([1, 1, 1, 2, 3]))):
        places = list(_places(root))
        container, key = pick(rng, places)
        old = container[key]
        change = pick(rng, ('drop', 'replace', 'replace', 'replace', 'near', 'near', 'rename',
                            'duplicate', 'swap', 'wrap', 'shorten', 'plant'))
        if change == 'drop' and container is not root:
            del container[key]
        elif change == 'rename' and isinstance(container, dict):
            del container[key]
            container[pick(rng, [*NAMES, *container, *_forms(key), *_forms(key)])] = old
        elif change == 'duplicate' and isinstance(container, dict):
            _replace(root, container, Pairs([*container.items(), (key, _value(rng))]))
        elif change == 'duplicate' and isinstance(container, list) and container is not root:
            container.insert(key, copy.deepcopy(old))
        elif change == 'swap':
            other, place = pick(rng, places)
            container[key] = copy.deepcopy(other[place])
        elif change == 'wrap':
            container[key] = pick(rng, ([old], [old, old], {'a': old}))
        elif change == 'shorten' and isinstance(old, (list, str)):
            container[key] = old[:len(old) // 2]
        elif change == 'near':
            container[key] = _near(old, rng)
        elif change == 'plant' and more:
            container[key] = pick(rng, more)
        else:
            container[key] = _value(rng)
    return root[0]


def plain(value: Any) -> Any:
    """What a mutant is as values of Python, without :class:`Pairs` and :class:`Nested`."""
    if isinstance(value, Nested):
        result: list = []
        for _ in range(min(value.depth, 1000)):
            result = [result]
        return result
    if isinstance(value, Pairs):
        value = dict(value)
    if isinstance(value, dict):
        return type(value)((key, plain(item)) for key, item in value.items())
    return [plain(item) for item in value] if type(value) is list else value


def _value(rng: np.random.Generator) -> Any:
    return copy.deepcopy(pick(rng, VALUES))  # lists are changed further


def _places(root: Any) -> Iterator[tuple]:
    """(container, key) of all that nested dicts and lists hold, themselves included."""
    stack = [root]
    while stack:
        container = stack.pop()
        keys = list(container) if isinstance(container, dict) else range(len(container))
        for key in keys:
            yield container, key
            if isinstance(container[key], dict) or type(container[key]) is list:
                stack.append(container[key])


def _replace(root: list, old: Any, new: Any) -> None:
    for container, key in _places(root):
        if container[key] is old:
            container[key] = new
            return


def _forms(text: Any) -> list:
    """Other forms of a name that look the same or nearly so."""
    if not isinstance(text, str):
        return [str(text)]
    return [unicodedata.normalize('NFD', text), unicodedata.normalize('NFC', text), text.upper(),
            text + ' ', f'../{text}', f'{text}/']


def _near(old: Any, rng: np.random.Generator) -> Any:
    """A value of the same kind, or the same value of another type."""
    if isinstance(old, bool):
        return pick(rng, (not old, int(old), str(old)))
    if isinstance(old, (int, float)) and abs(old) < 1e300:
        return pick(rng, (-old, old + 1, old * 1000, old / 1000, float(old), str(old), [old],
                          old + 1e-9, bool(old), 2**70))
    if isinstance(old, str):
        return pick(rng, [*NAMES, *_forms(old)])
    if isinstance(old, (np.ndarray, torch.Tensor)):
        return mutate_array(old, rng)
    if isinstance(old, dict):
        return pick(rng, (list(old.items()), list(old.values()), {}))
    return _value(rng)


# ---- arrays


def mutate_array(array: Any, rng: np.random.Generator) -> Any:
    """Another shape, type or value of an array or tensor; never more than twice as large."""
    is_tensor = isinstance(array, torch.Tensor)
    if is_tensor and (array.layout != torch.strided or array.is_meta
                      or array.dtype == torch.bfloat16):
        return torch.zeros(2)
    array = np.array(array.detach().numpy() if is_tensor else array)
    flat = array.reshape(-1)
    change = pick(rng, ('shape', 'shape', 'dtype', 'dtype', 'value', 'value', 'order', 'kind'))
    if change == 'shape':
        array = np.atleast_1d(array)
        array = pick(rng, (flat, array[None], array[..., None], array[:0], array[..., :0], array.T,
                           array[:1], array[:-1], np.concatenate([array, array])))
    elif change == 'dtype':
        types = ['f2', 'f8', 'i1', 'u8', 'bool', 'c8'] if is_tensor else [
            'f2', '>f4', 'f8', 'g', 'i1', 'u8', 'bool', 'c8', 'U9', 'S9', 'O', 'M8[s]', 'V4']
        with np.errstate(all='ignore'):
            array = array.astype(pick(rng, types)) if array.dtype.kind in 'fiu' else flat
    elif change == 'value' and array.dtype.kind == 'f' and array.size:
        flat[int(rng.integers(flat.size))] = pick(rng, (np.nan, np.inf, -np.inf, 3e38, -1e30, -1))
    elif change == 'order':
        array = np.asfortranarray(array)
    elif is_tensor:
        tensor = torch.from_numpy(array).float()
        return pick(rng, (tensor.bfloat16(), tensor.to_sparse(), tensor.to('meta'), array,
                          torch.nn.Parameter(tensor), torch.zeros(1).expand(9), tensor.sum()))
    else:
        return pick(rng, (array.tolist(), np.array([(1, 2.)], 'i4,f4'), np.array(BOMBS, object),
                          np.float32(3), np.ma.masked_array(array)))
    return torch.from_numpy(np.ascontiguousarray(array).reshape(np.shape(array))) \
        if is_tensor else array


# ---- tables of text


def mutate_table(rows: list[list[str]], rng: np.random.Generator) -> list[list[str]]:
    """Change cells, rows or columns of a copy, one to three times."""
    rows = [list(row) for row in rows]
    for _ in range(int(rng.choice([1, 1, 1, 2, 3]))):
        if not rows:
            break
        row, column = int(rng.integers(len(rows))), int(rng.integers(max(map(len, rows)) or 1))
        change = pick(rng, ('cell', 'cell', 'cell', 'cell', 'form', 'drop', 'add', 'column',
                            'repeat', 'no row', 'twice', 'swap', 'blank'))
        own = rows[row]
        if change in ('cell', 'form') and column < len(own):
            own[column] = pick(rng, CELLS if change == 'cell' else _forms(own[column]))
        elif change == 'drop':
            del own[column:column + 1]
        elif change == 'add':
            own.insert(column, pick(rng, CELLS))
        elif change == 'column':
            for each in rows:
                del each[column:column + 1]
        elif change == 'repeat':
            for each in rows:
                each += each[column:column + 1]
        elif change == 'no row':
            del rows[row]
        elif change == 'twice':
            rows.insert(row, list(own))
        elif change == 'swap':
            other = int(rng.integers(len(rows)))
            rows[row], rows[other] = rows[other], own
        elif change == 'blank':
            rows.insert(row, [])
    return rows
