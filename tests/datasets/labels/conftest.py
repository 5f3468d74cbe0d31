"""Reads labels from small files that a test writes."""
import json

import pytest

from cltdr_mm.datasets import TALDataError
from cltdr_mm.datasets.labels import read_labels


class Files:
    """A folder of files of labels."""

    def __init__(self, folder):
        self.folder = folder

    def write(self, name, content) -> str:
        if not isinstance(content, (str, bytes)):
            content = json.dumps(content)
        data = content if isinstance(content, bytes) else content.encode()
        (self.folder / name).write_bytes(data)
        return str(self.folder / name)

    def labels(self, name, content, **options):
        """Labels of one file; all videos have 100 s and 25 fps unless something else says so."""
        return read_labels(self.write(name, content), **{**dict(duration=100.0, fps=25.0),
                                                         **options})

    def rows(self, name, content, **options) -> list:
        labels = self.labels(name, content, **options)
        return [(row.video, row.start, row.end, row.label) for row in labels.rows]

    def problems(self, name, content, **options) -> list:
        """What is wrong with a file, each as place and message."""
        path = self.write(name, content)
        with pytest.raises(TALDataError) as caught:
            read_labels(path, **{**dict(duration=100.0, fps=25.0), **options})
        assert all(problem.file == path for problem in caught.value.problems)
        return [f'{problem.field}: {problem.message}' for problem in caught.value.problems]


@pytest.fixture
def files(tmp_path) -> Files:
    return Files(tmp_path)
