"""Files of every format: a valid one, mutants of it, and other ways to write the same."""
import csv
import gzip
import io
import json
import pickle
import re
import sys
import zipfile
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Optional

import h5py
import numpy as np
import torch
from fuzzing import (
    BOMBS,
    Nested,
    Pairs,
    mutate_array,
    mutate_bytes,
    mutate_table,
    mutate_value,
    pick,
    plain,
)


@dataclass(frozen=True)
class Source:
    """A valid file.

    Args:
        value: What it holds.
        write (Callable): From such a value to bytes.
        mutate (Callable): From the value and a generator to a wrong value.
        same (tuple[Callable]): From the value to bytes that mean the same.
    """

    value: Any
    write: Callable[[Any], bytes]
    mutate: Callable[[Any, np.random.Generator], Any]
    same: tuple = ()

    @cached_property
    def whole(self) -> bytes:
        """The valid file."""
        return self.write(self.value)

    def mutant(self, rng: np.random.Generator) -> tuple[bytes, bool]:
        """A mutant, and whether it means the same as the valid file."""
        chance = rng.random()
        if self.same and chance < 0.05:
            return pick(rng, self.same)(self.value), True
        if chance < 0.35:
            data = mutate_bytes(self.whole, rng)
        else:
            data = self.write(self.mutate(self.value, rng))
        return data, data == self.whole


# ---- text


def json_text(value: Any) -> str:
    """As ``json.dumps``, of what :func:`mutate_value` makes too."""
    if isinstance(value, Nested):
        return '[' * value.depth + ']' * value.depth
    if isinstance(value, dict):
        value = Pairs(value.items())
    if isinstance(value, Pairs):
        return '{' + ', '.join(f'{json.dumps(str(k))}: {json_text(v)}' for k, v in value) + '}'
    if isinstance(value, (list, tuple)):
        return '[' + ', '.join(map(json_text, value)) + ']'
    return json.dumps(value)


def as_json(value: Any) -> Source:
    """A JSON file."""
    return Source(value, lambda v: json_text(v).encode(), mutate_value, same=(
        lambda v: json.dumps(v, indent=3).encode(),
        lambda v: json.dumps(v, ensure_ascii=False, separators=(',', ':')).encode(),
        lambda v: json.dumps(v).encode('utf-8-sig'),
        lambda v: json.dumps(v, ensure_ascii=False).encode('utf-16'),
        lambda v: b'\r\n\t ' + json.dumps(v).encode() + b'\n\n',
    ))


def as_gzip(source: Source) -> Source:
    """The same, compressed."""
    def packed(data: bytes) -> bytes:
        return gzip.compress(data, mtime=0)

    return Source(source.value, lambda value: packed(source.write(value)), source.mutate,
                  tuple(lambda value, same=same: packed(same(value)) for same in source.same))


def as_json_lines(values: list) -> Source:
    """A file of one JSON value a line."""
    return Source(values, lambda v: '\n'.join(map(json_text, v)).encode() if isinstance(v, list)
                  else json_text(v).encode(), mutate_value, same=(
        lambda v: '\n\n'.join(map(json.dumps, v)).encode() + b'\n',
        lambda v: '\r\n'.join(map(json.dumps, v)).encode()))


def as_csv(text: str) -> Source:
    """A CSV file."""
    def write(rows: list, **how) -> bytes:
        file = io.StringIO()
        csv.writer(file, **how).writerows(rows)
        return file.getvalue().encode('utf-8', 'surrogatepass')

    return Source([line.split(',') for line in text.splitlines()], write, mutate_table, same=(
        lambda rows: write(rows, lineterminator='\n'),
        lambda rows: write(rows, quoting=csv.QUOTE_ALL),
        lambda rows: write([*rows, []]),
        lambda rows: b'\xef\xbb\xbf' + write(rows)))


def as_text(text: str, blank: str = ' ') -> Source:
    """A text file of words between blanks."""
    def write(rows: list) -> bytes:
        return ''.join(blank.join(row) + '\n' for row in rows).encode('utf-8', 'surrogatepass')

    same = (lambda rows: write(rows).replace(b'\n', b'\r\n'), )
    if blank:
        same += (lambda rows: write(rows).replace(b' ', b'  \t'), )
    rows = [line.split(blank) if blank else [line] for line in text.splitlines()]
    return Source(rows, write, mutate_table, same)


