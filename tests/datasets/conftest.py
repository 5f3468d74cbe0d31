"""A small data set on disk, built by the tests that need one."""
import json
from pathlib import Path

import numpy as np
import pytest

from cltdr_mm.datasets import TALDataError, TALDataset

CLASSES = ('jump', 'throw', 'run')
FPS, STRIDE, WINDOW = 10.0, 4, 8


class MiniSet:
    """Three videos with features and annotations; tests spoil what they like, then ``build``."""

    def __init__(self, root: Path, steps=(40, 60, 25), channels=6):
        self.root = root
        self.channels = channels
        self.database = {}
        (root / 'feats').mkdir()
        rng = np.random.default_rng(0)
        for i, num_steps in enumerate(steps):
            name = f'v{i}'
            np.save(root / 'feats' / f'{name}.npy',
                    rng.standard_normal((num_steps, channels)).astype(np.float32))
            duration = ((num_steps - 1) * STRIDE + WINDOW) / FPS
            self.database[name] = dict(
                subset='training' if i < 2 else 'validation', duration=duration, fps=FPS,
                annotations=[
                    dict(segment=[1.0, 3.5], label='jump', label_id=0),
                    dict(segment=[duration - 4, duration], label='run', label_id=2)])

    @property
    def ann_file(self) -> Path:
        return self.root / 'ann.json'

    def feature(self, name: str) -> Path:
        return self.root / 'feats' / f'{name}.npy'

    def write(self, text: str = None) -> None:
        content = json.dumps(dict(database=self.database)) if text is None else text
        self.ann_file.write_text(content)

    def build(self, cls=None, write: bool = True, **kwargs):
        if write:
            self.write()
        args = dict(ann_file='ann.json', data_root=str(self.root), data_prefix=dict(feats='feats'),
                    feature_stride=STRIDE, feature_window=WINDOW, metainfo=dict(classes=CLASSES))
        return (cls or TALDataset)(**dict(args, **kwargs))

    def fails(self, *parts, **kwargs) -> TALDataError:
        """The dataset refuses to be built, and its message holds all the parts."""
        with pytest.raises(TALDataError) as caught:
            self.build(**kwargs)
        message = str(caught.value)
        for part in parts:
            assert part in message, f'{part!r} is not in:\n{message}'
        return caught.value


@pytest.fixture
def mini(tmp_path) -> MiniSet:
    return MiniSet(tmp_path)
