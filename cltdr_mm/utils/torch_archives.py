"""Archives as torch writes them: damage that torch itself does not notice."""
import zipfile
from pathlib import Path
from typing import Union

_FOLDER = 0x10  # attribute of a member, as DOS had it


def torch_members(path: Union[str, Path]) -> list[zipfile.ZipInfo]:
    """List what an archive of torch holds.

    Args:
        path (str or Path): The file.

    Returns:
        list[ZipInfo]: None at all for the format before torch 1.6, and what is no archive.

    Raises:
        ValueError: If a member is marked as a folder. Torch would not read its values, and hand
            over what the memory happens to hold.
        OSError, NotImplementedError, zipfile.BadZipFile: If the directory is damaged.
    """
    if not zipfile.is_zipfile(path):
        return []
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    for info in members:
        if info.external_attr & _FOLDER:
            raise ValueError(f'is damaged: {info.filename!r} is marked as a folder')
    return members
