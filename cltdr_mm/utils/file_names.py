"""Names of files: of videos, what is refused and what theirs are called; of folds."""
import hashlib
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Optional, Union

MAX_PART = 251  # bytes of one part of a path: file systems take 255, four are for the extension
_MAX_STEM = 200  # bytes of a file name before its ending, which may say a window and an epoch
_PLAIN = re.compile(r'(?![. ])[\w.\- ]+(?<![. ])')
_HASHED = re.compile(r'-[0-9a-f]{12}$')
_RESERVED = re.compile(r'(con|prn|aux|nul|com\d|lpt\d)(\.|$)', re.IGNORECASE)  # on Windows


def _bytes(text: str) -> bytes:
    return text.encode('utf-8', 'surrogatepass')  # JSON may hold half of a surrogate pair


def name_problem(video: str) -> Optional[str]:
    """Say why a video's name cannot be part of a path; None when it can.

    What would leave the folder it is joined with, on this system or another, is refused. Names
    with sub-folders, ``a/b``, are fine.

    Args:
        video (str): The name.
    """
    if '\0' in video:
        return 'a name with a NUL character is no file name'
    if '\\' in video or re.match('[A-Za-z]:', video):
        return 'a name with a backslash or a drive letter may leave the folder of the files'
    parts = video.split('/')
    if any(part in ('', '.', '..') for part in parts):
        return ("must be a name, or sub-folders and a name: with an empty part, '.' or '..' it may "
                'leave the folder of the files')
    longest = max(len(_bytes(part)) for part in parts)
    if longest > MAX_PART:
        return f'{longest} bytes are too long for the name of a file, {MAX_PART} are not'
    return None


def file_name(video: str, ending: str) -> str:
    """Name a file that is written about a video: no folders in it, and different for each video.

    A plain name is kept. Of any other one, and of one too long for a file system, characters are
    replaced or left out, and a hash of the name is added.

    Args:
        video (str): Name of the video, any text.
        ending (str): What follows, the extension included; at most 50 bytes.

    Returns:
        str: Such as ``'clip 7.png'``, or ``'a_b-c14cddc033f6.png'`` for ``'a/b'``.
    """
    plain = (_PLAIN.fullmatch(video) and not _RESERVED.match(video) and not _HASHED.search(video)
             and len(_bytes(video)) <= _MAX_STEM and unicodedata.normalize('NFC', video) == video)
    if plain:
        return video + ending
    stem = re.sub(r'[^\w\-]', '_', video).encode()[:_MAX_STEM - 13].decode(errors='ignore')
    return f'{stem}-{hashlib.sha256(_bytes(video)).hexdigest()[:12]}{ending}'


def fold_file(ann_file: str, fold: Union[int, str]) -> str:
    """Name the annotation file of a fold, beside that of the whole data set.

    Args:
        ann_file (str): Such as ``'data/hapt/annotations.json'``.
        fold (int or str): Number from 0, or ``'*'`` for a pattern of all.

    Returns:
        str: Such as ``'data/hapt/annotations_fold0.json'``.
    """
    path = Path(ann_file)
    return str(path.with_name(f'{path.stem}_fold{fold}{path.suffix}'))


def matching_name(name: str, names: Iterable[str]) -> Optional[str]:
    """Find a name among others, whatever the Unicode form of its accents (NFC, NFD).

    Args:
        name (str): What is looked for.
        names (Iterable[str]): Where; a container that finds a name quickly is asked first.

    Returns:
        Optional[str]: The name itself if it is there, else the only one that looks the same, else
        None.

    Raises:
        ValueError: If several look the same.
    """
    if name in names:
        return name
    if name.isascii():
        return None
    form = unicodedata.normalize('NFC', name)
    found = [other for other in names if unicodedata.normalize('NFC', other) == form]
    if len(found) > 1:
        raise ValueError(f'{len(found)} names differ from {name!r} in their Unicode form only: '
                         f'{", ".join(map(ascii, found))}')
    return found[0] if found else None
