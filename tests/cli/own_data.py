"""A small data set as a user has it, for the verbs that look at one."""
import json
from pathlib import Path

import numpy as np

FPS, STRIDE, WINDOW, CHANNELS = 10., 4, 8, 6
CLASSES = ('open', 'close')


class OwnData:
    """Videos with features and annotations in a folder; tests spoil what they like, and save."""

    def __init__(self, root: Path, subsets=('training', ) * 4 + ('validation', ) * 2):
        self.root = root
        self.ann_file = root / 'annotations.json'
        self.features = root / 'features'
        self.features.mkdir(parents=True)
        rng = np.random.default_rng(0)
        self.content = dict(classes=list(CLASSES), database={})
        for i, subset in enumerate(subsets):
            steps = int(rng.integers(60, 90))
            np.save(self.features / f'v{i}.npy', rng.normal(size=(steps, CHANNELS)).astype('f4'))
            annotations = [dict(segment=[2. + 6 * k, 5.5 + 6 * k], label=CLASSES[k % 2])
                           for k in range(3)]
            self.content['database'][f'v{i}'] = dict(
                subset=subset, fps=FPS, duration=((steps - 1) * STRIDE + WINDOW) / FPS,
                annotations=annotations)
        self.save()

    def save(self):
        self.ann_file.write_text(json.dumps(self.content))

    @property
    def timing(self):
        return ['--stride', str(STRIDE), '--window', str(WINDOW), '--device', 'cpu']
