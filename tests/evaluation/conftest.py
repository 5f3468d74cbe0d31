import json

import pytest

ANNOTATIONS = {
    'one': dict(subset='Test', duration=60., fps=10., annotations=[
        dict(label='run', label_id=5, segment=[0., 10.]),
        dict(label='sit', label_id=2, segment=[20., 30.]),
        dict(label='sit', label_id=2, segment=[20.0005, 30.0005])]),
    'two': dict(subset='Test', duration=40., fps=10., annotations=[
        dict(label='run', label_id=5, segment=[5., 15.])]),
    'three': dict(subset='Validation', duration=40., fps=10., annotations=[
        dict(label='jump', label_id=9, segment=[5., 15.])]),
}


@pytest.fixture
def ann_file(tmp_path):
    """Two test videos with three instances (one annotated twice), one validation video."""
    path = tmp_path / 'annotations.json'
    path.write_text(json.dumps(dict(database=ANNOTATIONS)))
    return str(path)


@pytest.fixture
def write_results(tmp_path):
    """Function that writes a result file and returns its path."""

    def write(results, name='results.json'):
        path = tmp_path / name
        content = dict(version='VERSION 1.3', results=results, external_data={})
        path.write_text(content if isinstance(results, str) else json.dumps(content))
        return str(path)

    return write
