"""The formats of files of labels, and how a file shows which one it has."""
from typing import Any, Optional

from ...utils import TALDataError, read_json
from ...utils.json_files import refuse_duplicates, shown
from .activitynet import read_activitynet
from .boris import is_boris, read_boris
from .csv_labels import read_csv_labels
from .cvat import read_cvat
from .elan import read_elan
from .label_studio import read_label_studio
from .rows import TITLE, LabelFile, ReadOptions
from .tables import read_table
from .via import read_via
from .xml_files import read_xml

#: What a file is to begin with, its reader, and the options that the format has.
FORMATS = dict(
    activitynet=('object', read_activitynet, ('group', )),
    boris=('table', read_boris, ('group', )),
    csv=('table', read_csv_labels, ('columns', 'group')),
    cvat=('xml', read_cvat, ()),
    elan=('xml', read_elan, ('tiers', )),
    label_studio=('list', read_label_studio, ('columns', 'group', 'tiers')),
    via=('object', read_via, ('tiers', )))


def read_file(path: str, format: Optional[str], options: ReadOptions) -> LabelFile:
    """Read one file of labels.

    Args:
        path (str): The file.
        format (str, optional): One of ``FORMATS``; None for what it looks like.
        options (ReadOptions): How it is to be read. A group that the format does not have may be
            known from elsewhere; other such options are errors.

    Returns:
        LabelFile: What was found, problems included.

    Raises:
        ValueError: If the format is unknown, or has not got an option.
    """
    if format is not None and format not in FORMATS:
        raise ValueError(f'there is no format {format!r}, but {", ".join(FORMATS)}')
    found = LabelFile(path)
    with found.collecting():
        content = parse(path, kind_of(path) if format is None else FORMATS[format][0])
        format = format or _guess(found, content)
        _, read, known = FORMATS[format]
        for name in ('columns', 'tiers'):
            if getattr(options, name) is not None and name not in known:
                raise ValueError(f'{path}: {name} were given, but files of the format {format} '
                                 'have none')
        read(found, content, options)
    return found


def kind_of(path: str) -> str:
    """What a file is by its extension: ``'json'``, ``'xml'`` or else ``'table'``."""
    name = path.lower()
    if name.endswith(('.json', '.json.gz')):
        return 'json'
    return 'xml' if name.endswith(('.eaf', '.xml')) else 'table'


def parse(path: str, kind: str) -> Any:
    """Read a file as a table, XML or JSON.

    Args:
        path (str): The file.
        kind (str): ``'table'``, ``'xml'``, or ``'json'``, of which ``'object'`` and ``'list'`` are
            the two kinds.

    Raises:
        TALDataError: If it cannot be read so.
    """
    if kind == 'table':
        return read_table(path)
    if kind == 'xml':
        return read_xml(path)
    content = read_json(path, TITLE, refuse_duplicates, or_list=kind != 'object')
    if kind == 'list' and not isinstance(content, list):
        raise TALDataError.of(TITLE, path, 'file', 'must hold a JSON list, got dict')
    return content


def _guess(found: LabelFile, content: Any) -> str:
    """The format of a file that was parsed; raises TALDataError."""
    if isinstance(content, list):
        return 'label_studio'
    if isinstance(content, dict):
        if 'database' in content:
            return 'activitynet'
        if {'metadata', 'view'} <= set(content):
            return 'via'
        raise found.bad('file', "is JSON of no known format: it has no 'database' (ActivityNet), "
                        "no 'metadata' and 'view' (VIA 3), and is no list of tasks (Label "
                        f'Studio); it has {shown(sorted(content))}')
    if hasattr(content, 'header'):
        return 'boris' if is_boris(content.header) else 'csv'
    known = dict(ANNOTATION_DOCUMENT='elan', annotations='cvat').get(content.tag)
    if known is None:
        raise found.bad('file', 'is XML of no known format: it begins with '
                        f'<{content.tag}>, not <ANNOTATION_DOCUMENT> (ELAN) or <annotations> '
                        '(CVAT)')
    return known
