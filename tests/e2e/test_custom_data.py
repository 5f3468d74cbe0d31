"""The config that docs/datasets/custom.md gives for a user's own data, with data of that form."""
import json
import re

import numpy as np
from tool_runs import Tools, logged


def make_data(folder):
    """Nine videos at 25 fps, a step every 8 frames."""
    (folder / 'features').mkdir(parents=True)
    rng = np.random.default_rng(0)
    database = {}
    for index in range(9):
        steps = int(rng.integers(40, 80))
        np.save(folder / f'features/v{index}.npy',
                rng.standard_normal((steps, 768), dtype=np.float32))
        database[f'v{index}'] = dict(
            subset='training' if index < 5 else 'validation' if index < 8 else 'test',
            fps=25.0, duration=steps * 8 / 25,
            annotations=[dict(segment=[2.0, 5.5], label='open'),
                         dict(segment=[6.0, 9.0], label='close')])
    (folder / 'annotations.json').write_text(json.dumps(dict(database=database)))


def test_the_config_of_the_page(project_root, tmp_path):
    page = (project_root / 'docs/datasets/custom.md').read_text()
    block, = re.findall(r'```python\n(# configs/mine\.py\n.*?)```', page, re.S)
    (tmp_path / 'configs').mkdir()
    for base in ('_base_', 'cltdr_thumos.py'):
        (tmp_path / 'configs' / base).symlink_to(project_root / 'configs' / base)
    (tmp_path / 'configs/mine.py').write_text(block)
    make_data(tmp_path / 'data/mine')
    work_dir = tmp_path / 'work'
    Tools(project_root, tmp_path)(
        'train.py', tmp_path / 'configs/mine.py', '--work-dir', work_dir, '--cfg-options',
        'train_cfg.max_epochs=1', 'param_scheduler.warmup=0', 'model.backbone.embed_dims=32',
        'model.backbone.ffn_dims=48', 'model.neck.in_channels=32', 'model.head.in_channels=32')
    found = [line for line in logged(work_dir) if 'average_mAP' in line]
    assert len(found) == 1 and 0 <= found[0]['average_mAP'] <= 1
    assert list(work_dir.glob('best_average_mAP_epoch_1.pth'))
