"""The config for frames on docs/datasets/custom.md trains and is tested, on small videos."""
import json
import re

import pytest
from numbered_videos import VideoSet
from pages import ROOT, python_blocks

from cltdr_mm.cli import test as test_verb
from cltdr_mm.cli import train

PAGE = ROOT / 'docs' / 'datasets' / 'custom.md'
#: The page's SlowOnly without weights, narrow; one short epoch.
SMALL = ['model.front.init_cfg=None', 'model.front.backbone.base_channels=4',
         'model.backbone.embed_dims=16', 'train_cfg.max_epochs=1', 'param_scheduler.warmup=0',
         *(f'{part}_dataloader.num_workers=0' for part in ('train', 'val', 'test')),
         *(f'{part}_dataloader.persistent_workers=False' for part in ('val', 'test'))]


def test_config_for_frames(tmp_path, monkeypatch):
    pytest.importorskip('av', reason='PyAV is not installed: pip install av')
    code, = (code for code in python_blocks(PAGE) if code.startswith('# configs/mine_frames.py'))
    assert 'data/mine/' in code and "('open', 'close')" in code
    (tmp_path / 'data' / 'mine').mkdir(parents=True)
    videos = VideoSet(tmp_path / 'data' / 'mine', frames=(60, 75, 60))
    videos.database['v1']['subset'] = 'validation'
    for entry in videos.database.values():
        for one, label in zip(entry['annotations'], ('open', 'close')):
            one['label'] = label
    (videos.root / 'annotations.json').write_text(json.dumps(dict(database=videos.database)))
    (tmp_path / 'mine_frames.py').write_text(code.replace("'./_base_", "'cltdr_mm::_base_"))
    monkeypatch.chdir(tmp_path)
    train.main(['mine_frames.py', '--cfg-options', *SMALL])
    assert list((tmp_path / 'work_dirs' / 'mine_frames').glob('best_average_mAP_*.pth'))
    test_verb.main(['mine_frames.py', 'work_dirs/mine_frames', '--out', 'out',
                    '--cfg-options', *SMALL])
    results = json.loads((tmp_path / 'out' / 'detections.json').read_text())['results']
    assert set(results) == {'v2'} and 0 < len(results['v2']) <= 200
    verbs = re.findall(r'^    cltdr (\w+) configs/mine_frames.py', PAGE.read_text('utf-8'), re.M)
    assert verbs == ['check', 'train', 'test', 'infer']
