"""Of a member that is marked as a folder torch hands over unread memory: such a file is refused."""
import zipfile

import pytest
import torch

from cltdr_mm.datasets.feature_files import FeatureFileError, feature_shape, open_feature
from cltdr_mm.engine.checkpoint_io import is_whole, load_from_local
from cltdr_mm.utils import TALDataError
from cltdr_mm.utils.torch_archives import torch_members


@pytest.fixture
def path(tmp_path):
    torch.save(torch.arange(6.).reshape(3, 2), tmp_path / 'a.pt')
    return tmp_path / 'a.pt'


def test_members(path, tmp_path):
    names = {info.filename.split('/', 1)[1] for info in torch_members(path)}
    assert {'data.pkl', 'data/0'} <= names
    torch.save(torch.ones(2), tmp_path / 'old.pt', _use_new_zipfile_serialization=False)
    assert torch_members(tmp_path / 'old.pt') == []


@pytest.mark.parametrize('name', ['data.pkl', 'data/0', 'byteorder'])
def test_one_that_is_marked_as_a_folder(path, name):
    with zipfile.ZipFile(path) as archive:
        start = archive.start_dir
    content = bytearray(path.read_bytes())
    place = content.index(f'/{name}'.encode(), start)  # in the directory
    header = content.rindex(b'PK\x01\x02', start, place)
    content[header + 38] |= 0x10
    path.write_bytes(content)
    for call in (feature_shape, open_feature):
        with pytest.raises(FeatureFileError, match=f'{name}. is marked as a folder'):
            call(str(path))
    with pytest.raises(TALDataError, match=f'a.pt: file: .*{name}. is marked as a folder'):
        load_from_local(str(path))
    assert not is_whole(path)