# ---- arrays


def npy(array: Any, version: Optional[tuple] = None) -> bytes:
    """The bytes of an ``.npy`` file."""
    file = io.BytesIO()
    with _deep():
        np.lib.format.write_array(file, _array(array), version=version)
    return file.getvalue()


def as_npy(array: np.ndarray) -> Source:
    """An ``.npy`` file."""
    return Source(array, npy, mutate_array,
                  same=(lambda a: npy(a, (2, 0)), lambda a: npy(np.asfortranarray(a))))


def _archive(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w', method) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name.encode('utf-8', 'replace').decode()[:60_000])
            archive.writestr(info, data, method)
    return file.getvalue()


def _arrays(value: Any, rng: np.random.Generator) -> dict:
    """A wrong dict of arrays: everything in it is some array, for that is all ``.npz`` holds."""
    value = plain(mutate_value(value, rng))
    return value if isinstance(value, dict) else {'a': value}


def as_npz(arrays: dict) -> Source:
    """An ``.npz`` file."""
    def write(value: dict, method: int = zipfile.ZIP_STORED) -> bytes:
        return _archive({f'{key}.npy': npy(_array(item)) for key, item in value.items()}, method)

    return Source(arrays, write, _arrays, same=(
        lambda v: write(v, zipfile.ZIP_DEFLATED), lambda v: write(v, zipfile.ZIP_LZMA)))


def _array(item: Any) -> np.ndarray:
    """Any value as an array, of objects if need be."""
    try:
        return np.asanyarray(item)
    except ValueError:  # uneven lists
        result = np.empty(1, object)
        result[0] = item
        return result


def as_zip(members: dict[str, Source]) -> Source:
    """A zip archive of other files, one of which is mutated."""
    def mutate(value: dict, rng: np.random.Generator) -> dict:
        if rng.random() < 0.1:
            return {key: item for key, item in value.items() if rng.random() < 0.8}
        name = pick(rng, list(value))
        return dict(value, **{name: members[name].mutant(rng)[0]})

    whole = {name: source.whole for name, source in members.items()}
    return Source(whole, _archive, mutate, same=(
        lambda v: _archive(v, zipfile.ZIP_DEFLATED),
        lambda v: _archive(dict(reversed(v.items())), zipfile.ZIP_BZIP2)))


def as_hdf5(arrays: dict) -> Source:
    """An HDF5 file."""
    def write(value: dict, **how) -> bytes:
        file = io.BytesIO()
        with h5py.File(file, 'w') as h5:
            for key, item in value.items():
                name = re.sub(r'[\0.]', '_', str(key).encode('utf-8', 'replace').decode())
                array = _array(item)
                if array.dtype.kind in 'OUMV':
                    array = h5py.Empty('f')
                if name.strip('/') and name not in h5:
                    try:
                        h5.create_dataset(name, data=array, **(how if np.ndim(item) else {}))
                    except (TypeError, ValueError):  # 'a/b' where 'a' is no group
                        h5.create_dataset(f'other{len(h5)}', data=h5py.Empty('f'))
        return file.getvalue()

    return Source(arrays, write, _arrays, same=(
        lambda v: write(v, chunks=True, compression='gzip'), lambda v: write(v, shuffle=True)))


# ---- objects of Python


@contextmanager
def _deep():
    """Room to write nested values."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(50_000)
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


def _wrong(value: Any, rng: np.random.Generator) -> Any:
    return plain(mutate_value(value, rng, BOMBS))


def as_pickle(value: Any) -> Source:
    """A pickle, some mutants of which would run code."""
    def write(item: Any, protocol: int = 4) -> bytes:
        with _deep():
            return pickle.dumps(item, protocol)

    return Source(value, write, _wrong, same=tuple(
        lambda v, protocol=protocol: write(v, protocol) for protocol in (0, 1, 2, 3, 5)))


def as_torch(value: Any) -> Source:
    """What ``torch.save`` writes, some mutants of which would run code."""
    def write(item: Any, zipped: bool = True) -> bytes:
        file = io.BytesIO()
        with _deep():
            torch.save(item, file, _use_new_zipfile_serialization=zipped)
        return file.getvalue()

    return Source(value, write, _wrong, same=(lambda v: write(v, False), ))
