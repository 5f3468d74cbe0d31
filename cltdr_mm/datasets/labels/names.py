"""Names of videos behind the paths and addresses that tools write."""
import re
from collections.abc import Mapping
from typing import Optional
from urllib.parse import parse_qs, unquote

from ...utils import matching_name, name_problem
from ...utils.json_files import nearest

VIDEO_SUFFIXES = ('.mp4', '.avi', '.mkv', '.mov', '.webm', '.m4v', '.mpg', '.mpeg', '.flv', '.wmv',
                  '.ts')
#: Extensions that are no part of a video's name.
MEDIA_SUFFIXES = VIDEO_SUFFIXES + ('.ogv', '.3gp', '.mts', '.wav', '.mp3', '.m4a', '.flac', '.ogg')


def video_name(path: str) -> str:
    r"""The name of a video that a file of labels calls by a path.

    The extension goes. Sub-folders of a relative path are part of the name, as in annotation
    files; of any other path only the file counts.

    Args:
        path (str): Such as ``'cam1/take_2.mp4'`` or ``'C:\\films\\take_2.mp4'``.
    """
    path = path.strip()
    slashed = path.replace('\\', '/')
    parts = [part for part in slashed.split('/') if part not in ('', '.')]
    away = '\\' in path or slashed.startswith('/') or re.match('[A-Za-z]:', path) or '..' in parts
    name = parts[-1] if away and parts else '/'.join(parts)
    ending = next((s for s in MEDIA_SUFFIXES if name.lower().endswith(s)), '')
    return name[:len(name) - len(ending)]


def file_of_url(address: str) -> str:
    """The name of the file that an address points to, with its extension.

    Args:
        address (str): A path or URL, as ELAN and Label Studio write them.
    """
    path = address.strip().replace('\\', '/')
    web = re.match(r'https?://[^/?#]*(/[^?#]*)?', path, re.IGNORECASE)
    _, _, query = path.partition('?')
    if web:
        path = web.group(1) or ''
    if path.startswith('/data/local-files/'):  # Label Studio's way to files of its own machine
        path = parse_qs(query).get('d', [''])[0]
    elif web or '://' in path or path.startswith('/data/'):
        path = unquote(path)
    name = path.rpartition('/')[2]
    if '/data/upload/' in path:  # Label Studio puts eight digits before what was uploaded
        name = re.sub(r'^[0-9a-f]{8}-', '', name)
    return name


class VideoNames:
    """Finds the videos that files of labels mean.

    Args:
        known (Mapping): All videos, by name; empty if they are not known.
    """

    def __init__(self, known: Mapping):
        self.known = known
        self._by_last: dict[str, list[str]] = {}
        for name in known:
            self._by_last.setdefault(name.rpartition('/')[2], []).append(name)
        self._paths: dict[str, str] = {}

    def find(self, written: str, is_path: bool) -> str:
        """The name of a video.

        Args:
            written (str): What a file calls it.
            is_path (bool): Whether that may be a path, see :func:`video_name`.

        Raises:
            ValueError: If there is no such video, or several; if the name cannot be one of a file;
                if another path had the same name.
        """
        name = self._find(written, is_path)
        why = name_problem(name)
        if why is not None:
            raise ValueError(why)
        if is_path and written != name and self._paths.setdefault(name, written) != written:
            raise ValueError(f'{self._paths[name]!r} is called {name!r} too; names of videos must '
                             'differ, whatever their folders and extensions')
        return name

    def _find(self, written: str, is_path: bool) -> str:
        plain = video_name(written) if is_path else written
        if not self.known:
            return plain
        for name in (written, plain):
            found: Optional[str] = matching_name(name, self.known)
            if found is not None:
                return found
        # the one path may have folders in front that the other has not
        same = [name for name in self._by_last.get(plain.rpartition('/')[2], ())
                if name.endswith(f'/{plain}') or plain.endswith(f'/{name}')]
        if len(same) == 1:
            return same[0]
        if same:
            raise ValueError(f'may be any of {nearest(plain, tuple(same))}')
        raise ValueError(f'is not among the {len(self.known)} videos '
                         f'({nearest(plain, tuple(self.known))})')
